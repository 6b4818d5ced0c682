# shellcheck shell=bash disable=SC2034,SC2154
# Networks as records: no agent runs. The mechanism driver in plugins/ binds
# each port and calls it active.
NEUTRON_PORT=9696
PACKAGES+=(neutron-api neutron-rpc-server)
DATABASES+=(neutron)
SERVICE_USERS+=(neutron)
ENDPOINTS+=("neutron network http://$HOST:$NEUTRON_PORT")
MIGRATIONS+=(neutron)
EARLY+=(neutron)
PROBE[neutron]=http://$HOST:$NEUTRON_PORT/

configure_neutron() {
  mkdir -p "$STATE/neutron"
  # One process serves the API and RPC: api_workers 0.
  cat > "$ETC/neutron.conf" <<TEXT
[DEFAULT]
use_stderr = true
bind_host = $HOST
bind_port = $NEUTRON_PORT
api_workers = 0
rpc_workers = 1
rpc_state_report_workers = 0
transport_url = $(broker_url)
core_plugin = ml2
service_plugins = router,qos
state_path = $STATE/neutron
api_paste_config = /etc/neutron/api-paste.ini
dhcp_agent_notification = false
max_allowed_address_pair = 50
[ml2]
type_drivers = flat,vxlan
tenant_network_types = vxlan
mechanism_drivers = agentless
extension_drivers = port_security,qos
[ml2_type_flat]
flat_networks = *
[ml2_type_vxlan]
vni_ranges = 1:4000
[securitygroup]
enable_security_group = true
[quotas]
quota_network = -1
quota_subnet = -1
quota_port = -1
quota_router = -1
quota_floatingip = -1
quota_security_group = -1
quota_security_group_rule = -1
[nova]
$(login nova)
[placement]
$(login placement)
$(messaging)
$(database neutron)
$(authtoken neutron 1)
TEXT
}

migrate_neutron() { logged neutron-db-manage neutron-db-manage --config-file "$ETC/neutron.conf" upgrade heads; }

command_neutron() { COMMAND=(/usr/bin/neutron-server --config-file "$ETC/neutron.conf"); }
