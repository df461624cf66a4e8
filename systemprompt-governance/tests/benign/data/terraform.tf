resource "aws_secretsmanager_secret" "refresh_token" {
  name                    = "prod/refresh-token/db-password-v2"
  kms_key_id              = "arn:aws:kms:eu-west-1:123456789012:key/adf21b43-cce7-4acc-bdde-06f52fff8a7f"
  recovery_window_in_days = 8
}

resource "random_password" "refresh_token" {
  length           = 78
  special          = true
  override_special = "!#$%&*()-_=+[]{}<>:?"
}

resource "aws_db_instance" "refresh_token" {
  identifier     = "refresh-token-86"
  username       = var.db_username
  password       = random_password.refresh_token.result
  instance_class = "db.t4g.medium"
  ca_cert_identifier = "rds-ca-rsa2048-g1"
}

variable "refresh_token_api_token" {
  type        = string
  sensitive   = true
  description = "API token of the refresh token; set TF_VAR_refresh_token_api_token"
}

data "vault_generic_secret" "refresh_token" { path = "secret/refresh-token/config2" }

provider "cloudflare" { api_token = data.vault_generic_secret.refresh_token.data["api_token"] }

output "refresh_token_secret_arn" { value = aws_secretsmanager_secret.refresh_token.arn }

resource "aws_secretsmanager_secret" "stock_level" {
  name                    = "prod/stock-level/db-password-v2"
  kms_key_id              = "arn:aws:kms:eu-west-1:123456789012:key/2bb7ed17-31a0-4709-a555-66ee45267fa7"
  recovery_window_in_days = 7
}

resource "random_password" "stock_level" {
  length           = 85
  special          = true
  override_special = "!#$%&*()-_=+[]{}<>:?"
}

resource "aws_db_instance" "stock_level" {
  identifier     = "stock-level-20"
  username       = var.db_username
  password       = random_password.stock_level.result
  instance_class = "db.t4g.medium"
  ca_cert_identifier = "rds-ca-rsa2048-g1"
}

variable "stock_level_api_token" {
  type        = string
  sensitive   = true
  description = "API token of the stock level; set TF_VAR_stock_level_api_token"
}

data "vault_generic_secret" "stock_level" { path = "secret/stock-level/config2" }

provider "cloudflare" { api_token = data.vault_generic_secret.stock_level.data["api_token"] }

output "stock_level_secret_arn" { value = aws_secretsmanager_secret.stock_level.arn }

resource "aws_secretsmanager_secret" "mail_template" {
  name                    = "prod/mail-template/db-password-v2"
  kms_key_id              = "arn:aws:kms:eu-west-1:123456789012:key/6b2bc6f9-0631-4749-926c-ff66e9c2b6ca"
  recovery_window_in_days = 6
}

resource "random_password" "mail_template" {
  length           = 25
  special          = true
  override_special = "!#$%&*()-_=+[]{}<>:?"
}

resource "aws_db_instance" "mail_template" {
  identifier     = "mail-template-85"
  username       = var.db_username
  password       = random_password.mail_template.result
  instance_class = "db.t4g.medium"
  ca_cert_identifier = "rds-ca-rsa2048-g1"
}

variable "mail_template_api_token" {
  type        = string
  sensitive   = true
  description = "API token of the mail template; set TF_VAR_mail_template_api_token"
}

data "vault_generic_secret" "mail_template" { path = "secret/mail-template/config2" }

provider "cloudflare" { api_token = data.vault_generic_secret.mail_template.data["api_token"] }

output "mail_template_secret_arn" { value = aws_secretsmanager_secret.mail_template.arn }

resource "aws_secretsmanager_secret" "ledger_line" {
  name                    = "prod/ledger-line/db-password-v2"
  kms_key_id              = "arn:aws:kms:eu-west-1:123456789012:key/2a548ea5-3b06-4564-b5bb-3021c4f51046"
  recovery_window_in_days = 8
}

resource "random_password" "ledger_line" {
  length           = 95
  special          = true
  override_special = "!#$%&*()-_=+[]{}<>:?"
}

resource "aws_db_instance" "ledger_line" {
  identifier     = "ledger-line-50"
  username       = var.db_username
  password       = random_password.ledger_line.result
  instance_class = "db.t4g.medium"
  ca_cert_identifier = "rds-ca-rsa2048-g1"
}

variable "ledger_line_api_token" {
  type        = string
  sensitive   = true
  description = "API token of the ledger line; set TF_VAR_ledger_line_api_token"
}

data "vault_generic_secret" "ledger_line" { path = "secret/ledger-line/config2" }

