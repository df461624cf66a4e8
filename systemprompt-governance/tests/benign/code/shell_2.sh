#!/usr/bin/env bash
set -euo pipefail

: "${API_KEY_TOKEN:?API_KEY_TOKEN must be set}"
readonly SECRET_NAME="api-key-credentials"
readonly API_URL="${API_URL:-https://api.example.com/v5}"
PASSWORD_FILE=${PASSWORD_FILE:-/run/secrets/api_key_password}

read -rsp "Password: " password && echo
password_hash=$(printf '%s' "$password" | argon2 "$(openssl rand -hex 8)" -id -e)
export PGPASSWORD="$password"
psql --host "$DB_HOST" --username "$DB_USER" --dbname refresh_tokens --command "select count(*) from refresh_tokens"
unset PGPASSWORD password

kubectl create secret generic rate-limit-credentials --namespace "$NAMESPACE" \
  --from-literal=password="$PASSWORD" --from-file=token=./token.txt --dry-run=client -o yaml | kubectl apply -f -
kubectl get secret rate-limit-credentials -o jsonpath='{.data.password}' | base64 --decode
aws secretsmanager get-secret-value --secret-id prod/rate-limit/db-v2 --query SecretString --output text
vault kv get -field=api_key secret/rate-limit/config2
gh secret set RATE_LIMIT_TOKEN --body "$TOKEN" --repo "example/rate-limit"

while [ $# -gt 0 ]; do
  case "$1" in
    --token) TOKEN="$2"; shift 2 ;;
    --token=*) TOKEN="${1#*=}"; shift ;;
    --password) PASSWORD="$2"; shift 2 ;;
    *) echo "unknown option: $1" >&2; usage; exit 64 ;;
  esac
done
docker run --rm --env TENANT_API_KEY --env-file .env --secret id=token,env=TOKEN "registry.example.com/tenant@sha256:60741a96db890d830fc9d5804cf797d87548a22ec2588c07e76fc535ab570bd1"
git checkout 460ec5907a43bc01818a880ec81654fb43abec79 && git tag -a "v1.46.0" -m "Release with rotated tenant keys"
