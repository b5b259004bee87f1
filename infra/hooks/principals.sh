#!/bin/sh
# Find or make the two principals that Terraform gives rights to and can't make; it takes their ids from azd's environment.
set -eu

principal_of() {
  found=$(az ad sp list --filter "appId eq '$1'" --query '[0].id' --output tsv)
  [ -n "$found" ] || found=$(az ad sp create --id "$1" --query id --output tsv)
  printf '%s' "$found"
}

# What Azure Databricks is in every tenant: it reads the vault's secrets for the scope.
if [ -z "${DATABRICKS_OBJECT_ID:-}" ]; then
  azd env set DATABRICKS_OBJECT_ID "$(principal_of 2ff814a6-3304-4ab8-85cb-cd0e6f879c1d)"
fi

# Whom the lakehouse's jobs log in as: they write SQL from the driver, which can't log in as a managed identity. The secret is
# made by secrets.sh.
if [ -z "${LAKEHOUSE_OBJECT_ID:-}" ]; then
  name="lakehouse-$AZURE_ENV_NAME"
  client_id=$(az ad app list --display-name "$name" --query '[0].appId' --output tsv)
  [ -n "$client_id" ] || client_id=$(az ad app create --display-name "$name" --query appId --output tsv)
  azd env set LAKEHOUSE_CLIENT_ID "$client_id"
  azd env set LAKEHOUSE_OBJECT_ID "$(principal_of "$client_id")"
fi