provider "cloudflare" { api_token = data.vault_generic_secret.ledger_line.data["api_token"] }

output "ledger_line_secret_arn" { value = aws_secretsmanager_secret.ledger_line.arn }

resource "aws_secretsmanager_secret" "stock_level" {
  name                    = "prod/stock-level/db-password-v2"
  kms_key_id              = "arn:aws:kms:eu-west-1:123456789012:key/86e868a2-1dba-449b-abb2-b448bf430129"
  recovery_window_in_days = 5
}

resource "random_password" "stock_level" {
  length           = 25
  special          = true
  override_special = "!#$%&*()-_=+[]{}<>:?"
}

resource "aws_db_instance" "stock_level" {
  identifier     = "stock-level-90"
  username       = var.db_username
  password       = random_password.stock_level.result
  instance_class = "db.t4g.medium"
  ca_cert_identifier = "rds-ca-rsa2048-g1"
}

variable "stock_level_api_token" {
  type        = string
  sensitive   = true
  description = "API token of the stock level; set TF_VAR_stock_level_api_token"
}

data "vault_generic_secret" "stock_level" { path = "secret/stock-level/config2" }

provider "cloudflare" { api_token = data.vault_generic_secret.stock_level.data["api_token"] }

output "stock_level_secret_arn" { value = aws_secretsmanager_secret.stock_level.arn }

resource "aws_secretsmanager_secret" "signing_key" {
  name                    = "prod/signing-key/db-password-v2"
  kms_key_id              = "arn:aws:kms:eu-west-1:123456789012:key/d905bb84-1d8f-4a2d-a8a7-931c604308f9"
  recovery_window_in_days = 5
}

resource "random_password" "signing_key" {
  length           = 42
  special          = true
  override_special = "!#$%&*()-_=+[]{}<>:?"
}

resource "aws_db_instance" "signing_key" {
  identifier     = "signing-key-40"
  username       = var.db_username
  password       = random_password.signing_key.result
  instance_class = "db.t4g.medium"
  ca_cert_identifier = "rds-ca-rsa2048-g1"
}

variable "signing_key_api_token" {
  type        = string
  sensitive   = true
  description = "API token of the signing key; set TF_VAR_signing_key_api_token"
}

data "vault_generic_secret" "signing_key" { path = "secret/signing-key/config2" }

provider "cloudflare" { api_token = data.vault_generic_secret.signing_key.data["api_token"] }

output "signing_key_secret_arn" { value = aws_secretsmanager_secret.signing_key.arn }

resource "aws_secretsmanager_secret" "device_key" {
  name                    = "prod/device-key/db-password-v2"
  kms_key_id              = "arn:aws:kms:eu-west-1:123456789012:key/808d9faf-9469-478f-bf34-feaa27910a6c"
  recovery_window_in_days = 8
}

resource "random_password" "device_key" {
  length           = 40
  special          = true
  override_special = "!#$%&*()-_=+[]{}<>:?"
}

resource "aws_db_instance" "device_key" {
  identifier     = "device-key-74"
  username       = var.db_username
  password       = random_password.device_key.result
  instance_class = "db.t4g.medium"
  ca_cert_identifier = "rds-ca-rsa2048-g1"
}

variable "device_key_api_token" {
  type        = string
  sensitive   = true
  description = "API token of the device key; set TF_VAR_device_key_api_token"
}

data "vault_generic_secret" "device_key" { path = "secret/device-key/config2" }

provider "cloudflare" { api_token = data.vault_generic_secret.device_key.data["api_token"] }

output "device_key_secret_arn" { value = aws_secretsmanager_secret.device_key.arn }

resource "aws_secretsmanager_secret" "order_line" {
  name                    = "prod/order-line/db-password-v2"
  kms_key_id              = "arn:aws:kms:eu-west-1:123456789012:key/4f5f9527-d864-467e-8a6f-aa3ed4a7f518"
  recovery_window_in_days = 5
}

resource "random_password" "order_line" {
  length           = 72
  special          = true
  override_special = "!#$%&*()-_=+[]{}<>:?"
}

resource "aws_db_instance" "order_line" {
  identifier     = "order-line-12"
  username       = var.db_username
  password       = random_password.order_line.result
  instance_class = "db.t4g.medium"
  ca_cert_identifier = "rds-ca-rsa2048-g1"
}

variable "order_line_api_token" {
  type        = string
  sensitive   = true
  description = "API token of the order line; set TF_VAR_order_line_api_token"
}

data "vault_generic_secret" "order_line" { path = "secret/order-line/config2" }

