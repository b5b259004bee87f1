# What the portal shows of the app: queries over what it tells of itself, and the metrics of the services that it runs on.
locals {
  # A tile each query of observability/queries: how it is shown, how wide in per cent, and its title.
  tiles = [
    ["Windows", [
      ["windows", "table", 100, "Windows, the newest first"],
      ["windows_ended", "barchart", 50, "Windows ended, by state"],
      ["windows_open", "table", 50, "Windows that have not ended"],
      ["waiting", "timechart", 50, "Minutes that the oldest window is late at each stage"],
      ["warnings", "table", 50, "What the app warned of"],
    ]],
    ["Records", [
      ["counts_by_stage", "table", 100, "Records by what became of them"],
      ["counts_by_window", "table", 100, "Records of each window"],
      ["losses", "timechart", 50, "Records lost, refused or unknown"],
      ["gaps", "barchart", 50, "Seconds without a connection to a venue"],
      ["spill", "timechart", 50, "The spill: records, and minutes that the oldest waits"],
      ["sending", "table", 50, "Seconds that a send takes"],
    ]],
    ["Runs, measurements, mails", [
      ["runs", "table", 50, "Runs on Databricks, in minutes"],
      ["runs_told", "table", 50, "The newest runs"],
      ["verdicts", "table", 50, "How volumes were judged"],
      ["alerts", "table", 50, "Mails of the app"],
      ["alerts_pending", "timechart", 50, "Mails that wait"],
    ]],
    ["What drives the bill", [
      ["events_billed", "table", 100, "Events that Event Hubs bills, and throughput units that the busiest minute needed"],
    ]],
  ]

  # A chart each: of which service, its metrics as Azure Monitor names them, how they are summed up, and its title.
  services = {
    app     = { type = "microsoft.web/sites", id = local.app.id }
    hubs    = { type = "microsoft.eventhub/namespaces", id = azurerm_eventhub_namespace.main.id }
    host    = { type = "microsoft.storage/storageaccounts", id = azurerm_storage_account.host.id }
    lake    = { type = "microsoft.storage/storageaccounts", id = azurerm_storage_account.lake.id }
    factory = { type = "microsoft.datafactory/factories", id = azurerm_data_factory.main.id }
    topic   = { type = "microsoft.eventgrid/topics", id = azurerm_eventgrid_topic.windows.id }
  }
  aggregations = { total = 1, average = 4 }
  executions   = local.is_flex ? ["OnDemandFunctionExecutionCount", "AlwaysReadyFunctionExecutionCount"] : ["FunctionExecutionCount"]
  charts = [
    ["hubs", ["IncomingRequests", "ThrottledRequests"], "total", "Event Hubs: requests"],
    ["hubs", ["IncomingMessages", "OutgoingMessages"], "total", "Event Hubs: events"],
    ["hubs", ["IncomingBytes", "OutgoingBytes"], "total", "Event Hubs: bytes; a throughput unit takes 1 MB a second in, 2 MB out"],
    ["app", local.executions, "total", "Function app: executions"],
    ["app", ["MemoryWorkingSet"], "average", "Function app: memory"],
    ["host", ["Transactions"], "total", "Storage of the host: transactions"],
    ["lake", ["Transactions"], "total", "Lake: transactions"],
    ["factory", ["ActivitySucceededRuns", "ActivityFailedRuns"], "total", "Data Factory: activity runs, which are what it bills"],
    ["topic", ["PublishSuccessCount", "DeadLetteredCount"], "total", "Event Grid: events published, dead letters"],
  ]

  workbook_head = [
    {
      type = 9
      name = "time"
      content = {
        version      = "KqlParameterItem/1.0"
        style        = "pills"
        queryType    = 0
        resourceType = "microsoft.operationalinsights/workspaces"
        parameters   = [local.time_parameter, local.clusters_parameter]
      }
    },
  ]
  time_parameter = {
    id           = uuidv5("url", "${local.name}/time")
    version      = "KqlParameterItem/1.0"
    name         = "Time"
    label        = "Time"
    type         = 4
    isRequired   = true
    value        = { durationMs = 86400000 }
    typeSettings = { selectableValues = [for hours in [1, 4, 12, 24, 72, 168, 720] : { durationMs = hours * 3600000 }] }
  }

  # Databricks has no metrics of its own in Azure Monitor. What there is: those of the machines of clusters that run just now,
  # as their hosts measure them.
  clusters_parameter = {
    id                       = uuidv5("url", "${local.name}/clusters")
    version                  = "KqlParameterItem/1.0"
    name                     = "Machines"
    label                    = "Machines of clusters that run now"
    type                     = 5
    multiSelect              = true
    quote                    = ""
    delimiter                = ","
    queryType                = 1
    resourceType             = "microsoft.resourcegraph/resources"
    crossComponentResources  = ["value::all"]
    query                    = "resources | where type =~ 'microsoft.compute/virtualmachines' and resourceGroup =~ '${azurerm_databricks_workspace.main.managed_resource_group_name}' | project id"
    value                    = ["value::all"]
    typeSettings             = { additionalResourceOptions = ["value::all"], selectAllValue = "" }
    timeContextFromParameter = "Time"
  }

  workbook_queries = flatten([
    for section in local.tiles : concat(
      [{ type = 1, name = section[0], content = { json = "## ${section[0]}" } }],
      [
        for tile in section[1] : {
          type        = 3
          name        = tile[0]
          customWidth = tostring(tile[2])
          content = {
            version                  = "KqlItem/1.0"
            query                    = file("${path.module}/observability/queries/${tile[0]}.kql")
            size                     = 0
            title                    = tile[3]
            timeContextFromParameter = "Time"
            queryType                = 0
            resourceType             = "microsoft.operationalinsights/workspaces"
            crossComponentResources  = [azurerm_log_analytics_workspace.main.id]
            visualization            = tile[1]
          }
        }
      ],
    )
  ])
  workbook_charts = [
    for chart in local.charts : {
      type        = 10
      name        = chart[3]
      customWidth = "50"
      content = {
        chartId                  = "workbook${uuidv5("url", "${local.name}/${chart[3]}")}"
        version                  = "MetricsItem/2.0"
        size                     = 0
        chartType                = 2
        title                    = chart[3]
        resourceType             = local.services[chart[0]].type
        metricScope              = 0
        resourceIds              = [local.services[chart[0]].id]
        timeContextFromParameter = "Time"
        metrics = [
          for metric in chart[1] : {
            namespace   = local.services[chart[0]].type
            metric      = "${local.services[chart[0]].type}--${metric}"
            aggregation = local.aggregations[chart[2]]
          }
        ]
      }
    }
  ]
  workbook_clusters = [
    for metric in ["Percentage CPU", "Available Memory Bytes"] : {
      type        = 10
      name        = "Clusters: ${metric}"
      customWidth = "50"
      content = {
        chartId                  = "workbook${uuidv5("url", "${local.name}/${metric}")}"
        version                  = "MetricsItem/2.0"
        size                     = 0
        chartType                = 2
        title                    = "Machines of clusters: ${metric}"
        resourceType             = "microsoft.compute/virtualmachines"
        metricScope              = 0
        resourceParameter        = "Machines"
        resourceIds              = ["{Machines}"]
        timeContextFromParameter = "Time"
        metrics = [
          {
            namespace   = "microsoft.compute/virtualmachines"
            metric      = "microsoft.compute/virtualmachines--${metric}"
            aggregation = local.aggregations.average
          }
        ]
      }
    }
  ]
}

resource "azurerm_application_insights_workbook" "main" {
  name                = uuidv5("url", "${azurerm_resource_group.main.name}/ingestion")
  resource_group_name = azurerm_resource_group.main.name
  location            = azurerm_resource_group.main.location
  display_name        = "Ingestion (${var.environment_name})"
  source_id           = lower(azurerm_log_analytics_workspace.main.id)
  tags                = local.tags
  data_json = jsonencode({
    version             = "Notebook/1.0"
    items               = concat(local.workbook_head, local.workbook_queries, local.workbook_charts, local.workbook_clusters)
    fallbackResourceIds = [azurerm_log_analytics_workspace.main.id]
    "$schema"           = "https://github.com/Microsoft/Application-Insights-Workbooks/blob/master/schema/workbook.json"
  })
}
