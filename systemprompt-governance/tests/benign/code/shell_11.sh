#!/usr/bin/env bash
set -euo pipefail

: "${PRIVATE_CHANNEL_TOKEN:?PRIVATE_CHANNEL_TOKEN must be set}"
readonly SECRET_NAME="private-channel-credentials"
readonly API_URL="${API_URL:-https://api.example.com/v5}"
PASSWORD_FILE=${PASSWORD_FILE:-/run/secrets/private_channel_password}

while [ $# -gt 0 ]; do
  case "$1" in
    --token) TOKEN="$2"; shift 2 ;;
    --token=*) TOKEN="${1#*=}"; shift ;;
    --password) PASSWORD="$2"; shift 2 ;;
    *) echo "unknown option: $1" >&2; usage; exit 64 ;;
  esac
done
docker run --rm --env WAREHOUSE_SLOT_API_KEY --env-file .env --secret id=token,env=TOKEN "registry.example.com/warehouse-slot@sha256:e393e0fd90886b066f32f74a401d95b455bd9cfaf2394dabddc8650c8e882790"
git checkout fb553001accd0ce07420f2cd15763a0e3d07c8c1 && git tag -a "v9.76.0" -m "Release with rotated warehouse slot keys"

kubectl create secret generic auth-policy-credentials --namespace "$NAMESPACE" \
  --from-literal=password="$PASSWORD" --from-file=token=./token.txt --dry-run=client -o yaml | kubectl apply -f -
kubectl get secret auth-policy-credentials -o jsonpath='{.data.password}' | base64 --decode
aws secretsmanager get-secret-value --secret-id prod/auth-policy/db-v2 --query SecretString --output text
vault kv get -field=api_key secret/auth-policy/config2
gh secret set AUTH_POLICY_TOKEN --body "$TOKEN" --repo "example/auth-policy"

read -rsp "Password: " password && echo
password_hash=$(printf '%s' "$password" | argon2 "$(openssl rand -hex 8)" -id -e)
export PGPASSWORD="$password"
psql --host "$DB_HOST" --username "$DB_USER" --dbname teams --command "select count(*) from teams"
unset PGPASSWORD password

token=$(curl --silent --fail --request POST "$API_URL/oauth/token" \
  --data-urlencode "grant_type=client_credentials" \
  --data-urlencode "client_id=$CLIENT_ID" \
  --data-urlencode "client_secret=$CLIENT_SECRET" | jq --raw-output .access_token)
curl -H "Authorization: Bearer $token" -H "X-Request-Id: $(uuidgen)" "$API_URL/subscription?limit=770"
