# shellcheck shell=bash disable=SC2034,SC2154
# Images. Not in uwsgi: uploads are chunked, which its HTTP socket refuses.
GLANCE_PORT=9292
PACKAGES+=(glance-api)
DATABASES+=(glance)
SERVICE_USERS+=(glance)
ENDPOINTS+=("glance image http://$HOST:$GLANCE_PORT")
MIGRATIONS+=(glance)
EARLY+=(glance)
PROBE[glance]=http://$HOST:$GLANCE_PORT/

configure_glance() {
  mkdir -p "$STATE/glance/images" "$STATE/glance/staging" "$STATE/glance/tasks"
  cat > "$ETC/glance.conf" <<TEXT
[DEFAULT]
use_stderr = true
bind_host = $HOST
bind_port = $GLANCE_PORT
workers = 0
transport_url = $(broker_url)
enabled_backends = files:file
[glance_store]
default_backend = files
[files]
filesystem_store_datadir = $STATE/glance/images
[os_glance_staging_store]
filesystem_store_datadir = $STATE/glance/staging
[os_glance_tasks_store]
filesystem_store_datadir = $STATE/glance/tasks
[paste_deploy]
flavor = keystone
config_file = /etc/glance/glance-api-paste.ini
$(messaging)
$(database glance)
$(authtoken glance 1)
TEXT
}

migrate_glance() { logged glance-manage glance-manage --config-file "$ETC/glance.conf" db_sync; }

command_glance() { COMMAND=(/usr/bin/glance-api --config-file "$ETC/glance.conf"); }
