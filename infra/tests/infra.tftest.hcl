# Applied to stand-ins: each run is a choice of options, and the tests in Python read what it would make.
mock_provider "azurerm" {
  mock_data "azurerm_client_config" {
    defaults = {
      subscription_id = "11111111-1111-1111-1111-111111111111"
      tenant_id       = "22222222-2222-2222-2222-222222222222"
      object_id       = "33333333-3333-3333-3333-333333333333"
    }
  }

  mock_resource "azurerm_user_assigned_identity" {
    defaults = {
      client_id    = "44444444-4444-4444-4444-444444444444"
      principal_id = "55555555-5555-5555-5555-555555555555"
    }
  }

  mock_resource "azurerm_application_insights" {
    defaults = {
      connection_string = "InstrumentationKey=aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa;IngestionEndpoint=https://westeurope-5.in.applicationinsights.azure.com/"
    }
  }

  mock_resource "azurerm_eventgrid_topic" {
    defaults = {
      id       = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-ingest-trial/providers/Microsoft.EventGrid/topics/windows"
      endpoint = "https://windows.westeurope-1.eventgrid.azure.net/api/events"
    }
  }

  mock_resource "azurerm_databricks_workspace" {
    defaults = {
      workspace_url = "adb-1111111111111111.1.azuredatabricks.net"
    }
  }

  mock_resource "azurerm_key_vault" {
    defaults = {
      vault_uri = "https://vtrial.vault.azure.net/"
    }
  }

  mock_resource "azurerm_resource_group_template_deployment" {
    defaults = {
      output_content = <<-END
        {
          "principalId": {"type": "String", "value": "66666666-6666-6666-6666-666666666666"},
          "schedulerId": {"type": "String", "value": "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-ingest-trial/providers/Microsoft.DurableTask/schedulers/dts"},
          "endpoint": {"type": "String", "value": "https://dts-abcd.westeurope.durabletask.io"}
        }
      END
    }
  }
}

variables {
  environment_name     = "trial"
  location             = "westeurope"
  alert_email          = "operations@example.com"
  databricks_object_id = "99999999-9999-9999-9999-999999999999"
  lakehouse_principal = {
    client_id = "77777777-7777-7777-7777-777777777777"
    object_id = "88888888-8888-8888-8888-888888888888"
  }
}

run "default" {
  assert {
    condition     = length(azurerm_eventgrid_event_subscription.enrichment) == 0
    error_message = "The Event Grid subscription waits for the code."
  }
}

run "published" {
  variables {
    code_is_published = true
  }

  assert {
    condition     = length(azurerm_eventgrid_event_subscription.enrichment) == 1
    error_message = "Once the code is there, openings start enrichment."
  }
}

run "premium" {
  variables {
    plan = "premium"
  }
}

run "private" {
  variables {
    private           = true
    cosmos            = true
    code_is_published = true
  }
}

run "everything" {
  variables {
    capture                = true
    cosmos                 = true
    promotions             = true
    view_alerts            = true
    assets_key_is_in_vault = true
    durable_backend        = "scheduler"
    stream_analytics       = true
    feeds                  = ["trades", "payments", "gps", "call_centre", "shop"]
    settings               = { TRANSACTIONS_COSMOS = "payments/transactions" }
  }
}

run "refuses_promotions_without_points" {
  command = plan

  variables {
    promotions = true
  }

  expect_failures = [var.promotions]
}

run "refuses_alerts_about_views_without_a_shop" {
  command = plan

  variables {
    view_alerts = true
  }

  expect_failures = [var.view_alerts]
}

run "refuses_stream_analytics_without_a_shop" {
  command = plan

  variables {
    stream_analytics = true
  }

  expect_failures = [var.stream_analytics]
}

run "refuses_an_unknown_durable_backend" {
  command = plan

  variables {
    durable_backend = "netherite"
  }

  expect_failures = [var.durable_backend]
}

run "refuses_a_scheduler_that_a_private_network_does_not_reach" {
  command = plan

  variables {
    private         = true
    durable_backend = "scheduler"
  }

  expect_failures = [var.durable_backend]
}

run "refuses_an_unknown_plan" {
  command = plan

  variables {
    plan = "consumption"
  }

  expect_failures = [var.plan]
}
