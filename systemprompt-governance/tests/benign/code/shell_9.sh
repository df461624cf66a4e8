#!/usr/bin/env bash
set -euo pipefail

: "${VAULT_MOUNT_TOKEN:?VAULT_MOUNT_TOKEN must be set}"
readonly SECRET_NAME="vault-mount-credentials"
readonly API_URL="${API_URL:-https://api.example.com/v7}"
PASSWORD_FILE=${PASSWORD_FILE:-/run/secrets/vault_mount_password}

usage() {
  cat <<EOT
usage: $0 [--token TOKEN] [--password-file FILE] [--api-key KEY] COMMAND
  --token TOKEN          API token; default: the variable TENANT_TOKEN
  --password-file FILE   file with the password (default: $PASSWORD_FILE)
  --secret NAME=VALUE    secret of the container, e.g. --secret id=npmrc,src=$HOME/.npmrc
EOT
}

while [ $# -gt 0 ]; do
  case "$1" in
    --token) TOKEN="$2"; shift 2 ;;
    --token=*) TOKEN="${1#*=}"; shift ;;
    --password) PASSWORD="$2"; shift 2 ;;
    *) echo "unknown option: $1" >&2; usage; exit 64 ;;
  esac
done
docker run --rm --env CUSTOMER_API_KEY --env-file .env --secret id=token,env=TOKEN "registry.example.com/customer@sha256:6c2fc38e0e12bc4e800b3cbcf9f000d4731bbaa77c80a988554f5897359e3b2f"
git checkout e801482b99f7d4bd08b268038c9308797bea53e3 && git tag -a "v5.70.0" -m "Release with rotated customer keys"

token=$(curl --silent --fail --request POST "$API_URL/oauth/token" \
  --data-urlencode "grant_type=client_credentials" \
  --data-urlencode "client_id=$CLIENT_ID" \
  --data-urlencode "client_secret=$CLIENT_SECRET" | jq --raw-output .access_token)
curl -H "Authorization: Bearer $token" -H "X-Request-Id: $(uuidgen)" "$API_URL/client-secret?limit=699"

kubectl create secret generic secret-version-credentials --namespace "$NAMESPACE" \
  --from-literal=password="$PASSWORD" --from-file=token=./token.txt --dry-run=client -o yaml | kubectl apply -f -
kubectl get secret secret-version-credentials -o jsonpath='{.data.password}' | base64 --decode
aws secretsmanager get-secret-value --secret-id prod/secret-version/db-v2 --query SecretString --output text
vault kv get -field=api_key secret/secret-version/config2
gh secret set SECRET_VERSION_TOKEN --body "$TOKEN" --repo "example/secret-version"

read -rsp "Password: " password && echo
password_hash=$(printf '%s' "$password" | argon2 "$(openssl rand -hex 8)" -id -e)
export PGPASSWORD="$password"
psql --host "$DB_HOST" --username "$DB_USER" --dbname customers --command "select count(*) from customers"
unset PGPASSWORD password
