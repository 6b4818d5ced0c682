# shellcheck shell=bash disable=SC2034,SC2154
# What Nova's scheduler asks.
PLACEMENT_PORT=8778
PACKAGES+=(placement-api)
DATABASES+=(placement)
SERVICE_USERS+=(placement)
ENDPOINTS+=("placement placement http://$HOST:$PLACEMENT_PORT")
MIGRATIONS+=(placement)
EARLY+=(placement)
PROBE[placement]=http://$HOST:$PLACEMENT_PORT/

configure_placement() {
  mkdir -p "$ETC/placement"
  cat > "$ETC/placement/placement.conf" <<TEXT
[DEFAULT]
use_stderr = true
[api]
auth_strategy = keystone
[placement_database]
connection = $(database_url placement)
$(authtoken placement 1)
TEXT
}

migrate_placement() {
  logged placement-manage placement-manage --config-file "$ETC/placement/placement.conf" db sync
}

command_placement() {
  ENVIRONMENT=(OS_PLACEMENT_CONFIG_DIR="$ETC/placement")
  wsgi "$PLACEMENT_PORT" /usr/bin/placement-api
}
