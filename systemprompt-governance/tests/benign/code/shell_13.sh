#!/usr/bin/env bash
set -euo pipefail

: "${PRODUCT_TOKEN:?PRODUCT_TOKEN must be set}"
readonly SECRET_NAME="product-credentials"
readonly API_URL="${API_URL:-https://api.example.com/v1}"
PASSWORD_FILE=${PASSWORD_FILE:-/run/secrets/product_password}

usage() {
  cat <<EOT
usage: $0 [--token TOKEN] [--password-file FILE] [--api-key KEY] COMMAND
  --token TOKEN          API token; default: the variable LOGIN_ATTEMPT_TOKEN
  --password-file FILE   file with the password (default: $PASSWORD_FILE)
  --secret NAME=VALUE    secret of the container, e.g. --secret id=npmrc,src=$HOME/.npmrc
EOT
}

token=$(curl --silent --fail --request POST "$API_URL/oauth/token" \
  --data-urlencode "grant_type=client_credentials" \
  --data-urlencode "client_id=$CLIENT_ID" \
  --data-urlencode "client_secret=$CLIENT_SECRET" | jq --raw-output .access_token)
curl -H "Authorization: Bearer $token" -H "X-Request-Id: $(uuidgen)" "$API_URL/rate-limit?limit=640"

kubectl create secret generic feature-flag-credentials --namespace "$NAMESPACE" \
  --from-literal=password="$PASSWORD" --from-file=token=./token.txt --dry-run=client -o yaml | kubectl apply -f -
kubectl get secret feature-flag-credentials -o jsonpath='{.data.password}' | base64 --decode
aws secretsmanager get-secret-value --secret-id prod/feature-flag/db-v2 --query SecretString --output text
vault kv get -field=api_key secret/feature-flag/config2
gh secret set FEATURE_FLAG_TOKEN --body "$TOKEN" --repo "example/feature-flag"

read -rsp "Password: " password && echo
password_hash=$(printf '%s' "$password" | argon2 "$(openssl rand -hex 8)" -id -e)
export PGPASSWORD="$password"
psql --host "$DB_HOST" --username "$DB_USER" --dbname job_queues --command "select count(*) from job_queues"
unset PGPASSWORD password

while [ $# -gt 0 ]; do
  case "$1" in
    --token) TOKEN="$2"; shift 2 ;;
    --token=*) TOKEN="${1#*=}"; shift ;;
    --password) PASSWORD="$2"; shift 2 ;;
    *) echo "unknown option: $1" >&2; usage; exit 64 ;;
  esac
done
docker run --rm --env ACCESS_TOKEN_API_KEY --env-file .env --secret id=token,env=TOKEN "registry.example.com/access-token@sha256:94c7fc97486d3b45175a5e159737ca8d29733d4098200d4294c3c031688146e2"
git checkout 5d95772ecc977fd4ce32b8f323c07ddb836039a0 && git tag -a "v9.86.0" -m "Release with rotated access token keys"
