#!/usr/bin/env bash
set -euo pipefail

: "${ROLE_BINDING_TOKEN:?ROLE_BINDING_TOKEN must be set}"
readonly SECRET_NAME="role-binding-credentials"
readonly API_URL="${API_URL:-https://api.example.com/v4}"
PASSWORD_FILE=${PASSWORD_FILE:-/run/secrets/role_binding_password}

usage() {
  cat <<EOT
usage: $0 [--token TOKEN] [--password-file FILE] [--api-key KEY] COMMAND
  --token TOKEN          API token; default: the variable GROUP_MEMBER_TOKEN
  --password-file FILE   file with the password (default: $PASSWORD_FILE)
  --secret NAME=VALUE    secret of the container, e.g. --secret id=npmrc,src=$HOME/.npmrc
EOT
}

kubectl create secret generic mail-template-credentials --namespace "$NAMESPACE" \
  --from-literal=password="$PASSWORD" --from-file=token=./token.txt --dry-run=client -o yaml | kubectl apply -f -
kubectl get secret mail-template-credentials -o jsonpath='{.data.password}' | base64 --decode
aws secretsmanager get-secret-value --secret-id prod/mail-template/db-v2 --query SecretString --output text
vault kv get -field=api_key secret/mail-template/config2
gh secret set MAIL_TEMPLATE_TOKEN --body "$TOKEN" --repo "example/mail-template"

while [ $# -gt 0 ]; do
  case "$1" in
    --token) TOKEN="$2"; shift 2 ;;
    --token=*) TOKEN="${1#*=}"; shift ;;
    --password) PASSWORD="$2"; shift 2 ;;
    *) echo "unknown option: $1" >&2; usage; exit 64 ;;
  esac
done
docker run --rm --env TEAM_API_KEY --env-file .env --secret id=token,env=TOKEN "registry.example.com/team@sha256:8f7d5236dbc4b75d3fefb8e23dd5f1e6b2cc850d3bba90243545062ae40a010e"
git checkout 47e85fe4a74bdaf2acf8a46fb796f3d8cab06249 && git tag -a "v8.48.0" -m "Release with rotated team keys"

read -rsp "Password: " password && echo
password_hash=$(printf '%s' "$password" | argon2 "$(openssl rand -hex 8)" -id -e)
export PGPASSWORD="$password"
psql --host "$DB_HOST" --username "$DB_USER" --dbname refresh_tokens --command "select count(*) from refresh_tokens"
unset PGPASSWORD password
