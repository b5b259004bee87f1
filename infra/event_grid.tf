resource "azurerm_eventgrid_topic" "windows" {
  name                          = local.names.topic
  resource_group_name           = azurerm_resource_group.main.name
  location                      = azurerm_resource_group.main.location
  input_schema                  = "EventGridSchema"
  local_auth_enabled            = false
  public_network_access_enabled = !var.private
  tags                          = local.tags

  identity {
    type = "SystemAssigned" # dead letters are written with it
  }
}

# The second stage: Azure looks the function up when the subscription is made, so the code must be there.
resource "azurerm_eventgrid_event_subscription" "enrichment" {
  count = var.code_is_published ? 1 : 0

  name                  = "start-enrichment"
  scope                 = azurerm_eventgrid_topic.windows.id
  event_delivery_schema = "EventGridSchema"
  included_event_types  = ["ADF_Event"]

  azure_function_endpoint {
    function_id          = "${local.app.id}/functions/start_enrichment"
    max_events_per_batch = 1
  }

  subject_filter {
    subject_begins_with = "ADF_Trigger_"
  }

  retry_policy {
    event_time_to_live    = 1440
    max_delivery_attempts = 30
  }

  dead_letter_identity {
    type = "SystemAssigned"
  }

  storage_blob_dead_letter_destination {
    storage_account_id          = azurerm_storage_account.lake.id
    storage_blob_container_name = azurerm_storage_container.lake["dead-letters"].name
  }

  depends_on = [azurerm_role_assignment.main]
}
