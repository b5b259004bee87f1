locals {
  # A hub a stream: each contract of records, but those whose records become rows of the database.
  streams_in_sql = ["items", "orders"]
  contracts      = fileset("${path.module}/../contracts", "*.v*.schema.json")
  hubs           = setsubtract([for each in local.contracts : split(".", each)[0]], local.streams_in_sql)

  # Who reads which hub; readers beside each other need groups of their own.
  consumer_groups = merge(
    { for hub in local.hubs : "${hub}/lakehouse" => { hub = hub, name = "lakehouse" } },
    {
      "gps/promotions"   = { hub = "gps", name = "promotions" }
      "promotions/push"  = { hub = "promotions", name = "push" }
      "pageviews/alerts" = { hub = "pageviews", name = "alerts" }
      "stars/alerts"     = { hub = "stars", name = "alerts" }
    },
    local.analytics_groups,
  )
}

resource "azurerm_eventhub_namespace" "main" {
  name                          = local.names.namespace
  resource_group_name           = azurerm_resource_group.main.name
  location                      = azurerm_resource_group.main.location
  sku                           = "Standard"
  capacity                      = var.throughput_units
  auto_inflate_enabled          = var.most_throughput_units > 0
  maximum_throughput_units      = var.most_throughput_units > 0 ? var.most_throughput_units : null
  local_authentication_enabled  = false
  minimum_tls_version           = "1.2"
  public_network_access_enabled = !var.private
  tags                          = local.tags

  identity {
    type = "SystemAssigned" # Capture writes to the lake with it
  }
}

resource "azurerm_eventhub" "stream" {
  for_each = local.hubs

  name            = each.key
  namespace_id    = azurerm_eventhub_namespace.main.id
  partition_count = var.partitions

  retention_description {
    cleanup_policy          = "Delete"
    retention_time_in_hours = 168 # as long as Standard keeps: a lakehouse that stands still loses nothing for a week
  }

  dynamic "capture_description" {
    for_each = var.capture ? [true] : []

    content {
      enabled             = true
      encoding            = "Avro"
      interval_in_seconds = 60
      skip_empty_archives = true

      destination {
        name                        = "EventHubArchive.AzureBlockBlob"
        archive_name_format         = "{Namespace}/{EventHub}/{PartitionId}/{Year}/{Month}/{Day}/{Hour}/{Minute}/{Second}"
        blob_container_name         = azurerm_storage_container.lake["capture"].name
        storage_account_id          = azurerm_storage_account.lake.id
        storage_authentication_type = "SystemAssigned"
      }
    }
  }

  depends_on = [azurerm_role_assignment.main] # Capture is refused where the namespace may not write
}

resource "azurerm_eventhub_consumer_group" "reader" {
  for_each = local.consumer_groups

  name                = each.value.name
  eventhub_name       = azurerm_eventhub.stream[each.value.hub].name
  namespace_name      = azurerm_eventhub_namespace.main.name
  resource_group_name = azurerm_resource_group.main.name
}
