# An option: a virtual network that the app and the clusters are in, and endpoints in it of all that they reach.
locals {
  subnets = { for number, name in ["app", "endpoints", "databricks-public", "databricks-private"] : name => cidrsubnet(var.address_space, 3, number) }

  zones = {
    blob       = "privatelink.blob.core.windows.net"
    queue      = "privatelink.queue.core.windows.net"
    table      = "privatelink.table.core.windows.net"
    dfs        = "privatelink.dfs.core.windows.net"
    hubs       = "privatelink.servicebus.windows.net"
    topic      = "privatelink.eventgrid.azure.net"
    vault      = "privatelink.vaultcore.azure.net"
    sql        = "privatelink.database.windows.net"
    databricks = "privatelink.azuredatabricks.net"
    cosmos     = "privatelink.documents.azure.com"
  }
  endpoints = var.private ? merge(
    {
      host-blob  = { of = azurerm_storage_account.host.id, part = "blob", zone = "blob" }
      host-queue = { of = azurerm_storage_account.host.id, part = "queue", zone = "queue" }
      host-table = { of = azurerm_storage_account.host.id, part = "table", zone = "table" }
      lake-blob  = { of = azurerm_storage_account.lake.id, part = "blob", zone = "blob" }
      lake-dfs   = { of = azurerm_storage_account.lake.id, part = "dfs", zone = "dfs" }
      hubs       = { of = azurerm_eventhub_namespace.main.id, part = "namespace", zone = "hubs" }
      topic      = { of = azurerm_eventgrid_topic.windows.id, part = "topic", zone = "topic" }
      vault      = { of = azurerm_key_vault.main.id, part = "vault", zone = "vault" }
      sql        = { of = azurerm_mssql_server.main.id, part = "sqlServer", zone = "sql" }
      databricks = { of = azurerm_databricks_workspace.main.id, part = "databricks_ui_api", zone = "databricks" }
    },
    var.cosmos ? { cosmos = { of = azurerm_cosmosdb_account.main[0].id, part = "Sql", zone = "cosmos" } } : {},
  ) : {}
}

resource "azurerm_virtual_network" "main" {
  count = var.private ? 1 : 0

  name                = "vnet-${local.name}"
  resource_group_name = azurerm_resource_group.main.name
  location            = azurerm_resource_group.main.location
  address_space       = [var.address_space]
  tags                = local.tags
}

resource "azurerm_subnet" "app" {
  count = var.private ? 1 : 0

  name                 = "app"
  resource_group_name  = azurerm_resource_group.main.name
  virtual_network_name = azurerm_virtual_network.main[0].name
  address_prefixes     = [local.subnets["app"]]

  delegation {
    name = "functions"

    service_delegation {
      name    = local.is_flex ? "Microsoft.App/environments" : "Microsoft.Web/serverFarms"
      actions = ["Microsoft.Network/virtualNetworks/subnets/join/action"]
    }
  }
}

resource "azurerm_subnet" "endpoints" {
  count = var.private ? 1 : 0

  name                 = "endpoints"
  resource_group_name  = azurerm_resource_group.main.name
  virtual_network_name = azurerm_virtual_network.main[0].name
  address_prefixes     = [local.subnets["endpoints"]]
}

resource "azurerm_subnet" "databricks_public" {
  count = var.private ? 1 : 0

  name                 = "databricks-public"
  resource_group_name  = azurerm_resource_group.main.name
  virtual_network_name = azurerm_virtual_network.main[0].name
  address_prefixes     = [local.subnets["databricks-public"]]

  delegation {
    name = "databricks"

    service_delegation {
      name    = "Microsoft.Databricks/workspaces"
      actions = local.databricks_actions
    }
  }
}

resource "azurerm_subnet" "databricks_private" {
  count = var.private ? 1 : 0

  name                 = "databricks-private"
  resource_group_name  = azurerm_resource_group.main.name
  virtual_network_name = azurerm_virtual_network.main[0].name
  address_prefixes     = [local.subnets["databricks-private"]]

  delegation {
    name = "databricks"

    service_delegation {
      name    = "Microsoft.Databricks/workspaces"
      actions = local.databricks_actions
    }
  }
}

