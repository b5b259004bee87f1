# Every right that anybody has, one a line, each with its reason. There is no other place that gives one, but for Cosmos DB's
# own roles (cosmos.tf), the database's users (hooks/grants.sql) and Databricks' permissions (databricks/resources).
locals {
  principals = {
    app        = azurerm_user_assigned_identity.app.principal_id
    databricks = var.databricks_object_id
    capture    = azurerm_eventhub_namespace.main.identity[0].principal_id
    connector  = azurerm_databricks_access_connector.main.identity[0].principal_id
    deployer   = data.azurerm_client_config.deployer.object_id
    event_grid = azurerm_eventgrid_topic.windows.identity[0].principal_id
    factory    = azurerm_data_factory.main.identity[0].principal_id
    lakehouse  = var.lakehouse_principal.object_id
    analytics  = one(azurerm_stream_analytics_job.shop[*].identity[0].principal_id)
  }

  scopes = {
    host      = azurerm_storage_account.host.id
    lake      = azurerm_storage_account.lake.id
    capture   = azurerm_storage_container.lake["capture"].resource_manager_id
    files     = azurerm_storage_container.lake["lake"].resource_manager_id
    answers   = try(azurerm_storage_container.lake["stream-analytics"].resource_manager_id, null)
    dead      = azurerm_storage_container.lake["dead-letters"].resource_manager_id
    namespace = azurerm_eventhub_namespace.main.id
    topic     = azurerm_eventgrid_topic.windows.id
    vault     = azurerm_key_vault.main.id
    insights  = azurerm_application_insights.main.id
    scheduler = local.has_scheduler ? local.scheduler.schedulerId.value : null
  }

  # Whether a right is needed where an option is off.
  wanted = {
    always    = true
    analytics = var.stream_analytics
    capture   = var.capture
    listening = var.promotions || var.view_alerts
    premium   = !local.is_flex
    scheduler = local.has_scheduler
  }

  role_table = [
    # who, role, on what, when, why
    ["app", "Storage Blob Data Owner", "host", "always", "The host keeps leases, keys and the app's package there."],
    ["app", "Storage Queue Data Contributor", "host", "always", "Durable Functions' queues, and those of the spill."],
    ["app", "Storage Table Data Contributor", "host", "always", "The ledger, and Durable Functions' history."],
    ["app", "Storage Blob Data Contributor", "lake", "always", "Lookups, marks of ended windows, pools and spill."],
    ["app", "Azure Event Hubs Data Sender", "namespace", "always", "It sends records."],
    ["app", "Azure Event Hubs Data Receiver", "namespace", "listening", "It matches points of the hub gps, and looks at views of the shop's pages."],
    ["app", "EventGrid Data Sender", "topic", "always", "It tells when a window opens and closes."],
    ["app", "Monitoring Metrics Publisher", "insights", "always", "Telemetry is taken from identities alone."],
    ["app", "Key Vault Secrets User", "vault", "premium", "On Premium, references to the vault are resolved as the app's own identity."],
    ["app", "Durable Task Data Contributor", "scheduler", "scheduler", "It starts, works on, asks for and purges orchestrations."],
    ["analytics", "Azure Event Hubs Data Receiver", "namespace", "analytics", "The job of Stream Analytics reads views and stars."],
    ["analytics", "Storage Blob Data Reader", "files", "analytics", "It joins them with the shop's users."],
    ["analytics", "Storage Blob Data Contributor", "answers", "analytics", "It writes what its queries find."],
    ["capture", "Storage Blob Data Contributor", "capture", "capture", "Event Hubs writes what it captures."],
    ["event_grid", "Storage Blob Data Contributor", "dead", "always", "Event Grid writes what it could not deliver."],
    ["lakehouse", "Azure Event Hubs Data Receiver", "namespace", "always", "The jobs read the hubs."],
    ["databricks", "Key Vault Secrets User", "vault", "always", "Databricks itself reads the secrets of the scope."],
    ["connector", "Storage Blob Data Contributor", "lake", "always", "Unity Catalog reaches the lake: tables, lookups, captured files."],
    ["connector", "Azure Event Hubs Data Receiver", "namespace", "always", "The service credential reads hubs without any secret."],
    ["factory", "Storage Blob Data Contributor", "lake", "always", "Its pipelines write lookups and export the shop's orders."],
    ["factory", "Key Vault Secrets User", "vault", "always", "The function key, and the key of the assets' API."],
    ["deployer", "Key Vault Secrets Officer", "vault", "always", "The hooks write the secrets that only they know."],
  ]

  roles = {
    for each in local.role_table : join("/", slice(each, 0, 3)) => {
      principal_id = local.principals[each[0]]
      role         = each[1]
      scope        = local.scopes[each[2]]
      reason       = each[4]
      kind         = each[0] == "deployer" ? null : "ServicePrincipal" # a new identity is not looked up, which may fail for a minute
    } if local.wanted[each[3]]
  }
}

resource "azurerm_role_assignment" "main" {
  for_each = local.roles

  principal_id         = each.value.principal_id
  principal_type       = each.value.kind
  role_definition_name = each.value.role
  scope                = each.value.scope
  description          = each.value.reason
}

# Two rights of identities that are there only once something else is, which in turn waits for the rights above.
resource "azurerm_role_assignment" "vault_references" {
  count = local.is_flex ? 1 : 0

  principal_id         = local.app.own_id
  principal_type       = "ServicePrincipal"
  role_definition_name = "Key Vault Secrets User"
  scope                = azurerm_key_vault.main.id
  description          = "On Flex Consumption, references to the vault are resolved as the system's identity."
}

resource "azurerm_role_assignment" "alerts" {
  principal_id         = jsondecode(azurerm_resource_group_template_deployment.alert.output_content).principalId.value
  principal_type       = "ServicePrincipal"
  role_definition_name = "Storage Table Data Contributor"
  scope                = azurerm_storage_account.host.id
  description          = "The Logic App remembers which alerts it has sent."
}
