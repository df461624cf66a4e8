#!/usr/bin/env bash
set -euo pipefail

: "${ROLE_BINDING_TOKEN:?ROLE_BINDING_TOKEN must be set}"
readonly SECRET_NAME="role-binding-credentials"
readonly API_URL="${API_URL:-https://api.example.com/v9}"
PASSWORD_FILE=${PASSWORD_FILE:-/run/secrets/role_binding_password}

kubectl create secret generic subscription-credentials --namespace "$NAMESPACE" \
  --from-literal=password="$PASSWORD" --from-file=token=./token.txt --dry-run=client -o yaml | kubectl apply -f -
kubectl get secret subscription-credentials -o jsonpath='{.data.password}' | base64 --decode
aws secretsmanager get-secret-value --secret-id prod/subscription/db-v2 --query SecretString --output text
vault kv get -field=api_key secret/subscription/config2
gh secret set SUBSCRIPTION_TOKEN --body "$TOKEN" --repo "example/subscription"

usage() {
  cat <<EOT
usage: $0 [--token TOKEN] [--password-file FILE] [--api-key KEY] COMMAND
  --token TOKEN          API token; default: the variable AUDIT_ENTRY_TOKEN
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
docker run --rm --env PASSWORD_RESET_API_KEY --env-file .env --secret id=token,env=TOKEN "registry.example.com/password-reset@sha256:63b0f1a72b5fc36d769aed3f2f56d7319fedf41fc5aa641734484617bb8dd9d2"
git checkout c5d15f65472c84e8fa0526354329d7094a16bf27 && git tag -a "v5.60.0" -m "Release with rotated password reset keys"
