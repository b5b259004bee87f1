# What calls a person from outside of the app, also when the app itself can tell nobody any more.
locals {
  # A rule each query of observability/rules: it fires where the query gives a row. How bad it is (1 error, 2 warning), over how
  # many minutes it looks, whether it is a state, which ends by itself, or an event, what is wrong, and what to do: a heading of
  # docs/runbook.md. Records arrive some minutes late, so an event is looked for in ten minutes, and told once in them.
  rules = {
    timer_silent       = [1, 10, true, "The timer that opens windows has not ticked for 5 minutes.", "is-it-alive-is-it-ready"]
    window_not_closed  = [1, 15, true, "A window was not closed 15 minutes after its end.", "a-window-stays-planned-or-open"]
    window_ended_badly = [1, 10, false, "A window ended incomplete or failed.", "how-a-window-ends"]
    no_measurement     = [2, 15, true, "A run should have ended and been measured half an hour ago.", "a-run-is-not-measured"]
    unbalanced         = [1, 10, false, "A window does not balance.", "what-unbalanced-means"]
    spill_old          = [2, 15, true, "Records have waited in the spill for longer than 10 minutes.", "records-are-spilled"]
    dead_letters       = [1, 10, false, "Records in the spill can't be sent as they are.", "redrive-it"]
  }

  # A rule each metric of a service: where it is, how much of it in 15 minutes is too much, and the same as above.
  metric_rules = {
    event_grid_dead_letters = {
      scope = azurerm_eventgrid_topic.windows.id, namespace = "Microsoft.EventGrid/topics", metric = "DeadLetteredCount"
      above = 0, severity = 1, what = "Event Grid gave up an event, so a window has no run.", heading = "dead-letters-of-event-grid"
    }
    hubs_throttled = {
      scope = azurerm_eventhub_namespace.main.id, namespace = "Microsoft.EventHub/namespaces", metric = "ThrottledRequests"
      above = 100, severity = 3, what = "Event Hubs puts requests off.", heading = "event-hubs-throttles"
    }
  }
}

resource "azurerm_monitor_action_group" "people" {
  name                = "ag-${local.name}"
  resource_group_name = azurerm_resource_group.main.name
  short_name          = "ingestion"
  tags                = local.tags

  email_receiver {
    name                    = "operations"
    email_address           = var.alert_email
    use_common_alert_schema = true
  }
}

resource "azurerm_monitor_scheduled_query_rules_alert_v2" "rule" {
  for_each = local.rules

  name                              = "alert-${local.name}-${replace(each.key, "_", "-")}"
  resource_group_name               = azurerm_resource_group.main.name
  location                          = azurerm_resource_group.main.location
  display_name                      = each.value[3]
  description                       = "${each.value[3]} What to do: docs/runbook.md#${each.value[4]}"
  severity                          = each.value[0]
  scopes                            = [azurerm_log_analytics_workspace.main.id]
  evaluation_frequency              = "PT5M" # a rule that looks more often costs more
  window_duration                   = "PT${each.value[1]}M"
  auto_mitigation_enabled           = each.value[2]
  mute_actions_after_alert_duration = each.value[2] ? null : "PT${each.value[1]}M"
  skip_query_validation             = true # the tables have no row yet; tests have parsed and run the query
  tags                              = local.tags

  criteria {
    query                   = file("${path.module}/observability/rules/${each.key}.kql")
    time_aggregation_method = "Count"
    operator                = "GreaterThan"
    threshold               = 0

    failing_periods {
      minimum_failing_periods_to_trigger_alert = 1
      number_of_evaluation_periods             = 1
    }
  }

  action {
    action_groups = [azurerm_monitor_action_group.people.id]
  }
}

resource "azurerm_monitor_metric_alert" "service" {
  for_each = local.metric_rules

  name                = "alert-${local.name}-${replace(each.key, "_", "-")}"
  resource_group_name = azurerm_resource_group.main.name
  scopes              = [each.value.scope]
  description         = "${each.value.what} What to do: docs/runbook.md#${each.value.heading}"
  severity            = each.value.severity
  frequency           = "PT5M"
  window_size         = "PT15M"
  tags                = local.tags

  criteria {
    metric_namespace = each.value.namespace
    metric_name      = each.value.metric
    aggregation      = "Total"
    operator         = "GreaterThan"
    threshold        = each.value.above
  }

  action {
    action_group_id = azurerm_monitor_action_group.people.id
  }
}

# Asked from outside. In a private network nobody from there is let in; the rules above see a silent app as well.
resource "azurerm_application_insights_standard_web_test" "live" {
  count = var.private ? 0 : 1

  name                    = "live-${local.name}"
  resource_group_name     = azurerm_resource_group.main.name
  location                = azurerm_resource_group.main.location
  application_insights_id = azurerm_application_insights.main.id
  geo_locations           = ["emea-nl-ams-azr", "emea-gb-db3-azr", "us-va-ash-azr"]
  frequency               = 900 # each request costs
  timeout                 = 30
  enabled                 = true
  retry_enabled           = true
  tags                    = local.tags

  request {
    url = "https://${local.app.host}/api/health/live"
  }

  validation_rules {
    expected_status_code        = 200
    ssl_check_enabled           = true
    ssl_cert_remaining_lifetime = 7
  }
}

resource "azurerm_monitor_metric_alert" "live" {
  count = var.private ? 0 : 1

  name                = "alert-${local.name}-not-live"
  resource_group_name = azurerm_resource_group.main.name
  scopes              = [azurerm_application_insights_standard_web_test.live[0].id, azurerm_application_insights.main.id] # in this order
  description         = "The app does not answer from two of three places. What to do: docs/runbook.md#is-it-alive-is-it-ready"
  severity            = 1
  frequency           = "PT5M"
  window_size         = "PT30M" # each place asks once in 15 minutes
  tags                = local.tags

  application_insights_web_test_location_availability_criteria {
    web_test_id           = azurerm_application_insights_standard_web_test.live[0].id
    component_id          = azurerm_application_insights.main.id
    failed_location_count = 2
  }

  action {
    action_group_id = azurerm_monitor_action_group.people.id
  }
}
