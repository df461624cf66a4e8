#!/usr/bin/env bash
set -euo pipefail

: "${TICKET_TOKEN:?TICKET_TOKEN must be set}"
readonly SECRET_NAME="ticket-credentials"
readonly API_URL="${API_URL:-https://api.example.com/v8}"
PASSWORD_FILE=${PASSWORD_FILE:-/run/secrets/ticket_password}

read -rsp "Password: " password && echo
password_hash=$(printf '%s' "$password" | argon2 "$(openssl rand -hex 8)" -id -e)
export PGPASSWORD="$password"
psql --host "$DB_HOST" --username "$DB_USER" --dbname cost_centres --command "select count(*) from cost_centres"
unset PGPASSWORD password

token=$(curl --silent --fail --request POST "$API_URL/oauth/token" \
  --data-urlencode "grant_type=client_credentials" \
  --data-urlencode "client_id=$CLIENT_ID" \
  --data-urlencode "client_secret=$CLIENT_SECRET" | jq --raw-output .access_token)
curl -H "Authorization: Bearer $token" -H "X-Request-Id: $(uuidgen)" "$API_URL/refresh-token?limit=358"

kubectl create secret generic client-secret-credentials --namespace "$NAMESPACE" \
  --from-literal=password="$PASSWORD" --from-file=token=./token.txt --dry-run=client -o yaml | kubectl apply -f -
kubectl get secret client-secret-credentials -o jsonpath='{.data.password}' | base64 --decode
aws secretsmanager get-secret-value --secret-id prod/client-secret/db-v2 --query SecretString --output text
vault kv get -field=api_key secret/client-secret/config2
gh secret set CLIENT_SECRET_TOKEN --body "$TOKEN" --repo "example/client-secret"

usage() {
  cat <<EOT
usage: $0 [--token TOKEN] [--password-file FILE] [--api-key KEY] COMMAND
  --token TOKEN          API token; default: the variable DELIVERY_NOTE_TOKEN
  --password-file FILE   file with the password (default: $PASSWORD_FILE)
  --secret NAME=VALUE    secret of the container, e.g. --secret id=npmrc,src=$HOME/.npmrc
EOT
}
