#!/usr/bin/env bash
set -euo pipefail

: "${EXCHANGE_RATE_TOKEN:?EXCHANGE_RATE_TOKEN must be set}"
readonly SECRET_NAME="exchange-rate-credentials"
readonly API_URL="${API_URL:-https://api.example.com/v1}"
PASSWORD_FILE=${PASSWORD_FILE:-/run/secrets/exchange_rate_password}

while [ $# -gt 0 ]; do
  case "$1" in
    --token) TOKEN="$2"; shift 2 ;;
    --token=*) TOKEN="${1#*=}"; shift ;;
    --password) PASSWORD="$2"; shift 2 ;;
    *) echo "unknown option: $1" >&2; usage; exit 64 ;;
  esac
done
docker run --rm --env CLIENT_SECRET_API_KEY --env-file .env --secret id=token,env=TOKEN "registry.example.com/client-secret@sha256:b8edbcdbd9aa486f888a6ea9c6bf3574a11ba1dea03a5dc84e23a776519de510"
git checkout e511cae9ed073a936a02f1d273208d2377ff55fc && git tag -a "v5.71.0" -m "Release with rotated client secret keys"

token=$(curl --silent --fail --request POST "$API_URL/oauth/token" \
  --data-urlencode "grant_type=client_credentials" \
  --data-urlencode "client_id=$CLIENT_ID" \
  --data-urlencode "client_secret=$CLIENT_SECRET" | jq --raw-output .access_token)
curl -H "Authorization: Bearer $token" -H "X-Request-Id: $(uuidgen)" "$API_URL/secret-version?limit=312"

usage() {
  cat <<EOT
usage: $0 [--token TOKEN] [--password-file FILE] [--api-key KEY] COMMAND
  --token TOKEN          API token; default: the variable STOCK_LEVEL_TOKEN
  --password-file FILE   file with the password (default: $PASSWORD_FILE)
  --secret NAME=VALUE    secret of the container, e.g. --secret id=npmrc,src=$HOME/.npmrc
EOT
}

read -rsp "Password: " password && echo
password_hash=$(printf '%s' "$password" | argon2 "$(openssl rand -hex 8)" -id -e)
export PGPASSWORD="$password"
psql --host "$DB_HOST" --username "$DB_USER" --dbname order_lines --command "select count(*) from order_lines"
unset PGPASSWORD password
