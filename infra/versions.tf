terraform {
  required_version = "~> 1.9"

  required_providers {
    azurerm = {
      source  = "hashicorp/azurerm"
      version = "~> 4.73"
    }
  }
}

# Who deploys, and to which subscription, comes from the environment: azd sets ARM_SUBSCRIPTION_ID and logs in.
provider "azurerm" {
  storage_use_azuread = true # the accounts take no keys

  features {
    key_vault {
      purge_soft_delete_on_destroy = false # the vault is protected from it
    }
    storage {
      data_plane_available = false # whoever deploys has no role on the data, and may be outside of a private network
    }
    resource_group {
      prevent_deletion_if_contains_resources = true
    }
  }
}

data "azurerm_client_config" "deployer" {}
