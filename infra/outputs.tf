# azd keeps each output in the environment's file under its name. Those named like a setting of the app are its value.
output "AZURE_LOCATION" { value = var.location }
output "AZURE_RESOURCE_GROUP" { value = azurerm_resource_group.main.name }
output "AZURE_TENANT_ID" { value = data.azurerm_client_config.deployer.tenant_id }
output "DURABLE_BACKEND" { value = var.durable_backend }
output "APP_NAME" { value = local.names.app }
output "APP_URL" { value = "https://${local.app.host}" }
output "APP_IDENTITY_NAME" { value = azurerm_user_assigned_identity.app.name }
output "APP_CLIENT_ID" { value = azurerm_user_assigned_identity.app.client_id }
output "KEY_VAULT_NAME" { value = azurerm_key_vault.main.name }
output "KEY_VAULT_ID" { value = azurerm_key_vault.main.id }
output "KEY_VAULT_URL" { value = azurerm_key_vault.main.vault_uri }
output "SQL_SERVER" { value = "${local.names.sql}.database.windows.net" }
output "SQL_DATABASE" { value = azurerm_mssql_database.main.name }
output "LAKE_STORAGE_ACCOUNT" { value = azurerm_storage_account.lake.name }
output "DATA_FACTORY_NAME" { value = azurerm_data_factory.main.name }
output "DATA_FACTORY_PRINCIPAL_ID" { value = azurerm_data_factory.main.identity[0].principal_id }
output "ACCESS_CONNECTOR_ID" { value = azurerm_databricks_access_connector.main.id }

output "FEEDS" { value = local.places["FEEDS"] }
output "LAKE__accountName" { value = local.places["LAKE__accountName"] }
output "EVENT_HUBS__fullyQualifiedNamespace" { value = local.places["EVENT_HUBS__fullyQualifiedNamespace"] }
output "EVENT_GRID__topicEndpoint" { value = local.places["EVENT_GRID__topicEndpoint"] }
output "DATABRICKS__host" { value = local.places["DATABRICKS__host"] }
output "SQL__url" { value = local.places["SQL__url"] }
