# The Logic App of the alert `ingestion`, of the definition that the tests run. Its address holds a signature: Azure writes it
# into the vault by itself, so that it stands in no state and no log.
locals {
  workflow     = jsondecode(file("${path.module}/../definitions/logic_apps/ingestion_alert/workflow.json"))
  connections  = local.workflow.parameters["$connections"].value
  managed_apis = "/subscriptions/${data.azurerm_client_config.deployer.subscription_id}/providers/Microsoft.Web/locations/${var.location}/managedApis"

  # The table is reached as the Logic App's identity. Mail needs a person's consent: open the connection office365 in the portal
  # once, and authorise it.
  alert_connections = [
    for name, each in local.connections : {
      type       = "Microsoft.Web/connections"
      apiVersion = "2016-06-01"
      name       = name
      location   = var.location
      tags       = local.tags
      properties = merge(
        { displayName = name, api = { id = "${local.managed_apis}/${name}" } },
        can(each.connectionProperties) ? { parameterValueSet = { name = "managedIdentityAuth", values = {} } } : {},
      )
    }
  ]

  alert_template = {
    "$schema"      = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
    contentVersion = "1.0.0.0"
    parameters = {
      definition  = { type = "object" } # as a parameter, so that Azure takes none of its texts for an expression of its own
      connections = { type = "object" }
    }
    resources = concat(local.alert_connections, [
      {
        type       = "Microsoft.Logic/workflows"
        apiVersion = "2019-05-01"
        name       = local.names.alert
        location   = var.location
        tags       = local.tags
        identity   = { type = "SystemAssigned" }
        dependsOn  = [for name, _ in local.connections : "[resourceId('Microsoft.Web/connections', '${name}')]"]
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
    ])
    outputs = {
      principalId = {
        type  = "string"
        value = "[reference(resourceId('Microsoft.Logic/workflows', '${local.names.alert}'), '2019-05-01', 'full').identity.principalId]"
      }
    }
  }
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
        for name, each in local.connections : name => merge(each, {
          connectionId = "${azurerm_resource_group.main.id}/providers/Microsoft.Web/connections/${name}"
          id           = "${local.managed_apis}/${name}"
        })
      }
    }
  })
  tags = local.tags

  depends_on = [azurerm_storage_account.host, azurerm_key_vault.main]
}
