#!/bin/sh
# Make the service principal that the lakehouse's jobs log in with, once: it writes SQL from the driver, which can't log in as
# a managed identity. Terraform takes its ids from azd's environment; its secret is made by secrets.sh.
set -eu

if [ -n "${LAKEHOUSE_OBJECT_ID:-}" ]; then
  exit 0
fi
name="lakehouse-$AZURE_ENV_NAME"
client_id=$(az ad app list --display-name "$name" --query '[0].appId' --output tsv)
if [ -z "$client_id" ]; then
  client_id=$(az ad app create --display-name "$name" --query appId --output tsv)
fi
object_id=$(az ad sp list --filter "appId eq '$client_id'" --query '[0].id' --output tsv)
if [ -z "$object_id" ]; then
  object_id=$(az ad sp create --id "$client_id" --query id --output tsv)
fi
azd env set LAKEHOUSE_CLIENT_ID "$client_id"
azd env set LAKEHOUSE_OBJECT_ID "$object_id"
