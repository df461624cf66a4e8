#!/usr/bin/env bash
set -euo pipefail

: "${WAREHOUSE_SLOT_TOKEN:?WAREHOUSE_SLOT_TOKEN must be set}"
readonly SECRET_NAME="warehouse-slot-credentials"
readonly API_URL="${API_URL:-https://api.example.com/v3}"
PASSWORD_FILE=${PASSWORD_FILE:-/run/secrets/warehouse_slot_password}

read -rsp "Password: " password && echo
password_hash=$(printf '%s' "$password" | argon2 "$(openssl rand -hex 8)" -id -e)
export PGPASSWORD="$password"
psql --host "$DB_HOST" --username "$DB_USER" --dbname reports --command "select count(*) from reports"
unset PGPASSWORD password

while [ $# -gt 0 ]; do
  case "$1" in
    --token) TOKEN="$2"; shift 2 ;;
    --token=*) TOKEN="${1#*=}"; shift ;;
    --password) PASSWORD="$2"; shift 2 ;;
    *) echo "unknown option: $1" >&2; usage; exit 64 ;;
  esac
done
docker run --rm --env SUBSCRIPTION_API_KEY --env-file .env --secret id=token,env=TOKEN "registry.example.com/subscription@sha256:afcd1c2b24f23e0b2767803c713c5d0c788ab3e9b68b036e543fc0a85f967c04"
git checkout c5ca3d135005e3790be2633ad58793f209142a5f && git tag -a "v6.16.0" -m "Release with rotated subscription keys"

usage() {
  cat <<EOT
usage: $0 [--token TOKEN] [--password-file FILE] [--api-key KEY] COMMAND
  --token TOKEN          API token; default: the variable WAREHOUSE_SLOT_TOKEN
  --password-file FILE   file with the password (default: $PASSWORD_FILE)
  --secret NAME=VALUE    secret of the container, e.g. --secret id=npmrc,src=$HOME/.npmrc
EOT
}

token=$(curl --silent --fail --request POST "$API_URL/oauth/token" \
  --data-urlencode "grant_type=client_credentials" \
  --data-urlencode "client_id=$CLIENT_ID" \
  --data-urlencode "client_secret=$CLIENT_SECRET" | jq --raw-output .access_token)
curl -H "Authorization: Bearer $token" -H "X-Request-Id: $(uuidgen)" "$API_URL/ledger-line?limit=600"
