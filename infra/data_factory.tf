# The factory, and its definitions as its studio writes them. Triggers come stopped: the app opens and enriches windows itself.
locals {
  definitions = "${path.module}/../definitions/data_factory"
  factory     = jsondecode(file(one([for each in fileset(local.definitions, "factory/*.json") : "${local.definitions}/${each}"])))

  # Of what the file names by a placeholder, what this deployment has.
  real_parameters = {
    functionAppUrl       = "https://${local.names.app}.azurewebsites.net"
    lakeUrl              = "https://${local.names.lake_storage}.dfs.core.windows.net"
    databricksUrl        = "https://${azurerm_databricks_workspace.main.workspace_url}"
    databricksResourceId = azurerm_databricks_workspace.main.id
    sqlServer            = "${local.names.sql}.database.windows.net"
    sqlDatabase          = local.names.database
  }
  global_parameters = {
    for name, each in local.factory.properties.globalParameters : name => lookup(local.real_parameters, name, each.value)
  }

  # The folders of the definitions as kinds of resources, and which kinds each of them may refer to.
  factory_kinds = {
    linkedService = { type = "linkedservices", after = [] }
    dataset       = { type = "datasets", after = ["linkedService"] }
    dataflow      = { type = "dataflows", after = ["dataset"] }
    pipeline      = { type = "pipelines", after = ["dataflow", "dataset", "linkedService"] }
    trigger       = { type = "triggers", after = ["pipeline"] }
  }
  factory_files = {
    for kind, _ in local.factory_kinds : kind => [for each in fileset(local.definitions, "${kind}/*.json") : jsondecode(file("${local.definitions}/${each}"))]
  }
  factory_resources = flatten([
    for kind, known in local.factory_kinds : [
      for each in local.factory_files[kind] : {
        type       = "Microsoft.DataFactory/factories/${known.type}"
        apiVersion = "2018-06-01"
        name       = "${local.names.factory}/${each.name}"
        properties = { for key, value in each.properties : key => value if key != "runtimeState" }
        dependsOn = concat(
          kind == "linkedService" && each.name != "KeyVault" ? ["[resourceId('Microsoft.DataFactory/factories/linkedservices', '${local.names.factory}', 'KeyVault')]"] : [],
          flatten([
            for other in known.after : [
              for one in local.factory_files[other] : "[resourceId('Microsoft.DataFactory/factories/${local.factory_kinds[other].type}', '${local.names.factory}', '${one.name}')]"
            ]
          ]),
        )
      }
    ]
  ])

  # In a template a text that begins with [ is an expression of Azure's; doubled, it is the text. dependsOn is meant as one.
  factory_written = [for each in local.factory_resources : merge(each, {
    properties = jsondecode(replace(jsonencode(each.properties), "/([:,\\[]\"\\[)/", "$1["))
  })]

  # What the files name in the place of what a deployment has.
  factory_template = replace(
    replace(
      jsonencode({
        "$schema"      = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
        contentVersion = "1.0.0.0"
        resources      = local.factory_written
      }),
      "https://key-vault-name.vault.azure.net/", azurerm_key_vault.main.vault_uri,
    ),
    "//subscriptions/0{8}-[^\"]*/Microsoft.EventGrid/topics/topic-name/", azurerm_eventgrid_topic.windows.id,
  )
}

resource "azurerm_data_factory" "main" {
  name                            = local.names.factory
  resource_group_name             = azurerm_resource_group.main.name
  location                        = azurerm_resource_group.main.location
  public_network_enabled          = !var.private
  managed_virtual_network_enabled = var.private
  tags                            = local.tags

  identity {
    type = "SystemAssigned"
  }

  dynamic "global_parameter" {
    for_each = local.global_parameters

    content {
      name  = global_parameter.key
      type  = "String"
      value = global_parameter.value
    }
  }

  lifecycle {
    ignore_changes = [global_parameter] # hooks/lakehouse.sh puts the number of the job that the bundle makes there
  }
}

resource "azurerm_resource_group_template_deployment" "factory" {
  name                = "data-factory-definitions"
  resource_group_name = azurerm_resource_group.main.name
  deployment_mode     = "Incremental"
  template_content    = local.factory_template
  tags                = local.tags

  depends_on = [azurerm_data_factory.main, azurerm_role_assignment.main]
}

# The second stage: the app's own key for the factory's activities, from the app into the vault.
resource "azurerm_resource_group_template_deployment" "function_key" {
  count = var.code_is_published ? 1 : 0

  name                = "function-key"
  resource_group_name = azurerm_resource_group.main.name
  deployment_mode     = "Incremental"
  tags                = local.tags
  template_content = jsonencode({
    "$schema"      = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
    contentVersion = "1.0.0.0"
    resources = [{
      type       = "Microsoft.KeyVault/vaults/secrets"
      apiVersion = "2023-07-01"
      name       = "${local.names.vault}/data-factory-function-key"
      properties = {
        value = "[listKeys('${local.app.id}/host/default', '2023-12-01').functionKeys.default]"
      }
    }]
  })

  depends_on = [azurerm_key_vault.main]
}
