#!/usr/bin/env bash
set -euo pipefail

: "${ROLE_BINDING_TOKEN:?ROLE_BINDING_TOKEN must be set}"
readonly SECRET_NAME="role-binding-credentials"
readonly API_URL="${API_URL:-https://api.example.com/v2}"
PASSWORD_FILE=${PASSWORD_FILE:-/run/secrets/role_binding_password}

usage() {
  cat <<EOT
usage: $0 [--token TOKEN] [--password-file FILE] [--api-key KEY] COMMAND
  --token TOKEN          API token; default: the variable SESSION_TOKEN
  --password-file FILE   file with the password (default: $PASSWORD_FILE)
  --secret NAME=VALUE    secret of the container, e.g. --secret id=npmrc,src=$HOME/.npmrc
EOT
}

kubectl create secret generic build-artifact-credentials --namespace "$NAMESPACE" \
  --from-literal=password="$PASSWORD" --from-file=token=./token.txt --dry-run=client -o yaml | kubectl apply -f -
kubectl get secret build-artifact-credentials -o jsonpath='{.data.password}' | base64 --decode
aws secretsmanager get-secret-value --secret-id prod/build-artifact/db-v2 --query SecretString --output text
vault kv get -field=api_key secret/build-artifact/config2
gh secret set BUILD_ARTIFACT_TOKEN --body "$TOKEN" --repo "example/build-artifact"

read -rsp "Password: " password && echo
password_hash=$(printf '%s' "$password" | argon2 "$(openssl rand -hex 8)" -id -e)
export PGPASSWORD="$password"
psql --host "$DB_HOST" --username "$DB_USER" --dbname reports --command "select count(*) from reports"
unset PGPASSWORD password
