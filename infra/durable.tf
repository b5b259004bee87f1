# An option: orchestrations in the Durable Task Scheduler. azurerm has no resource of it. The app's host.json must be of the same
# backend, which hooks/package.sh sees to.
locals {
  has_scheduler = var.durable_backend == "scheduler"
  scheduler     = local.has_scheduler ? jsondecode(azurerm_resource_group_template_deployment.scheduler[0].output_content) : null

  scheduler_template = {
    "$schema"      = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
    contentVersion = "1.0.0.0"
    resources = [
      {
        type       = "Microsoft.DurableTask/schedulers"
        apiVersion = "2026-02-01"
        name       = local.names.scheduler
        location   = var.location
        tags       = local.tags
        properties = {
          sku         = { name = "Consumption" }
          ipAllowlist = ["0.0.0.0/0"] # an empty list lets nobody in; whoever comes needs a role
        }
      },
      {
        type       = "Microsoft.DurableTask/schedulers/taskHubs"
        apiVersion = "2026-02-01"
        name       = "${local.names.scheduler}/${local.task_hub}"
        dependsOn  = ["[resourceId('Microsoft.DurableTask/schedulers', '${local.names.scheduler}')]"]
        properties = {}
      },
    ]
    outputs = {
      schedulerId = {
        type  = "string"
        value = "[resourceId('Microsoft.DurableTask/schedulers', '${local.names.scheduler}')]"
      }
      endpoint = {
        type  = "string"
        value = "[reference(resourceId('Microsoft.DurableTask/schedulers', '${local.names.scheduler}'), '2026-02-01').endpoint]"
      }
    }
  }
}

resource "azurerm_resource_group_template_deployment" "scheduler" {
  count = local.has_scheduler ? 1 : 0

  name                = "durable-task-scheduler"
  resource_group_name = azurerm_resource_group.main.name
  deployment_mode     = "Incremental"
  template_content    = jsonencode(local.scheduler_template)
  tags                = local.tags
}
