# Two accounts: the host's tables and queues want none of the hierarchical namespace that the lake needs.
resource "azurerm_storage_account" "host" {
  name                            = local.names.host_storage
  resource_group_name             = azurerm_resource_group.main.name
  location                        = azurerm_resource_group.main.location
  account_tier                    = "Standard"
  account_replication_type        = var.replication
  min_tls_version                 = "TLS1_2"
  shared_access_key_enabled       = false
  default_to_oauth_authentication = true
  allow_nested_items_to_be_public = false
  local_user_enabled              = false
  tags                            = local.tags

  network_rules {
    default_action = var.private ? "Deny" : "Allow"
    bypass         = ["AzureServices"]
  }
}

resource "azurerm_storage_account" "lake" {
  name                            = local.names.lake_storage
  resource_group_name             = azurerm_resource_group.main.name
  location                        = azurerm_resource_group.main.location
  account_tier                    = "Standard"
  account_replication_type        = var.replication
  is_hns_enabled                  = true
  min_tls_version                 = "TLS1_2"
  shared_access_key_enabled       = false
  default_to_oauth_authentication = true
  allow_nested_items_to_be_public = false
  local_user_enabled              = false
  tags                            = local.tags

  network_rules {
    default_action = var.private ? "Deny" : "Allow"
    bypass         = ["AzureServices"] # Capture and Event Grid's dead letters come from outside of any network
  }

  blob_properties {
    delete_retention_policy {
      days = 7
    }
    container_delete_retention_policy {
      days = 7
    }
  }
}

locals {
  # What each container of the lake is for.
  lake_containers = merge(var.stream_analytics ? { stream-analytics = "what the queries of Stream Analytics find" } : {}, {
    reference       = "lookups, marks of ended windows, pools, recordings"
    capture         = "what Event Hubs captures, as Avro"
    spill           = "what a hub did not take, until it is sent"
    lake            = "streams whose destination is files"
    checkpoints     = "the progress of streaming queries"
    tables          = "the tables of the catalog"
    promotions-dead = "promotions that no phone can get"
    dead-letters    = "events that Event Grid could not deliver"
  })
}

resource "azurerm_storage_container" "lake" {
  for_each = local.lake_containers

  name               = each.key
  storage_account_id = azurerm_storage_account.lake.id
}

resource "azurerm_storage_container" "package" {
  name               = "app-package"
  storage_account_id = azurerm_storage_account.host.id
}
