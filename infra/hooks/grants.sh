#!/bin/sh
# Give the app, the lakehouse and the factory their users and rights in the database, as whoever is logged in to the Azure CLI.
set -eu

factory_client_id=$(az ad sp show --id "$DATA_FACTORY_PRINCIPAL_ID" --query appId --output tsv)
exports=$(mktemp)
trap 'rm -f "$exports"' EXIT
sed "s/data-factory-name/$DATA_FACTORY_NAME/g" definitions/sql/export_watermarks.sql >"$exports"

run() {
  sqlcmd --server "$SQL_SERVER" --database-name "$SQL_DATABASE" \
    --authentication-method ActiveDirectoryAzCli --exit-on-error --input-file "$@"
}

# A paused database takes a minute to wake, and refuses whoever comes meanwhile.
for wait in 0 20 40 60; do
  sleep "$wait"
  if run infra/hooks/grants.sql \
    --variables "app=$APP_IDENTITY_NAME" "app_client_id=$APP_CLIENT_ID" \
    "lakehouse=lakehouse-$AZURE_ENV_NAME" "lakehouse_client_id=$LAKEHOUSE_CLIENT_ID" \
    "factory=$DATA_FACTORY_NAME" "factory_client_id=$factory_client_id"; then
    run "$exports"
    exit
  fi
done
printf 'The grants of %s could not be made: see the output above, then run infra/hooks/grants.sh again.\n' "$SQL_DATABASE" >&2
exit 1
