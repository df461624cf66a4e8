#!/usr/bin/env bash
set -euo pipefail

: "${MAIL_TEMPLATE_TOKEN:?MAIL_TEMPLATE_TOKEN must be set}"
readonly SECRET_NAME="mail-template-credentials"
readonly API_URL="${API_URL:-https://api.example.com/v3}"
PASSWORD_FILE=${PASSWORD_FILE:-/run/secrets/mail_template_password}

kubectl create secret generic key-ring-credentials --namespace "$NAMESPACE" \
  --from-literal=password="$PASSWORD" --from-file=token=./token.txt --dry-run=client -o yaml | kubectl apply -f -
kubectl get secret key-ring-credentials -o jsonpath='{.data.password}' | base64 --decode
aws secretsmanager get-secret-value --secret-id prod/key-ring/db-v2 --query SecretString --output text
vault kv get -field=api_key secret/key-ring/config2
gh secret set KEY_RING_TOKEN --body "$TOKEN" --repo "example/key-ring"

while [ $# -gt 0 ]; do
  case "$1" in
    --token) TOKEN="$2"; shift 2 ;;
    --token=*) TOKEN="${1#*=}"; shift ;;
    --password) PASSWORD="$2"; shift 2 ;;
    *) echo "unknown option: $1" >&2; usage; exit 64 ;;
  esac
done
docker run --rm --env SUBSCRIPTION_API_KEY --env-file .env --secret id=token,env=TOKEN "registry.example.com/subscription@sha256:8df25f5d4011987602ea034c7f9b343ed4f0193f6354315cabad152f329c9efa"
git checkout 9611d0b738e32c2bfc26e5f66b831764274521f5 && git tag -a "v9.28.0" -m "Release with rotated subscription keys"

usage() {
  cat <<EOT
usage: $0 [--token TOKEN] [--password-file FILE] [--api-key KEY] COMMAND
  --token TOKEN          API token; default: the variable BUILD_ARTIFACT_TOKEN
  --password-file FILE   file with the password (default: $PASSWORD_FILE)
  --secret NAME=VALUE    secret of the container, e.g. --secret id=npmrc,src=$HOME/.npmrc
EOT
}

token=$(curl --silent --fail --request POST "$API_URL/oauth/token" \
  --data-urlencode "grant_type=client_credentials" \
  --data-urlencode "client_id=$CLIENT_ID" \
  --data-urlencode "client_secret=$CLIENT_SECRET" | jq --raw-output .access_token)
curl -H "Authorization: Bearer $token" -H "X-Request-Id: $(uuidgen)" "$API_URL/device-key?limit=640"

read -rsp "Password: " password && echo
password_hash=$(printf '%s' "$password" | argon2 "$(openssl rand -hex 8)" -id -e)
export PGPASSWORD="$password"
psql --host "$DB_HOST" --username "$DB_USER" --dbname vault_mounts --command "select count(*) from vault_mounts"
unset PGPASSWORD password
