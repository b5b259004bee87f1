#!/bin/sh
# Give the app and the lakehouse their users and rights in the database, as whoever is logged in to the Azure CLI.
set -eu

# A paused database takes a minute to wake, and refuses whoever comes meanwhile.
for wait in 0 20 40 60; do
  sleep "$wait"
  if sqlcmd --server "$SQL_SERVER" --database-name "$SQL_DATABASE" \
    --authentication-method ActiveDirectoryAzCli --exit-on-error --input-file infra/hooks/grants.sql \
    --variables "app=$APP_IDENTITY_NAME" "app_client_id=$APP_CLIENT_ID" \
    "lakehouse=lakehouse-$AZURE_ENV_NAME" "lakehouse_client_id=$LAKEHOUSE_CLIENT_ID"; then
    exit 0
  fi
done
printf 'The grants of %s could not be made: see the output above, then run infra/hooks/grants.sh again.\n' "$SQL_DATABASE" >&2
exit 1
