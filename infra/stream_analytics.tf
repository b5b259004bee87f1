# An option: the job of definitions/stream_analytics over the shop's pages, with its queries, inputs and policies. It comes stopped.
# What differs from the file: its outputs are JSON lines in the lake and no tables, for which Stream Analytics wants a key.
locals {
  analytics_folder = "${path.module}/../definitions/stream_analytics"
  analytics_file   = jsondecode(file("${local.analytics_folder}/job.json"))
  analytics        = local.analytics_file.resources[0].properties
  analytics_group  = local.analytics_file.parameters.consumerGroup.defaultValue

  analytics_inputs = {
    for each in local.analytics.inputs : each.name => merge(each.properties.datasource.properties, { kind = each.properties.type })
  }
  analytics_hubs    = { for name, each in local.analytics_inputs : name => each.eventHubName if each.kind == "Stream" }
  analytics_lookups = { for name, each in local.analytics_inputs : name => each.pathPattern if each.kind == "Reference" }
  analytics_outputs = toset([for each in local.analytics.outputs : each.name])

  analytics_groups = var.stream_analytics ? {
    for hub in local.analytics_hubs : "${hub}/${local.analytics_group}" => { hub = hub, name = local.analytics_group }
  } : {}
}

resource "azurerm_stream_analytics_job" "shop" {
  count = var.stream_analytics ? 1 : 0

  name                                     = local.names.analytics
  resource_group_name                      = azurerm_resource_group.main.name
  location                                 = azurerm_resource_group.main.location
  compatibility_level                      = local.analytics.compatibilityLevel
  content_storage_policy                   = local.analytics.contentStoragePolicy
  data_locale                              = local.analytics.dataLocale
  events_late_arrival_max_delay_in_seconds = local.analytics.eventsLateArrivalMaxDelayInSeconds
  events_out_of_order_max_delay_in_seconds = local.analytics.eventsOutOfOrderMaxDelayInSeconds
  events_out_of_order_policy               = local.analytics.eventsOutOfOrderPolicy
  output_error_policy                      = local.analytics.outputErrorPolicy
  sku_name                                 = local.analytics.sku.name
  streaming_units                          = local.analytics.transformation.properties.streamingUnits
  transformation_query                     = file("${local.analytics_folder}/shop_analytics.asaql")
  tags                                     = local.tags

  identity {
    type = "SystemAssigned"
  }
}

resource "azurerm_stream_analytics_stream_input_eventhub_v2" "shop" {
  for_each = var.stream_analytics ? local.analytics_hubs : {}

  name                         = each.key
  stream_analytics_job_id      = azurerm_stream_analytics_job.shop[0].id
  servicebus_namespace         = azurerm_eventhub_namespace.main.name
  eventhub_name                = azurerm_eventhub.stream[each.value].name
  eventhub_consumer_group_name = azurerm_eventhub_consumer_group.reader["${each.value}/${local.analytics_group}"].name
  authentication_mode          = "Msi"

  serialization {
    type     = "Json"
    encoding = "UTF8"
  }
}

resource "azurerm_stream_analytics_reference_input_blob" "shop" {
  for_each = var.stream_analytics ? local.analytics_lookups : {}

  name                      = each.key
  resource_group_name       = azurerm_resource_group.main.name
  stream_analytics_job_name = azurerm_stream_analytics_job.shop[0].name
  storage_account_name      = azurerm_storage_account.lake.name
  storage_container_name    = azurerm_storage_container.lake["lake"].name
  path_pattern              = each.value
  date_format               = "yyyy-MM-dd"
  time_format               = "HH"
  authentication_mode       = "Msi"

  serialization {
    type     = "Json"
    encoding = "UTF8"
  }
}

resource "azurerm_stream_analytics_output_blob" "shop" {
  for_each = var.stream_analytics ? local.analytics_outputs : []

  name                      = each.key
  resource_group_name       = azurerm_resource_group.main.name
  stream_analytics_job_name = azurerm_stream_analytics_job.shop[0].name
  storage_account_name      = azurerm_storage_account.lake.name
  storage_container_name    = azurerm_storage_container.lake["stream-analytics"].name
  path_pattern              = "${each.key}/{date}/{time}"
  date_format               = "yyyy-MM-dd"
  time_format               = "HH"
  authentication_mode       = "Msi"

  serialization {
    type     = "Json"
    encoding = "UTF8"
    format   = "LineSeparated"
  }
}