locals {
  databricks_actions = [
    "Microsoft.Network/virtualNetworks/subnets/join/action",
    "Microsoft.Network/virtualNetworks/subnets/prepareNetworkPolicies/action",
    "Microsoft.Network/virtualNetworks/subnets/unprepareNetworkPolicies/action",
  ]
}

# Databricks writes its rules itself; whoever is not named by one stays outside.
resource "azurerm_network_security_group" "main" {
  count = var.private ? 1 : 0

  name                = "nsg-${local.name}"
  resource_group_name = azurerm_resource_group.main.name
  location            = azurerm_resource_group.main.location
  tags                = local.tags

  lifecycle {
    ignore_changes = [security_rule]
  }
}

resource "azurerm_subnet_network_security_group_association" "databricks_public" {
  count = var.private ? 1 : 0

  subnet_id                 = azurerm_subnet.databricks_public[0].id
  network_security_group_id = azurerm_network_security_group.main[0].id
}

resource "azurerm_subnet_network_security_group_association" "databricks_private" {
  count = var.private ? 1 : 0

  subnet_id                 = azurerm_subnet.databricks_private[0].id
  network_security_group_id = azurerm_network_security_group.main[0].id
}

resource "azurerm_subnet_network_security_group_association" "inner" {
  for_each = var.private ? { app = azurerm_subnet.app[0].id, endpoints = azurerm_subnet.endpoints[0].id } : {}

  subnet_id                 = each.value
  network_security_group_id = azurerm_network_security_group.main[0].id
}

# The way out: the venues and Databricks' control plane are on the internet, and a new network has no way there by itself.
resource "azurerm_public_ip" "out" {
  count = var.private ? 1 : 0

  name                = "pip-${local.name}"
  resource_group_name = azurerm_resource_group.main.name
  location            = azurerm_resource_group.main.location
  allocation_method   = "Static"
  sku                 = "Standard"
  tags                = local.tags
}

resource "azurerm_nat_gateway" "out" {
  count = var.private ? 1 : 0

  name                = "ng-${local.name}"
  resource_group_name = azurerm_resource_group.main.name
  location            = azurerm_resource_group.main.location
  sku_name            = "Standard"
  tags                = local.tags
}

resource "azurerm_nat_gateway_public_ip_association" "out" {
  count = var.private ? 1 : 0

  nat_gateway_id       = azurerm_nat_gateway.out[0].id
  public_ip_address_id = azurerm_public_ip.out[0].id
}

resource "azurerm_subnet_nat_gateway_association" "out" {
  for_each = var.private ? {
    app                = azurerm_subnet.app[0].id
    databricks-public  = azurerm_subnet.databricks_public[0].id
    databricks-private = azurerm_subnet.databricks_private[0].id
  } : {}

  subnet_id      = each.value
  nat_gateway_id = azurerm_nat_gateway.out[0].id
}

resource "azurerm_private_dns_zone" "main" {
  for_each = toset([for each in local.endpoints : local.zones[each.zone]])

  name                = each.key
  resource_group_name = azurerm_resource_group.main.name
  tags                = local.tags
}

resource "azurerm_private_dns_zone_virtual_network_link" "main" {
  for_each = azurerm_private_dns_zone.main

  name                  = local.name
  resource_group_name   = azurerm_resource_group.main.name
  private_dns_zone_name = each.value.name
  virtual_network_id    = azurerm_virtual_network.main[0].id
  tags                  = local.tags
}

resource "azurerm_private_endpoint" "main" {
  for_each = local.endpoints

  name                = "pe-${local.name}-${each.key}"
  resource_group_name = azurerm_resource_group.main.name
  location            = azurerm_resource_group.main.location
  subnet_id           = azurerm_subnet.endpoints[0].id
  tags                = local.tags

  private_service_connection {
    name                           = each.key
    private_connection_resource_id = each.value.of
    subresource_names              = [each.value.part]
    is_manual_connection           = false
  }

  private_dns_zone_group {
    name                 = "default"
    private_dns_zone_ids = [azurerm_private_dns_zone.main[local.zones[each.value.zone]].id]
  }
}
