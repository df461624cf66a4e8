#!/usr/bin/env bash
set -euo pipefail

: "${AUTH_POLICY_TOKEN:?AUTH_POLICY_TOKEN must be set}"
readonly SECRET_NAME="auth-policy-credentials"
readonly API_URL="${API_URL:-https://api.example.com/v9}"
PASSWORD_FILE=${PASSWORD_FILE:-/run/secrets/auth_policy_password}

kubectl create secret generic secret-rotation-credentials --namespace "$NAMESPACE" \
  --from-literal=password="$PASSWORD" --from-file=token=./token.txt --dry-run=client -o yaml | kubectl apply -f -
kubectl get secret secret-rotation-credentials -o jsonpath='{.data.password}' | base64 --decode
aws secretsmanager get-secret-value --secret-id prod/secret-rotation/db-v2 --query SecretString --output text
vault kv get -field=api_key secret/secret-rotation/config2
gh secret set SECRET_ROTATION_TOKEN --body "$TOKEN" --repo "example/secret-rotation"

read -rsp "Password: " password && echo
password_hash=$(printf '%s' "$password" | argon2 "$(openssl rand -hex 8)" -id -e)
export PGPASSWORD="$password"
psql --host "$DB_HOST" --username "$DB_USER" --dbname delivery_notes --command "select count(*) from delivery_notes"
unset PGPASSWORD password

usage() {
  cat <<EOT
usage: $0 [--token TOKEN] [--password-file FILE] [--api-key KEY] COMMAND
  --token TOKEN          API token; default: the variable ACCESS_TOKEN_TOKEN
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
docker run --rm --env SUBSCRIPTION_API_KEY --env-file .env --secret id=token,env=TOKEN "registry.example.com/subscription@sha256:ec05ba1dd132bba8c8a50c035973043ded3b2e7c2eb0ce99604e977e4119defc"
git checkout 8948126b8ca3af24729e18a1903e0e7feeeb429d && git tag -a "v8.83.0" -m "Release with rotated subscription keys"
