# The Logic App of the alert `ingestion`, of the definition that the tests run. Its address holds a signature: Azure writes it
# into the vault by itself, so that it stands in no state and no log.
locals {
  workflow    = jsondecode(file("${path.module}/../definitions/logic_apps/ingestion_alert/workflow.json"))
  connections = toset(keys(local.workflow.parameters["$connections"].value))

  alert_template = {
    "$schema"      = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
    contentVersion = "1.0.0.0"
    parameters = {
      definition  = { type = "object" } # as a parameter, so that Azure takes none of its texts for an expression of its own
      connections = { type = "object" }
    }
    resources = [
      {
        type       = "Microsoft.Logic/workflows"
        apiVersion = "2019-05-01"
        name       = local.names.alert
        location   = var.location
        tags       = local.tags
        identity   = { type = "SystemAssigned" }
        properties = {
          state      = "Enabled"
          definition = "[parameters('definition')]"
          parameters = {
            "$connections"  = { value = "[parameters('connections')]" }
            recipient       = { value = var.alert_email }
            storage_account = { value = local.names.host_storage }
          }
        }
      },
      {
        type       = "Microsoft.Storage/storageAccounts/tableServices/tables"
        apiVersion = "2023-05-01"
        name       = "${local.names.host_storage}/default/${local.workflow.definition.parameters.alerts_table.defaultValue}"
      },
      {
        type       = "Microsoft.KeyVault/vaults/secrets"
        apiVersion = "2023-07-01"
        name       = "${local.names.vault}/alert-ingestion-url"
        dependsOn  = ["[resourceId('Microsoft.Logic/workflows', '${local.names.alert}')]"]
        properties = {
          value = "[listCallbackUrl(resourceId('Microsoft.Logic/workflows/triggers', '${local.names.alert}', 'manual'), '2019-05-01').value]"
        }
      },
    ]
    outputs = {
      principalId = {
        type  = "string"
        value = "[reference(resourceId('Microsoft.Logic/workflows', '${local.names.alert}'), '2019-05-01', 'full').identity.principalId]"
      }
    }
  }
}

# Mail needs a person's consent: open the connection office365 in the portal once, and authorise it.
resource "azurerm_api_connection" "alert" {
  for_each = local.connections

  name                = each.key
  resource_group_name = azurerm_resource_group.main.name
  managed_api_id      = "/subscriptions/${data.azurerm_client_config.deployer.subscription_id}/providers/Microsoft.Web/locations/${var.location}/managedApis/${each.key}"
  display_name        = each.key
  tags                = local.tags
}

resource "azurerm_resource_group_template_deployment" "alert" {
  name                = "ingestion-alert"
  resource_group_name = azurerm_resource_group.main.name
  deployment_mode     = "Incremental"
  template_content    = jsonencode(local.alert_template)
  parameters_content = jsonencode({
    definition = { value = local.workflow.definition }
    connections = {
      value = {
        for name, each in local.workflow.parameters["$connections"].value : name => merge(each, {
          connectionId = azurerm_api_connection.alert[name].id
          id           = azurerm_api_connection.alert[name].managed_api_id
        })
      }
    }
  })
  tags = local.tags

  depends_on = [azurerm_storage_account.host, azurerm_key_vault.main]
}
