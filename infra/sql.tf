resource "azurerm_mssql_server" "main" {
  name                          = local.names.sql
  resource_group_name           = azurerm_resource_group.main.name
  location                      = azurerm_resource_group.main.location
  version                       = "12.0"
  minimum_tls_version           = "1.2"
  public_network_access_enabled = !var.private
  tags                          = local.tags

  azuread_administrator {
    login_username              = var.sql_administrator == null ? "deployer" : var.sql_administrator.name
    object_id                   = var.sql_administrator == null ? data.azurerm_client_config.deployer.object_id : var.sql_administrator.object_id
    azuread_authentication_only = true
  }
}

resource "azurerm_mssql_database" "main" {
  name                        = local.names.database
  server_id                   = azurerm_mssql_server.main.id
  sku_name                    = "GP_S_Gen5_${var.sql_most_vcores}"
  min_capacity                = 0.5
  auto_pause_delay_in_minutes = var.sql_pause_after
  max_size_gb                 = 32
  storage_account_type        = "Local"
  tags                        = local.tags

  lifecycle {
    prevent_destroy = true
  }
}

# The app's addresses are Azure's, and change: the network lets Azure in, and Entra lets in whom grants.sql names.
resource "azurerm_mssql_firewall_rule" "azure" {
  count = var.private ? 0 : 1

  name             = "AllowAllWindowsAzureIps"
  server_id        = azurerm_mssql_server.main.id
  start_ip_address = "0.0.0.0"
  end_ip_address   = "0.0.0.0"
}
