# shellcheck shell=bash disable=SC2034,SC2154
# Python Magnum, for clusters that somebody else takes over; see `pymagnum`.
# python3-magnum has all the programs; the paste file, which another package
# would bring with a dialogue about its database, is written here. It has the
# service user `magnum` of data.py, as its successor has: Barbican lets nobody
# but its maker, or an administrator, delete a container.
MAGNUM_PORT=9511
DISCOVERY_PORT=9512
PACKAGES+=(python3-magnum)
DATABASES+=(magnum)
ENDPOINTS+=("magnum container-infra http://$HOST:$MAGNUM_PORT/v1")
MIGRATIONS+=(magnum)
EARLY+=(discovery magnum-conductor magnum-api)
PROBE[discovery]=http://$HOST:$DISCOVERY_PORT/
PROBE[magnum-api]=http://$HOST:$MAGNUM_PORT/

configure_magnum() {
  local client
  mkdir -p "$STATE/magnum"
  cat > "$ETC/magnum.conf" <<TEXT
[DEFAULT]
use_stderr = true
host = magnum-cloud
transport_url = $(broker_url)
state_path = $STATE/magnum
[api]
host = $HOST
port = $MAGNUM_PORT
api_paste_config = $ETC/magnum-paste.ini
[conductor]
workers = 1
[certificates]
cert_manager_type = barbican
[cluster]
etcd_discovery_service_endpoint_format = http://$HOST:$DISCOVERY_PORT/new?size=%(size)d
[cinder]
default_docker_volume_type = __DEFAULT__
default_etcd_volume_type = __DEFAULT__
default_boot_volume_type = __DEFAULT__
[trust]
cluster_user_trust = true
trustee_domain_name = magnum
trustee_domain_admin_name = magnum_domain_admin
trustee_domain_admin_password = $PASSWORD
trustee_keystone_region_name = $REGION
[keystone_auth]
$(login magnum)
$(messaging)
$(database magnum)
$(authtoken magnum)
auth_version = v3
TEXT
  for client in barbican cinder glance heat magnum neutron nova octavia; do
    printf '[%s_client]\nregion_name = %s\n' "$client" "$REGION"
  done >> "$ETC/magnum.conf"
  cat > "$ETC/magnum-paste.ini" <<'TEXT'
[pipeline:main]
pipeline = request_id authtoken service
[filter:request_id]
paste.filter_factory = oslo_middleware:RequestId.factory
[filter:authtoken]
acl_public_routes = /, /v1
paste.filter_factory = magnum.api.middleware.auth_token:AuthTokenMiddleware.factory
[app:service]
paste.app_factory = magnum.api.app:app_factory
TEXT
}

migrate_magnum() {
  logged magnum-db-manage magnum-db-manage --config-file "$ETC/magnum.conf" upgrade head
}

command_magnum-api() { wsgi "$MAGNUM_PORT" /usr/bin/magnum-api-wsgi --config-file "$ETC/magnum.conf"; }

# An interval below zero: nobody asks a cluster's Kubernetes every minute how it
# is. Said here, since the code reads it when it is imported, before its file.
command_magnum-conductor() {
  COMMAND=(/usr/bin/python3 -c "import sys; from magnum.conf import CONF
CONF.set_default('health_polling_interval', -1, 'kubernetes')
from magnum.cmd.conductor import main; sys.exit(main())" --config-file "$ETC/magnum.conf")
}

# No port: it writes itself down once it listens, and then every minute.
answers_magnum-conductor() {
  [ "$(sql -N -e "select count(*) from magnum.magnum_service where \`binary\` = 'magnum-conductor'
    and last_seen_up >= convert_tz(from_unixtime($(stat -c %Y "$RUN/magnum-conductor.pid")), @@session.time_zone, '+00:00')")" -gt 0 ]
}

# Stands for discovery.etcd.io.
command_discovery() { wsgi "$DISCOVERY_PORT" "$HERE/plugins/magnum_test_cloud/discovery.py"; }
