# shellcheck shell=bash disable=SC2034,SC2154
# Orchestration: one engine and the API. Nodes signal with a token, so the
# CloudFormation API, which takes signed URLs, is not needed.
HEAT_PORT=8004
PACKAGES+=(heat-api heat-engine)
DATABASES+=(heat)
SERVICE_USERS+=(heat)
ENDPOINTS+=("heat orchestration http://$HOST:$HEAT_PORT/v1/%(tenant_id)s")
MIGRATIONS+=(heat)
EARLY+=(heat-api heat-engine)
PROBE[heat-api]=http://$HOST:$HEAT_PORT/

configure_heat() {
  local key=$STATE/heat-key
  if [ ! -s "$key" ]; then (umask 077; openssl rand -hex 16 > "$key"); fi
  # [trustee] has no project: Heat adds a trust's id, and a login has one scope.
  # An empty trusts_delegated_roles delegates every role of the token.
  # Without the two CFN addresses Heat looks for one in the catalog and fails a
  # server whose user_data_format is left at its default; nothing listens there.
  cat > "$ETC/heat.conf" <<TEXT
[DEFAULT]
use_stderr = true
transport_url = $(broker_url)
num_engine_workers = 1
region_name_for_services = $REGION
heat_metadata_server_url = http://$HOST:8000
heat_waitcondition_server_url = http://$HOST:8000/v1/waitcondition
stack_user_domain_name = heat
stack_domain_admin = heat_domain_admin
stack_domain_admin_password = $PASSWORD
deferred_auth_method = trusts
trusts_delegated_roles =
auth_encryption_key = $(cat "$key")
server_keystone_endpoint_type = public
max_stacks_per_tenant = 1000
max_resources_per_stack = -1
max_nested_stack_depth = 10
[heat_api]
bind_host = $HOST
[paste_deploy]
api_paste_config = /etc/heat/api-paste.ini
[trustee]
$(login heat | grep -v '^project')
[clients]
endpoint_type = publicURL
[clients_keystone]
auth_uri = http://$HOST:$KEYSTONE_PORT
[cache]
enabled = false
$(messaging)
$(database heat)
$(authtoken heat)
TEXT
}

migrate_heat() { logged heat-manage heat-manage --config-file "$ETC/heat.conf" db_sync; }

command_heat-api() { wsgi "$HEAT_PORT" /usr/bin/heat-wsgi-api --config-file "$ETC/heat.conf"; }

command_heat-engine() { COMMAND=(/usr/bin/heat-engine --config-file "$ETC/heat.conf"); }

# The engine has no port; it writes itself down when it starts to listen.
answers_heat-engine() {
  [ "$(sql -N -e "select count(*) from heat.service where deleted_at is null
    and created_at >= convert_tz(from_unixtime($(stat -c %Y "$RUN/heat-engine.pid")), @@session.time_zone, '+00:00')")" -gt 0 ]
}