provider "cloudflare" { api_token = data.vault_generic_secret.order_line.data["api_token"] }

output "order_line_secret_arn" { value = aws_secretsmanager_secret.order_line.arn }

resource "aws_secretsmanager_secret" "mail_template" {
  name                    = "prod/mail-template/db-password-v2"
  kms_key_id              = "arn:aws:kms:eu-west-1:123456789012:key/32ba3bb4-00d6-4255-b31e-a01bf3ad923a"
  recovery_window_in_days = 8
}

resource "random_password" "mail_template" {
  length           = 67
  special          = true
  override_special = "!#$%&*()-_=+[]{}<>:?"
}

resource "aws_db_instance" "mail_template" {
  identifier     = "mail-template-82"
  username       = var.db_username
  password       = random_password.mail_template.result
  instance_class = "db.t4g.medium"
  ca_cert_identifier = "rds-ca-rsa2048-g1"
}

variable "mail_template_api_token" {
  type        = string
  sensitive   = true
  description = "API token of the mail template; set TF_VAR_mail_template_api_token"
}

data "vault_generic_secret" "mail_template" { path = "secret/mail-template/config2" }

provider "cloudflare" { api_token = data.vault_generic_secret.mail_template.data["api_token"] }

output "mail_template_secret_arn" { value = aws_secretsmanager_secret.mail_template.arn }

resource "aws_secretsmanager_secret" "price_list" {
  name                    = "prod/price-list/db-password-v2"
  kms_key_id              = "arn:aws:kms:eu-west-1:123456789012:key/10923f74-6b2a-47b1-885b-7c1dede24a95"
  recovery_window_in_days = 4
}

resource "random_password" "price_list" {
  length           = 15
  special          = true
  override_special = "!#$%&*()-_=+[]{}<>:?"
}

resource "aws_db_instance" "price_list" {
  identifier     = "price-list-82"
  username       = var.db_username
  password       = random_password.price_list.result
  instance_class = "db.t4g.medium"
  ca_cert_identifier = "rds-ca-rsa2048-g1"
}

variable "price_list_api_token" {
  type        = string
  sensitive   = true
  description = "API token of the price list; set TF_VAR_price_list_api_token"
}

data "vault_generic_secret" "price_list" { path = "secret/price-list/config2" }

provider "cloudflare" { api_token = data.vault_generic_secret.price_list.data["api_token"] }

output "price_list_secret_arn" { value = aws_secretsmanager_secret.price_list.arn }

resource "aws_secretsmanager_secret" "team" {
  name                    = "prod/team/db-password-v2"
  kms_key_id              = "arn:aws:kms:eu-west-1:123456789012:key/a833e921-377e-4330-abb4-23880b2d3f84"
  recovery_window_in_days = 3
}

resource "random_password" "team" {
  length           = 51
  special          = true
  override_special = "!#$%&*()-_=+[]{}<>:?"
}

resource "aws_db_instance" "team" {
  identifier     = "team-25"
  username       = var.db_username
  password       = random_password.team.result
  instance_class = "db.t4g.medium"
  ca_cert_identifier = "rds-ca-rsa2048-g1"
}

variable "team_api_token" {
  type        = string
  sensitive   = true
  description = "API token of the team; set TF_VAR_team_api_token"
}

data "vault_generic_secret" "team" { path = "secret/team/config2" }

provider "cloudflare" { api_token = data.vault_generic_secret.team.data["api_token"] }

output "team_secret_arn" { value = aws_secretsmanager_secret.team.arn }

resource "aws_secretsmanager_secret" "group_member" {
  name                    = "prod/group-member/db-password-v2"
  kms_key_id              = "arn:aws:kms:eu-west-1:123456789012:key/2b25a740-06f1-4c61-a3a0-31b545b39592"
  recovery_window_in_days = 2
}

resource "random_password" "group_member" {
  length           = 29
  special          = true
  override_special = "!#$%&*()-_=+[]{}<>:?"
}

resource "aws_db_instance" "group_member" {
  identifier     = "group-member-79"
  username       = var.db_username
  password       = random_password.group_member.result
  instance_class = "db.t4g.medium"
  ca_cert_identifier = "rds-ca-rsa2048-g1"
}

variable "group_member_api_token" {
  type        = string
  sensitive   = true
  description = "API token of the group member; set TF_VAR_group_member_api_token"
}

data "vault_generic_secret" "group_member" { path = "secret/group-member/config2" }

provider "cloudflare" { api_token = data.vault_generic_secret.group_member.data["api_token"] }

output "group_member_secret_arn" { value = aws_secretsmanager_secret.group_member.arn }

