# shellcheck shell=bash disable=SC2034,SC2154
# Secrets, kept encrypted in the database.
BARBICAN_PORT=9311
PACKAGES+=(barbican-api)
DATABASES+=(barbican)
SERVICE_USERS+=(barbican)
ENDPOINTS+=("barbican key-manager http://$HOST:$BARBICAN_PORT")
MIGRATIONS+=(barbican)
EARLY+=(barbican)
PROBE[barbican]=http://$HOST:$BARBICAN_PORT/

configure_barbican() {
  local key=$STATE/barbican/.barbican/key
  install -d -m 700 "$STATE/barbican/.barbican"
  if [ ! -s "$key" ]; then openssl rand -base64 32 > "$key"; fi
  # The WSGI script ignores its arguments and looks in ~/.barbican first.
  cat > "$STATE/barbican/.barbican/barbican.conf" <<TEXT
[DEFAULT]
use_stderr = true
sql_connection = $(database_url barbican)
db_auto_create = false
host_href = http://$HOST:$BARBICAN_PORT
transport_url = $(broker_url)
[queue]
enable = false
[keystone_notifications]
enable = false
[secretstore]
enabled_secretstore_plugins = store_crypto
[crypto]
enabled_crypto_plugins = simple_crypto
[simple_crypto_plugin]
kek = '$(cat "$key")'
$(messaging)
$(authtoken barbican)
TEXT
}

migrate_barbican() { logged barbican-manage env HOME="$STATE/barbican" barbican-manage db upgrade; }

command_barbican() {
  ENVIRONMENT=(HOME="$STATE/barbican")
  wsgi "$BARBICAN_PORT" /usr/bin/barbican-wsgi-api
}
