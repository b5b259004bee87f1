#!/bin/sh
# Make what is inside the Databricks workspace, and deploy the bundle. Whoever runs it administers the workspace and may make
# storage credentials and catalogs (in a new workspace its creator may). Safe to repeat.
set -eu

export DATABRICKS_HOST="$DATABRICKS__host" DATABRICKS_AUTH_TYPE=azure-cli
catalog="ingest_$(printf '%s' "$AZURE_ENV_NAME" | tr - _)"
lake="dfs.core.windows.net"

exists() { databricks "$@" >/dev/null 2>&1; }

# The secrets stay in the vault: the scope reads them there.
if ! databricks secrets list-scopes --output json | grep -q '"lakehouse"'; then
  databricks secrets create-scope --json "{
    \"scope\": \"lakehouse\", \"scope_backend_type\": \"AZURE_KEYVAULT\",
    \"backend_azure_keyvault\": {\"resource_id\": \"$KEY_VAULT_ID\", \"dns_name\": \"$KEY_VAULT_URL\"}
  }"
fi

# The app starts runs, and the factory where its triggers are used; the jobs run as the lakehouse's principal.
factory_client_id=$(az ad sp show --id "$DATA_FACTORY_PRINCIPAL_ID" --query appId --output tsv)
for client_id in "$APP_CLIENT_ID" "$LAKEHOUSE_CLIENT_ID" "$factory_client_id"; do
  if ! databricks service-principals list --filter "applicationId eq \"$client_id\"" --output json | grep -q "$client_id"; then
    databricks service-principals create --application-id "$client_id" --active
  fi
done

exists storage-credentials get lake || databricks storage-credentials create --json "{
  \"name\": \"lake\", \"azure_managed_identity\": {\"access_connector_id\": \"$ACCESS_CONNECTOR_ID\"}
}"
exists credentials get-credential hubs || databricks credentials create-credential --json "{
  \"name\": \"hubs\", \"purpose\": \"SERVICE\", \"azure_managed_identity\": {\"access_connector_id\": \"$ACCESS_CONNECTOR_ID\"}
}"
for container in reference capture tables lake; do
  url="abfss://$container@$LAKE_STORAGE_ACCOUNT.$lake/"
  exists external-locations get "$container" || databricks external-locations create "$container" "$url" lake
done
exists catalogs get "$catalog" || databricks catalogs create "$catalog" \
  --storage-root "abfss://tables@$LAKE_STORAGE_ACCOUNT.$lake/"

may() {
  databricks grants update "$1" "$2" --json "{\"changes\": [{\"principal\": \"$LAKEHOUSE_CLIENT_ID\", \"add\": [$3]}]}"
}
may catalog "$catalog" '"USE_CATALOG"'
may external-location reference '"READ_FILES"'
may external-location capture '"READ_FILES"'
may external-location lake '"READ_FILES"'
may credential hubs '"ACCESS"'

cd databricks
databricks bundle deploy --target prod --auto-approve \
  --var "catalog=$catalog" --var "event_hubs_namespace=$EVENT_HUBS__fullyQualifiedNamespace" \
  --var "tenant_id=$AZURE_TENANT_ID" --var "client_id=$LAKEHOUSE_CLIENT_ID" --var "run_as=$LAKEHOUSE_CLIENT_ID" \
  --var "service_credential=hubs" --var "app_principal=$APP_CLIENT_ID" --var "pii_reader=${PII_READER:-$LAKEHOUSE_CLIENT_ID}" \
  --var "storage_account=$LAKE_STORAGE_ACCOUNT" --var "sql_server=$SQL_SERVER" --var "sql_database=$SQL_DATABASE"

# The dashboard needs a SQL warehouse, which is made by nobody here: it is deployed where one is named.
warehouse="${DASHBOARD_WAREHOUSE_ID:-}"
if [ -n "$warehouse" ]; then
  BUNDLE_VAR_catalog=$catalog BUNDLE_VAR_warehouse_id=$warehouse \
    sh -c 'cd dashboards && databricks bundle deploy --target prod --auto-approve'
fi

# The factory asks for the job by its number, which is known only now.
job=$(databricks jobs list --name follow_window --output json | grep -o '"job_id": *[0-9]*' | grep -o '[0-9]*' | head -n 1)
databricks permissions update jobs "$job" --json "{\"access_control_list\": [
  {\"service_principal_name\": \"$factory_client_id\", \"permission_level\": \"CAN_MANAGE_RUN\"}
]}"
parameter="factories/$DATA_FACTORY_NAME/globalParameters/default"
base="https://management.azure.com/subscriptions/$AZURE_SUBSCRIPTION_ID/resourceGroups/$AZURE_RESOURCE_GROUP"
url="$base/providers/Microsoft.DataFactory/$parameter?api-version=2018-06-01"
az rest --method get --url "$url" --query properties --output json |
  python3 -c "import json, sys; found = json.load(sys.stdin); found['tradesJobId'] = {'type': 'String', 'value': '$job'}; print(json.dumps({'properties': found}))" |
  az rest --method put --url "$url" --body @- --output none
