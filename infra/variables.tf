# What differs from place to place. `azd` gives those of main.tfvars.json; the others are set there or in TF_VAR_<name>.

variable "environment_name" {
  description = "The name of the azd environment: part of each resource's name."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,14}$", var.environment_name))
    error_message = "environment_name must begin with a small letter and have 2 to 15 small letters, digits and dashes."
  }
}

variable "location" {
  description = "The region of everything, such as westeurope."
  type        = string
}

variable "tags" {
  description = "Tags of each resource, beside azd's own."
  type        = map(string)
  default     = {}
}

variable "alert_email" {
  description = "Who gets mails of alerts and of the budget."
  type        = string

  validation {
    condition     = can(regex("^[^@ ]+@[^@ ]+$", var.alert_email))
    error_message = "alert_email must be one mail address."
  }
}

variable "sql_administrator" {
  description = "The Entra user or group that administers the database: its name and object id. Absent: whoever deploys."
  type        = object({ name = string, object_id = string })
  default     = null
}

variable "lakehouse_principal" {
  description = "The service principal that the lakehouse's jobs log in with (hooks/principals.sh makes it)."
  type        = object({ client_id = string, object_id = string })
}

variable "databricks_object_id" {
  description = "The object id that Azure Databricks itself has in the tenant: it reads the secrets for the scope."
  type        = string
}

variable "code_is_published" {
  description = "Second stage: whether the app's code is there, which the Event Grid subscription and the function key need."
  type        = bool
  default     = false
}

variable "plan" {
  description = "Where the app runs: flex (Flex Consumption, FC1) or premium (Elastic Premium, EP1)."
  type        = string
  default     = "flex"

  validation {
    condition     = contains(["flex", "premium"], var.plan)
    error_message = "plan must be flex or premium; Linux Consumption has no Python 3.13."
  }
}

variable "durable_backend" {
  description = "Where orchestrations are kept: storage (the host's storage account) or scheduler (Durable Task Scheduler, Consumption)."
  type        = string
  default     = "storage"

  validation {
    condition     = contains(["storage", "scheduler"], var.durable_backend)
    error_message = "durable_backend must be storage or scheduler."
  }

  validation {
    condition     = !(var.private && var.durable_backend == "scheduler")
    error_message = "durable_backend must be storage where private is true: no private endpoint is made for the scheduler."
  }
}

variable "instance_memory" {
  description = "Memory of one instance on Flex Consumption, in MB."
  type        = number
  default     = 2048

  validation {
    condition     = contains([512, 2048, 4096], var.instance_memory)
    error_message = "instance_memory must be 512, 2048 or 4096."
  }
}

variable "most_instances" {
  description = "How many instances the app may have."
  type        = number
  default     = 40
}

variable "throughput_units" {
  description = "Throughput units of the Event Hubs namespace; each takes 1 MB or 1,000 events a second."
  type        = number
  default     = 1
}

variable "most_throughput_units" {
  description = "Up to how many units the namespace inflates by itself; 0 turns that off."
  type        = number
  default     = 4
}

variable "partitions" {
  description = "Partitions of each hub. They can't be changed later."
  type        = number
  default     = 4
}

variable "capture" {
  description = "Whether each hub is captured to the lake as Avro; billed by throughput unit."
  type        = bool
  default     = false
}

variable "feeds" {
  description = "The feeds that run."
  type        = list(string)
  default     = ["trades"]
}

variable "promotions" {
  description = "Whether points on gps become promotions; needs the feed gps."
  type        = bool
  default     = false

  validation {
    condition     = !var.promotions || contains(var.feeds, "gps")
    error_message = "promotions needs the feed gps: name it in feeds."
  }
}

variable "view_alerts" {
  description = "Whether views of the shop's pages and its stars raise alerts within seconds; needs the feed shop."
  type        = bool
  default     = false

  validation {
    condition     = !var.view_alerts || contains(var.feeds, "shop")
    error_message = "view_alerts needs the feed shop: name it in feeds."
  }
}

variable "stream_analytics" {
  description = "Whether the job of Stream Analytics over the shop's pages is made, stopped; needs the feed shop."
  type        = bool
  default     = false

  validation {
    condition     = !var.stream_analytics || contains(var.feeds, "shop")
    error_message = "stream_analytics needs the feed shop: name it in feeds."
  }

  validation {
    condition     = !(var.stream_analytics && var.private)
    error_message = "stream_analytics must be false where private is true: the job runs outside of the network."
  }
}

variable "settings" {
  description = "App settings that are to be otherwise than by default, such as TRADES_SOURCES; docs/settings.md lists them all."
  type        = map(string)
  default     = {}
}

variable "assets_key_is_in_vault" {
  description = "Whether the vault has the secrets assets-key and assets-authorization; without them there is no lookup of assets."
  type        = bool
  default     = false
}

variable "sql_most_vcores" {
  description = "The most vCores of the serverless database."
  type        = number
  default     = 1
}

variable "sql_pause_after" {
  description = "After how many idle minutes the database pauses; -1 is never."
  type        = number
  default     = 60
}

variable "cosmos" {
  description = "Whether there is an account of Cosmos DB for payments."
  type        = bool
  default     = false
}

variable "private" {
  description = "Whether services are reached inside a virtual network only."
  type        = bool
  default     = false
}

variable "address_space" {
  description = "The virtual network's addresses, a /20."
  type        = string
  default     = "10.60.0.0/20"
}

variable "replication" {
  description = "How storage accounts are copied: LRS costs least, ZRS survives a zone."
  type        = string
  default     = "LRS"
}

variable "log_gigabytes_a_day" {
  description = "Beyond how many gigabytes a day no more logs are taken."
  type        = number
  default     = 1
}

variable "log_days" {
  description = "How long logs are kept."
  type        = number
  default     = 30
}

variable "monthly_budget" {
  description = "Of how much a month mails are sent, in the subscription's currency; nothing is stopped. docs/deploy.md works out the default's bill."
  type        = number
  default     = 1000
}
