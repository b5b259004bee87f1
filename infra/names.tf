locals {
  # Names that the whole of Azure shares end in a mark of the subscription, region and environment.
  mark    = substr(sha1(join("/", [data.azurerm_client_config.deployer.subscription_id, var.location, var.environment_name])), 0, 8)
  name    = "ingest-${var.environment_name}"
  unique  = "${local.name}-${local.mark}"
  compact = substr(replace(var.environment_name, "-", ""), 0, 10)

  names = {
    host_storage = "host${local.compact}${local.mark}"
    lake_storage = "lake${local.compact}${local.mark}"
    vault        = "v${local.compact}${local.mark}"
    namespace    = "eh-${local.unique}"
    topic        = "egt-${local.unique}"
    app          = "func-${local.unique}"
    sql          = "sql-${local.unique}"
    database     = "enrichment"
    factory      = "adf-${local.unique}"
    cosmos       = "cosmos-${local.unique}"
    scheduler    = "dts-${local.unique}"
    analytics    = "asa-${local.unique}"
    alert        = "logic-${local.name}-ingestion-alert"
  }

  tags = merge(var.tags, { azd-env-name = var.environment_name })
}

resource "azurerm_resource_group" "main" {
  name     = "rg-${local.name}"
  location = var.location
  tags     = local.tags
}

# Who the app is to every service. Its client id is known before the app is, which Databricks needs.
resource "azurerm_user_assigned_identity" "app" {
  name                = "id-${local.name}-app"
  resource_group_name = azurerm_resource_group.main.name
  location            = azurerm_resource_group.main.location
  tags                = local.tags
}
