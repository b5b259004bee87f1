# An option: the stream transactions beside its hub. TRANSACTIONS_COSMOS in `settings` turns it on.
resource "azurerm_cosmosdb_account" "main" {
  count = var.cosmos ? 1 : 0

  name                               = local.names.cosmos
  resource_group_name                = azurerm_resource_group.main.name
  location                           = azurerm_resource_group.main.location
  offer_type                         = "Standard"
  kind                               = "GlobalDocumentDB"
  minimal_tls_version                = "Tls12"
  local_authentication_disabled      = true
  access_key_metadata_writes_enabled = false
  public_network_access_enabled      = !var.private
  tags                               = local.tags

  consistency_policy {
    consistency_level = "Session"
  }

  geo_location {
    location          = azurerm_resource_group.main.location
    failover_priority = 0
  }
}

resource "azurerm_cosmosdb_sql_database" "payments" {
  count = var.cosmos ? 1 : 0

  name                = "payments"
  resource_group_name = azurerm_resource_group.main.name
  account_name        = azurerm_cosmosdb_account.main[0].name
}

resource "azurerm_cosmosdb_sql_container" "transactions" {
  count = var.cosmos ? 1 : 0

  name                = "transactions"
  resource_group_name = azurerm_resource_group.main.name
  account_name        = azurerm_cosmosdb_account.main[0].name
  database_name       = azurerm_cosmosdb_sql_database.payments[0].name
  partition_key_paths = ["/ipCountryCode"]
  default_ttl         = -1 # each item says for how long

  autoscale_settings {
    max_throughput = 4000
  }
}

locals {
  # Cosmos DB keeps roles of its own beside Azure's.
  cosmos_roles = {
    app       = { principal = azurerm_user_assigned_identity.app.principal_id, role = "00000000-0000-0000-0000-000000000002" } # Data Contributor: it writes items
    lakehouse = { principal = var.lakehouse_principal.object_id, role = "00000000-0000-0000-0000-000000000001" }               # Data Reader: it follows the change feed
  }
}

resource "azurerm_cosmosdb_sql_role_assignment" "main" {
  for_each = var.cosmos ? local.cosmos_roles : {}

  resource_group_name = azurerm_resource_group.main.name
  account_name        = azurerm_cosmosdb_account.main[0].name
  scope               = azurerm_cosmosdb_account.main[0].id
  principal_id        = each.value.principal
  role_definition_id  = "${azurerm_cosmosdb_account.main[0].id}/sqlRoleDefinitions/${each.value.role}"
}
