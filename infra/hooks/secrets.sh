#!/bin/sh
# Write the secrets that no identity can replace into the vault, each once: what is there is never changed.
set -eu

# The role on the vault, which was given a moment ago, may take minutes to hold.
for wait in 0 15 30 60 120 240; do
  sleep "$wait"
  if az keyvault secret list --vault-name "$KEY_VAULT_NAME" --output none; then
    break
  fi
done

is_in_vault() {
  [ -n "$(az keyvault secret list --vault-name "$KEY_VAULT_NAME" --query "[?name=='$1'].name" --output tsv)" ]
}

# A file that only this user reads, so that a secret stands in no list of processes.
umask 077
file=$(mktemp)
trap 'rm -f "$file"' EXIT

keep() {
  az keyvault secret set --vault-name "$KEY_VAULT_NAME" --name "$1" --file "$file" --encoding utf-8 --output none
}

if ! is_in_vault event-hubs-client-secret; then
  az ad app credential reset --id "$LAKEHOUSE_CLIENT_ID" --append --years 1 --query password --output tsv | tr -d '\n' >"$file"
  keep event-hubs-client-secret
fi
if ! is_in_vault pii-keys; then
  printf '{"keys": [{"version": "v1", "key": "%s"}]}' "$(head -c 32 /dev/urandom | base64)" >"$file"
  keep pii-keys
fi
