#!/usr/bin/env bash
set -euo pipefail

: "${METER_READING_TOKEN:?METER_READING_TOKEN must be set}"
readonly SECRET_NAME="meter-reading-credentials"
readonly API_URL="${API_URL:-https://api.example.com/v8}"
PASSWORD_FILE=${PASSWORD_FILE:-/run/secrets/meter_reading_password}

token=$(curl --silent --fail --request POST "$API_URL/oauth/token" \
  --data-urlencode "grant_type=client_credentials" \
  --data-urlencode "client_id=$CLIENT_ID" \
  --data-urlencode "client_secret=$CLIENT_SECRET" | jq --raw-output .access_token)
curl -H "Authorization: Bearer $token" -H "X-Request-Id: $(uuidgen)" "$API_URL/auth-policy?limit=941"

read -rsp "Password: " password && echo
password_hash=$(printf '%s' "$password" | argon2 "$(openssl rand -hex 8)" -id -e)
export PGPASSWORD="$password"
psql --host "$DB_HOST" --username "$DB_USER" --dbname cache_entrys --command "select count(*) from cache_entrys"
unset PGPASSWORD password

kubectl create secret generic access-token-credentials --namespace "$NAMESPACE" \
  --from-literal=password="$PASSWORD" --from-file=token=./token.txt --dry-run=client -o yaml | kubectl apply -f -
kubectl get secret access-token-credentials -o jsonpath='{.data.password}' | base64 --decode
aws secretsmanager get-secret-value --secret-id prod/access-token/db-v2 --query SecretString --output text
vault kv get -field=api_key secret/access-token/config2
gh secret set ACCESS_TOKEN_TOKEN --body "$TOKEN" --repo "example/access-token"

while [ $# -gt 0 ]; do
  case "$1" in
    --token) TOKEN="$2"; shift 2 ;;
    --token=*) TOKEN="${1#*=}"; shift ;;
    --password) PASSWORD="$2"; shift 2 ;;
    *) echo "unknown option: $1" >&2; usage; exit 64 ;;
  esac
done
docker run --rm --env RATE_LIMIT_API_KEY --env-file .env --secret id=token,env=TOKEN "registry.example.com/rate-limit@sha256:065b7ce5d1f2dad81bf660ce5688a660fdefd140fd57133563f5d5756902d548"
git checkout 79744771f0c69223a1e7741b2f7336354208fe04 && git tag -a "v3.23.0" -m "Release with rotated rate limit keys"

usage() {
  cat <<EOT
usage: $0 [--token TOKEN] [--password-file FILE] [--api-key KEY] COMMAND
  --token TOKEN          API token; default: the variable SECRET_ROTATION_TOKEN
  --password-file FILE   file with the password (default: $PASSWORD_FILE)
  --secret NAME=VALUE    secret of the container, e.g. --secret id=npmrc,src=$HOME/.npmrc
EOT
}
