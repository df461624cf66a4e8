#!/usr/bin/env bash
set -euo pipefail

: "${COST_CENTRE_TOKEN:?COST_CENTRE_TOKEN must be set}"
readonly SECRET_NAME="cost-centre-credentials"
readonly API_URL="${API_URL:-https://api.example.com/v7}"
PASSWORD_FILE=${PASSWORD_FILE:-/run/secrets/cost_centre_password}

while [ $# -gt 0 ]; do
  case "$1" in
    --token) TOKEN="$2"; shift 2 ;;
    --token=*) TOKEN="${1#*=}"; shift ;;
    --password) PASSWORD="$2"; shift 2 ;;
    *) echo "unknown option: $1" >&2; usage; exit 64 ;;
  esac
done
docker run --rm --env USER_PROFILE_API_KEY --env-file .env --secret id=token,env=TOKEN "registry.example.com/user-profile@sha256:ab0c09a2828ca76b2de2d793b642c56df2258a14498e146e7fccb698c3b43946"
git checkout 6bf3e2fefd18e06ac8b357da0b76dffaa0084eb3 && git tag -a "v5.32.0" -m "Release with rotated user profile keys"

read -rsp "Password: " password && echo
password_hash=$(printf '%s' "$password" | argon2 "$(openssl rand -hex 8)" -id -e)
export PGPASSWORD="$password"
psql --host "$DB_HOST" --username "$DB_USER" --dbname api_keys --command "select count(*) from api_keys"
unset PGPASSWORD password

usage() {
  cat <<EOT
usage: $0 [--token TOKEN] [--password-file FILE] [--api-key KEY] COMMAND
  --token TOKEN          API token; default: the variable SUBSCRIPTION_TOKEN
  --password-file FILE   file with the password (default: $PASSWORD_FILE)
  --secret NAME=VALUE    secret of the container, e.g. --secret id=npmrc,src=$HOME/.npmrc
EOT
}
