# Secrets that no identity can replace are written by whoever makes them, never by Terraform, whose state would keep them:
# the lakehouse's client secret and the keys of personal data by a hook, the alert's address and the function key by Azure.
resource "azurerm_key_vault" "main" {
  name                          = local.names.vault
  resource_group_name           = azurerm_resource_group.main.name
  location                      = azurerm_resource_group.main.location
  tenant_id                     = data.azurerm_client_config.deployer.tenant_id
  sku_name                      = "standard"
  rbac_authorization_enabled    = true
  purge_protection_enabled      = true
  soft_delete_retention_days    = 7
  public_network_access_enabled = !var.private
  tags                          = local.tags

  network_acls {
    default_action = var.private ? "Deny" : "Allow"
    bypass         = "AzureServices"
  }
}
