# shellcheck shell=bash disable=SC2034,SC2154
# Volumes as records, by the driver in plugins/. Debian's cinder-volume package
# would bring lvm2 and tgt, cinder-common half of device-mapper: python3-cinder
# has all the code, and what those add is written here.
CINDER_PORT=8776
PACKAGES+=(python3-cinder)
DATABASES+=(cinder)
SERVICE_USERS+=(cinder)
# Heat asks for the first type, newer clients for the second.
ENDPOINTS+=("cinderv3 volumev3 http://$HOST:$CINDER_PORT/v3/%(project_id)s"
  "cinder block-storage http://$HOST:$CINDER_PORT/v3/%(project_id)s")
MIGRATIONS+=(cinder)
EARLY+=(cinder-volume cinder-api)
PROBE[cinder-api]=http://$HOST:$CINDER_PORT/

configure_cinder() {
  mkdir -p "$STATE/cinder"
  # The scheduler refuses volumes until the volume service has said what it can
  # hold, which by itself it would do in the second minute.
  cat > "$ETC/cinder.conf" <<TEXT
[DEFAULT]
use_stderr = true
host = magnum-cloud
my_ip = $HOST
transport_url = $(broker_url)
state_path = $STATE/cinder
auth_strategy = keystone
api_paste_config = $ETC/cinder-paste.ini
resource_query_filters_file = $ETC/cinder-filters.json
enabled_backends = records
default_volume_type = __DEFAULT__
glance_api_servers = http://$HOST:9292
periodic_interval = 3
periodic_fuzzy_delay = 0
backend_stats_polling_interval = 3
quota_volumes = -1
quota_snapshots = -1
quota_gigabytes = -1
[records]
volume_driver = magnum_test_cloud.volumes.RecordDriver
volume_backend_name = records
[nova]
$(login nova)
[service_user]
send_service_user_token = true
$(login cinder)
$(messaging)
$(database cinder)
$(authtoken cinder 1)
TEXT
  cat > "$ETC/cinder-paste.ini" <<'TEXT'
[composite:osapi_volume]
use = call:cinder.api:root_app_factory
/: versions
/v3: v3
[pipeline:versions]
pipeline = request_id fault version_list
[composite:v3]
use = call:cinder.api.middleware.auth:pipeline_factory
keystone = request_id fault size authtoken context volumes
[filter:request_id]
paste.filter_factory = cinder.api.middleware.request_id:RequestId.factory
[filter:fault]
paste.filter_factory = cinder.api.middleware.fault:FaultWrapper.factory
[filter:size]
paste.filter_factory = oslo_middleware.sizelimit:RequestBodySizeLimiter.factory
[filter:authtoken]
paste.filter_factory = keystonemiddleware.auth_token:filter_factory
[filter:context]
paste.filter_factory = cinder.api.middleware.auth:CinderKeystoneContext.factory
[app:version_list]
paste.app_factory = cinder.api.versions:Versions.factory
[app:volumes]
paste.app_factory = cinder.api.v3.router:APIRouter.factory
TEXT
  echo '{"volume": ["name", "status", "metadata", "bootable", "size"]}' > "$ETC/cinder-filters.json"
}

migrate_cinder() {
  logged cinder-manage /usr/bin/python3 -c "import sys; from cinder.cmd.manage import main; sys.exit(main())" \
    --config-file "$ETC/cinder.conf" db sync
}

command_cinder-api() {
  wsgi "$CINDER_PORT" "$HERE/plugins/magnum_test_cloud/volume_api.py" --config-file "$ETC/cinder.conf"
}

# The scheduler too, in the same process.
command_cinder-volume() {
  COMMAND=(/usr/bin/python3 -m magnum_test_cloud.volume_services --config-file "$ETC/cinder.conf")
}

# No port: both write themselves down when they start to listen.
answers_cinder-volume() {
  [ "$(sql -N -e "select count(*) from cinder.services where not deleted
    and updated_at >= convert_tz(from_unixtime($(stat -c %Y "$RUN/cinder-volume.pid")), @@session.time_zone, '+00:00')")" -ge 2 ]
}
