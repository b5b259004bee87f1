# The app's settings, as far as Azure needs other values than docs/settings.md gives by default, or the host reads them too.
locals {
  task_hub = lookup(var.settings, "TASKHUB_NAME", "ReactiveIngestion")
  secret   = "@Microsoft.KeyVault(SecretUri=https://${local.names.vault}.vault.azure.net/secrets/%s)"

  # Where things are: outputs too, so nothing here may be secret.
  places = {
    LAKE__accountName                   = local.names.lake_storage
    EVENT_HUBS__fullyQualifiedNamespace = "${local.names.namespace}.servicebus.windows.net"
    EVENT_GRID__topicEndpoint           = azurerm_eventgrid_topic.windows.endpoint
    DATABRICKS__host                    = "https://${azurerm_databricks_workspace.main.workspace_url}"
    SQL__url                            = "mssql://${local.names.sql}.database.windows.net/${local.names.database}"
    FEEDS                               = join(",", var.feeds)
  }

  app_settings = merge(
    local.places,
    { for hub in local.hubs : "${upper(hub)}_HUB" => hub }, # triggers refer to some of them
    {
      # Read by the host, before the app is: storage for its own work, and telemetry by identity.
      AzureWebJobsStorage__accountName          = local.names.host_storage
      AzureWebJobsStorage__credential           = "managedidentity"
      AzureWebJobsStorage__clientId             = azurerm_user_assigned_identity.app.client_id
      APPLICATIONINSIGHTS_CONNECTION_STRING     = azurerm_application_insights.main.connection_string
      APPLICATIONINSIGHTS_AUTHENTICATION_STRING = "ClientId=${azurerm_user_assigned_identity.app.client_id};Authorization=AAD"

      # Read by the worker: it tells the host that the app sends its own lines, so these come once.
      PYTHON_ENABLE_OPENTELEMETRY = "true"
      TELEMETRY_ROLE              = local.names.app

      # Names that triggers and host.json refer to: without one of them the host starts no function.
      TASKHUB_NAME                               = local.task_hub
      WINDOW_TIMER                               = "0 * * * * *"
      "AzureWebJobs.promote_points.Disabled"     = tostring(!var.promotions)
      "AzureWebJobs.push_promotions.Disabled"    = "true" # until PUSH_URL is given in `settings`
      "AzureWebJobs.alert_of_pageviews.Disabled" = tostring(!var.view_alerts)
      "AzureWebJobs.alert_of_stars.Disabled"     = tostring(!var.view_alerts)

      # Read by the worker, before the app is.
      PYTHON_THREADPOOL_THREAD_COUNT = "32"

      # Who logs in, and the address of the alert.
      EVENT_HUBS__credential = "managedidentity"
      EVENT_HUBS__clientId   = azurerm_user_assigned_identity.app.client_id
      ALERT_INGESTION_URL    = format(local.secret, "alert-ingestion-url")
    },
    var.cosmos ? { COSMOS__accountEndpoint = "https://${local.names.cosmos}.documents.azure.com" } : {},
    local.has_scheduler ? {
      DURABLE_TASK_SCHEDULER_CONNECTION_STRING = "Endpoint=${local.scheduler.endpoint.value};Authentication=ManagedIdentity;ClientID=${azurerm_user_assigned_identity.app.client_id}"
    } : {},
    var.assets_key_is_in_vault ? {
      ASSETS__url = "https://rest.coincap.io/v3"
      ASSETS__key = format(local.secret, "assets-key")
    } : {},
    var.plan == "premium" ? { FUNCTIONS_WORKER_RUNTIME = "python" } : {}, # Flex Consumption has it in its configuration
    var.settings,
  )
}
