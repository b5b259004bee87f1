locals {
  is_flex = var.plan == "flex"
  app = local.is_flex ? {
    id     = azurerm_function_app_flex_consumption.main[0].id
    host   = azurerm_function_app_flex_consumption.main[0].default_hostname
    own_id = azurerm_function_app_flex_consumption.main[0].identity[0].principal_id
    } : {
    id     = azurerm_linux_function_app.main[0].id
    host   = azurerm_linux_function_app.main[0].default_hostname
    own_id = azurerm_linux_function_app.main[0].identity[0].principal_id
  }

  # In a private network only Azure's own callers are let in: events, the factory's activities.
  callers = var.private ? { AzureEventGrid = 100, DataFactory = 110 } : {}

  app_tags = merge(local.tags, { azd-service-name = "app" })
}

resource "azurerm_service_plan" "main" {
  name                         = "plan-${local.name}"
  resource_group_name          = azurerm_resource_group.main.name
  location                     = azurerm_resource_group.main.location
  os_type                      = "Linux"
  sku_name                     = local.is_flex ? "FC1" : "EP1"
  maximum_elastic_worker_count = local.is_flex ? null : min(var.most_instances, 20)
  tags                         = local.tags
}

resource "azurerm_function_app_flex_consumption" "main" {
  count = local.is_flex ? 1 : 0

  name                = local.names.app
  resource_group_name = azurerm_resource_group.main.name
  location            = azurerm_resource_group.main.location
  service_plan_id     = azurerm_service_plan.main.id
  tags                = local.app_tags

  runtime_name           = "python"
  runtime_version        = "3.13"
  instance_memory_in_mb  = var.instance_memory
  maximum_instance_count = var.most_instances

  # Timers fire and orchestrations go on without waiting for an instance to start.
  always_ready {
    name           = "durable"
    instance_count = 1
  }

  storage_container_type            = "blobContainer"
  storage_container_endpoint        = "https://${local.names.host_storage}.blob.core.windows.net/${azurerm_storage_container.package.name}"
  storage_authentication_type       = "UserAssignedIdentity"
  storage_user_assigned_identity_id = azurerm_user_assigned_identity.app.id

  https_only                                     = true
  webdeploy_publish_basic_authentication_enabled = false
  virtual_network_subnet_id                      = one(azurerm_subnet.app[*].id)

  # References to Key Vault are resolved as the system's identity on this plan; all else is done as the app's own.
  identity {
    type         = "SystemAssigned, UserAssigned"
    identity_ids = [azurerm_user_assigned_identity.app.id]
  }

  app_settings = local.app_settings

  site_config {
    minimum_tls_version           = "1.2"
    http2_enabled                 = true
    vnet_route_all_enabled        = var.private
    ip_restriction_default_action = var.private ? "Deny" : "Allow"

    dynamic "ip_restriction" {
      for_each = local.callers

      content {
        name        = ip_restriction.key
        service_tag = ip_restriction.key
        priority    = ip_restriction.value
        action      = "Allow"
      }
    }
  }

  depends_on = [azurerm_role_assignment.main] # the host can't start where storage refuses it
}

resource "azurerm_linux_function_app" "main" {
  count = local.is_flex ? 0 : 1

  name                            = local.names.app
  resource_group_name             = azurerm_resource_group.main.name
  location                        = azurerm_resource_group.main.location
  service_plan_id                 = azurerm_service_plan.main.id
  functions_extension_version     = "~4"
  storage_account_name            = azurerm_storage_account.host.name
  storage_uses_managed_identity   = true
  content_share_force_disabled    = true # a content share needs the account's key
  builtin_logging_enabled         = false
  key_vault_reference_identity_id = azurerm_user_assigned_identity.app.id
  virtual_network_subnet_id       = one(azurerm_subnet.app[*].id)
  tags                            = local.app_tags

  https_only                                     = true
  ftp_publish_basic_authentication_enabled       = false
  webdeploy_publish_basic_authentication_enabled = false

  identity {
    type         = "SystemAssigned, UserAssigned"
    identity_ids = [azurerm_user_assigned_identity.app.id]
  }

  app_settings = local.app_settings

  site_config {
    minimum_tls_version           = "1.2"
    ftps_state                    = "Disabled"
    http2_enabled                 = true
    elastic_instance_minimum      = 1
    vnet_route_all_enabled        = var.private
    ip_restriction_default_action = var.private ? "Deny" : "Allow"

    application_stack {
      python_version = "3.13"
    }

    dynamic "ip_restriction" {
      for_each = local.callers

      content {
        name        = ip_restriction.key
        service_tag = ip_restriction.key
        priority    = ip_restriction.value
        action      = "Allow"
      }
    }
  }

  depends_on = [azurerm_role_assignment.main]
}
