#!/bin/sh
# Writes .env for docker-compose.yml with fresh random secrets, readable by its owner only. Never overwrites one: the
# volumes keep the passwords that they were made with, and a lost NUCLEUS_SECRET_KEY makes stored secrets unreadable.
set -eu
target=${1:-"$(dirname "$0")/../.env"}
if [ -e "$target" ]; then
  echo "$target exists already; remove it first if you want new secrets" >&2
  exit 1
fi
command -v openssl >/dev/null || { echo "openssl is missing; install it with your package manager" >&2; exit 1; }
umask 077
neo4j_password=$(openssl rand -hex 24)
cat >"$target" <<EOF
NEO4J_PASSWORD=$neo4j_password
NEO4J_AUTH=neo4j/$neo4j_password
TEMPORAL_DB_PASSWORD=$(openssl rand -hex 24)
POSTGRES_PASSWORD=$(openssl rand -hex 24)
NUCLEUS_API_TOKEN=$(openssl rand -hex 32)
NUCLEUS_INTERNAL_TOKEN=$(openssl rand -hex 32)
NUCLEUS_SECRET_KEY=$(openssl rand -base64 32)
EOF
echo "wrote $target"
