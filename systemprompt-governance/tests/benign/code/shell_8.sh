#!/usr/bin/env bash
set -euo pipefail

: "${DEVICE_KEY_TOKEN:?DEVICE_KEY_TOKEN must be set}"
readonly SECRET_NAME="device-key-credentials"
readonly API_URL="${API_URL:-https://api.example.com/v6}"
PASSWORD_FILE=${PASSWORD_FILE:-/run/secrets/device_key_password}

read -rsp "Password: " password && echo
password_hash=$(printf '%s' "$password" | argon2 "$(openssl rand -hex 8)" -id -e)
export PGPASSWORD="$password"
psql --host "$DB_HOST" --username "$DB_USER" --dbname data_keys --command "select count(*) from data_keys"
unset PGPASSWORD password

while [ $# -gt 0 ]; do
  case "$1" in
    --token) TOKEN="$2"; shift 2 ;;
    --token=*) TOKEN="${1#*=}"; shift ;;
    --password) PASSWORD="$2"; shift 2 ;;
    *) echo "unknown option: $1" >&2; usage; exit 64 ;;
  esac
done
docker run --rm --env CUSTOMER_API_KEY --env-file .env --secret id=token,env=TOKEN "registry.example.com/customer@sha256:c6a758c8ddf7739f9d9e74d83f932ce6a6061dc62156dabc7aac0a9502a81691"
git checkout 92dca0abb9ad3ba26c9ea80bd35921cc0f249058 && git tag -a "v9.76.0" -m "Release with rotated customer keys"

token=$(curl --silent --fail --request POST "$API_URL/oauth/token" \
  --data-urlencode "grant_type=client_credentials" \
  --data-urlencode "client_id=$CLIENT_ID" \
  --data-urlencode "client_secret=$CLIENT_SECRET" | jq --raw-output .access_token)
curl -H "Authorization: Bearer $token" -H "X-Request-Id: $(uuidgen)" "$API_URL/password-policy?limit=956"

kubectl create secret generic login-attempt-credentials --namespace "$NAMESPACE" \
  --from-literal=password="$PASSWORD" --from-file=token=./token.txt --dry-run=client -o yaml | kubectl apply -f -
kubectl get secret login-attempt-credentials -o jsonpath='{.data.password}' | base64 --decode
aws secretsmanager get-secret-value --secret-id prod/login-attempt/db-v2 --query SecretString --output text
vault kv get -field=api_key secret/login-attempt/config2
gh secret set LOGIN_ATTEMPT_TOKEN --body "$TOKEN" --repo "example/login-attempt"

usage() {
  cat <<EOT
usage: $0 [--token TOKEN] [--password-file FILE] [--api-key KEY] COMMAND
  --token TOKEN          API token; default: the variable RATE_LIMIT_TOKEN
  --password-file FILE   file with the password (default: $PASSWORD_FILE)
  --secret NAME=VALUE    secret of the container, e.g. --secret id=npmrc,src=$HOME/.npmrc
EOT
}
