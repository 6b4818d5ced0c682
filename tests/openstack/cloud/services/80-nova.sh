# shellcheck shell=bash disable=SC2034,SC2154
# Servers as records: Nova's own fake driver. Debian's nova-compute package
# would bring libvirt; python3-nova has the code without it.
NOVA_PORT=8774
PACKAGES+=(nova-api nova-conductor nova-scheduler python3-nova)
DATABASES+=(nova nova_api nova_cell0)
SERVICE_USERS+=(nova)
ENDPOINTS+=("nova compute http://$HOST:$NOVA_PORT/v2.1")
MIGRATIONS+=(nova)
EARLY+=(nova-conductor nova-scheduler nova-api)
# It reports to Placement once at its start and then each minute: start it when
# Placement answers.
LATE+=(nova-compute)
PROBE[nova-api]=http://$HOST:$NOVA_PORT/

configure_nova() {
  mkdir -p "$STATE/nova/instances"
  cat > "$ETC/nova.conf" <<TEXT
[DEFAULT]
use_stderr = true
host = magnum-cloud
my_ip = $HOST
transport_url = $(broker_url)
compute_driver = fake.FakeDriver
enabled_apis = osapi_compute
osapi_compute_listen = $HOST
osapi_compute_listen_port = $NOVA_PORT
osapi_compute_workers = 1
state_path = $STATE/nova
instances_path = $STATE/nova/instances
vif_plugging_is_fatal = false
vif_plugging_timeout = 0
cpu_allocation_ratio = 100.0
ram_allocation_ratio = 100.0
disk_allocation_ratio = 100.0
[api]
auth_strategy = keystone
[wsgi]
api_paste_config = /etc/nova/api-paste.ini
[api_database]
connection = $(database_url nova_api)
[conductor]
workers = 1
[scheduler]
workers = 1
[filter_scheduler]
track_instance_changes = false
[quota]
instances = -1
cores = -1
ram = -1
key_pairs = -1
server_groups = -1
server_group_members = -1
[vnc]
enabled = false
[glance]
api_servers = http://$HOST:9292
[placement]
$(login placement)
[neutron]
$(login neutron)
[cinder]
catalog_info = volumev3::publicURL
os_region_name = $REGION
$(login nova)
[service_user]
send_service_user_token = true
$(login nova)
$(messaging)
$(database nova)
$(authtoken nova 1)
TEXT
  # A compute node is not allowed a way to the databases.
  awk '/^\[/ {skip = ($0 == "[database]" || $0 == "[api_database]")} !skip' \
    "$ETC/nova.conf" > "$ETC/nova-compute.conf"
}

migrate_nova() {
  local manage=(logged nova-manage nova-manage --config-file "$ETC/nova.conf")
  "${manage[@]}" api_db sync
  "${manage[@]}" cell_v2 map_cell0 --database_connection "$(database_url nova_cell0)"
  "${manage[@]}" db sync
  if [ "$(sql -N -e 'select count(*) from nova_api.cell_mappings where name = "cell1"')" = 0 ]; then
    "${manage[@]}" cell_v2 create_cell --name cell1
  fi
}

command_nova-conductor() { COMMAND=(/usr/bin/nova-conductor --config-file "$ETC/nova.conf"); }

command_nova-scheduler() { COMMAND=(/usr/bin/nova-scheduler --config-file "$ETC/nova.conf"); }

command_nova-api() { COMMAND=(/usr/bin/nova-api --config-file "$ETC/nova.conf"); }

command_nova-compute() {
  COMMAND=(/usr/bin/python3 -c "import sys; from nova.cmd.compute import main; sys.exit(main())"
    --config-file "$ETC/nova-compute.conf")
}

# Up when a server can be put there: the host has reported and is in its cell.
answers_nova-compute() {
  if [ "$(sql -N -e 'select count(*) from nova_api.host_mappings')" = 0 ]; then
    if [ "$(sql -N -e 'select count(*) from nova.compute_nodes')" = 0 ]; then return 1; fi
    logged nova-manage nova-manage --config-file "$ETC/nova.conf" cell_v2 discover_hosts
  fi
  [ "$(sql -N -e 'select count(*) from placement.inventories')" -gt 0 ] \
    && [ "$(sql -N -e "select count(*) from nova.services where topic = 'compute' and last_seen_up > utc_timestamp() - interval 50 second")" -gt 0 ]
}
