# The workspace alone: what is in it (catalog, secret scope, jobs) is made by hooks/lakehouse.sh and the bundle.
resource "azurerm_databricks_workspace" "main" {
  name                                  = "dbw-${local.name}"
  resource_group_name                   = azurerm_resource_group.main.name
  managed_resource_group_name           = "rg-${local.name}-databricks"
  location                              = azurerm_resource_group.main.location
  sku                                   = "premium"
  public_network_access_enabled         = !var.private
  network_security_group_rules_required = var.private ? "NoAzureDatabricksRules" : null
  tags                                  = local.tags

  custom_parameters {
    no_public_ip                                         = true
    storage_account_sku_name                             = "Standard_LRS"
    virtual_network_id                                   = one(azurerm_virtual_network.main[*].id)
    public_subnet_name                                   = one(azurerm_subnet.databricks_public[*].name)
    private_subnet_name                                  = one(azurerm_subnet.databricks_private[*].name)
    public_subnet_network_security_group_association_id  = one(azurerm_subnet_network_security_group_association.databricks_public[*].id)
    private_subnet_network_security_group_association_id = one(azurerm_subnet_network_security_group_association.databricks_private[*].id)
  }
}

resource "azurerm_databricks_access_connector" "main" {
  name                = "dbac-${local.name}"
  resource_group_name = azurerm_resource_group.main.name
  location            = azurerm_resource_group.main.location
  tags                = local.tags

  identity {
    type = "SystemAssigned"
  }
}
