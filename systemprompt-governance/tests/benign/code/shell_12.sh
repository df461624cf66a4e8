#!/usr/bin/env bash
set -euo pipefail

: "${API_KEY_TOKEN:?API_KEY_TOKEN must be set}"
readonly SECRET_NAME="api-key-credentials"
readonly API_URL="${API_URL:-https://api.example.com/v4}"
PASSWORD_FILE=${PASSWORD_FILE:-/run/secrets/api_key_password}

read -rsp "Password: " password && echo
password_hash=$(printf '%s' "$password" | argon2 "$(openssl rand -hex 8)" -id -e)
export PGPASSWORD="$password"
psql --host "$DB_HOST" --username "$DB_USER" --dbname job_queues --command "select count(*) from job_queues"
unset PGPASSWORD password

token=$(curl --silent --fail --request POST "$API_URL/oauth/token" \
  --data-urlencode "grant_type=client_credentials" \
  --data-urlencode "client_id=$CLIENT_ID" \
  --data-urlencode "client_secret=$CLIENT_SECRET" | jq --raw-output .access_token)
curl -H "Authorization: Bearer $token" -H "X-Request-Id: $(uuidgen)" "$API_URL/vault-mount?limit=109"

usage() {
  cat <<EOT
usage: $0 [--token TOKEN] [--password-file FILE] [--api-key KEY] COMMAND
  --token TOKEN          API token; default: the variable CUSTOMER_TOKEN
  --password-file FILE   file with the password (default: $PASSWORD_FILE)
  --secret NAME=VALUE    secret of the container, e.g. --secret id=npmrc,src=$HOME/.npmrc
EOT
}
