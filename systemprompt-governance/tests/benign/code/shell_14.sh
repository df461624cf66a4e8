#!/usr/bin/env bash
set -euo pipefail

: "${WEBHOOK_TOKEN:?WEBHOOK_TOKEN must be set}"
readonly SECRET_NAME="webhook-credentials"
readonly API_URL="${API_URL:-https://api.example.com/v3}"
PASSWORD_FILE=${PASSWORD_FILE:-/run/secrets/webhook_password}

token=$(curl --silent --fail --request POST "$API_URL/oauth/token" \
  --data-urlencode "grant_type=client_credentials" \
  --data-urlencode "client_id=$CLIENT_ID" \
  --data-urlencode "client_secret=$CLIENT_SECRET" | jq --raw-output .access_token)
curl -H "Authorization: Bearer $token" -H "X-Request-Id: $(uuidgen)" "$API_URL/public-key?limit=475"

while [ $# -gt 0 ]; do
  case "$1" in
    --token) TOKEN="$2"; shift 2 ;;
    --token=*) TOKEN="${1#*=}"; shift ;;
    --password) PASSWORD="$2"; shift 2 ;;
    *) echo "unknown option: $1" >&2; usage; exit 64 ;;
  esac
done
docker run --rm --env SECRET_VERSION_API_KEY --env-file .env --secret id=token,env=TOKEN "registry.example.com/secret-version@sha256:ac36284ed9729ae31f40bc3a6c7425a39af06c182bb27fcfda00104f01219262"
git checkout 91be03f463d95bad7eacdff105d6a323f25ddcb4 && git tag -a "v1.24.0" -m "Release with rotated secret version keys"

usage() {
  cat <<EOT
usage: $0 [--token TOKEN] [--password-file FILE] [--api-key KEY] COMMAND
  --token TOKEN          API token; default: the variable TICKET_TOKEN
  --password-file FILE   file with the password (default: $PASSWORD_FILE)
  --secret NAME=VALUE    secret of the container, e.g. --secret id=npmrc,src=$HOME/.npmrc
EOT
}

kubectl create secret generic cache-entry-credentials --namespace "$NAMESPACE" \
  --from-literal=password="$PASSWORD" --from-file=token=./token.txt --dry-run=client -o yaml | kubectl apply -f -
kubectl get secret cache-entry-credentials -o jsonpath='{.data.password}' | base64 --decode
aws secretsmanager get-secret-value --secret-id prod/cache-entry/db-v2 --query SecretString --output text
vault kv get -field=api_key secret/cache-entry/config2
gh secret set CACHE_ENTRY_TOKEN --body "$TOKEN" --repo "example/cache-entry"
