# shellcheck shell=bash
# Parts that several services' configuration files share. Sourced by `cloud`.

database_url() { echo "mysql+pymysql://cloud:$PASSWORD@$HOST:$DATABASE_PORT/$1?charset=utf8"; }

broker_url() { echo "rabbit://guest:guest@$HOST:$BROKER_PORT/"; }

# The password login of a service user, as the body of a section.
login() {
  cat <<TEXT
auth_type = password
auth_url = $AUTH_URL
username = $1
password = $PASSWORD
project_name = service
user_domain_name = Default
project_domain_name = Default
region_name = $REGION
TEXT
}

# Where a user comes in, validated tokens are not kept: a revoked one is refused
# by the next request. The services that Heat calls a hundred times for a stack
# ask Keystone for each of those calls unless they may remember for a second
# ($2).
authtoken() {
  echo "[keystone_authtoken]"
  login "$1"
  cat <<TEXT
www_authenticate_uri = $AUTH_URL
token_cache_time = ${2:--1}
service_token_roles = service
service_token_roles_required = true
TEXT
}

database() {
  printf '[database]\nconnection = %s\nmax_pool_size = 10\nmax_overflow = 20\n' "$(database_url "$1")"
}

messaging() {
  cat <<TEXT
[oslo_messaging_rabbit]
heartbeat_in_pthread = false
[oslo_messaging_notifications]
driver = noop
[oslo_concurrency]
lock_path = $STATE/lock.d
TEXT
}

sql() { /usr/bin/mariadb --no-defaults -uroot --socket="$STATE/mysql.sock" "$@"; }

# Run a command with its output in a log; show the log's end if it fails.
logged() {
  local name=$1
  shift
  if ! PYTHONPATH="$HERE/plugins" PYTHONDONTWRITEBYTECODE=1 "$@" >> "$LOG/$name.log" 2>&1; then
    printf 'cloud: failed: %s\nThe end of %s:\n' "$*" "$LOG/$name.log" >&2
    tail -n 25 "$LOG/$name.log" >&2
    return 1
  fi
}
