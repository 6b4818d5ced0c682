# shellcheck shell=bash disable=SC2034,SC2154
# Load balancers as records: the provider is amphora, as in real clouds, with
# Octavia's own no-op drivers below it. Only the port of a load balancer's
# address is real; see plugins/. python3-octavia has all the programs.
OCTAVIA_PORT=9876
PACKAGES+=(python3-octavia)
DATABASES+=(octavia)
SERVICE_USERS+=(octavia)
ENDPOINTS+=("octavia load-balancer http://$HOST:$OCTAVIA_PORT")
MIGRATIONS+=(octavia)
EARLY+=(octavia-worker octavia-api)
PROBE[octavia-api]=http://$HOST:$OCTAVIA_PORT/

configure_octavia() {
  local ca=$STATE/octavia/ca
  mkdir -p "$STATE/octavia"
  # For certificates of amphorae that nobody starts: read and used all the same.
  if [ ! -s "$ca.crt" ]; then
    logged openssl openssl req -x509 -newkey rsa:2048 -days 3650 -subj "/CN=amphorae" \
      -passout "pass:$PASSWORD" -keyout "$ca.key" -out "$ca.crt"
  fi
  cat > "$ETC/octavia.conf" <<TEXT
[DEFAULT]
use_stderr = true
host = magnum-cloud
transport_url = $(broker_url)
[api_settings]
bind_host = $HOST
bind_port = $OCTAVIA_PORT
enabled_provider_drivers = amphora:no amphorae behind it
default_provider_driver = amphora
[controller_worker]
amphora_driver = amphora_noop_driver
compute_driver = compute_noop_driver
image_driver = image_noop_driver
volume_driver = volume_noop_driver
distributor_driver = distributor_noop_driver
network_driver = vip_ports
client_ca = $ca.crt
amp_flavor_id = none
amp_image_tag = none
amp_boot_network_list = 00000000-0000-4000-8000-000000000001
loadbalancer_topology = SINGLE
[certificates]
cert_generator = local_cert_generator
ca_certificate = $ca.crt
ca_private_key = $ca.key
ca_private_key_passphrase = $PASSWORD
server_certs_key_passphrase = insecure-key-do-not-use-this-key
[haproxy_amphora]
server_ca = $ca.crt
client_cert = $ca.crt
[health_manager]
heartbeat_key = none
bind_ip = $HOST
[oslo_messaging]
topic = octavia_prov
[task_flow]
engine = serial
[service_auth]
$(login octavia)
[neutron]
region_name = $REGION
[quotas]
default_load_balancer_quota = -1
default_listener_quota = -1
default_member_quota = -1
default_pool_quota = -1
default_health_monitor_quota = -1
$(messaging)
$(database octavia)
$(authtoken octavia 1)
TEXT
}

migrate_octavia() {
  logged octavia-db-manage octavia-db-manage --config-file "$ETC/octavia.conf" upgrade head
}

command_octavia-api() { wsgi "$OCTAVIA_PORT" /usr/bin/octavia-wsgi --config-file "$ETC/octavia.conf"; }

command_octavia-worker() {
  COMMAND=(/usr/bin/python3 -m magnum_test_cloud.load_balancer_worker --config-file "$ETC/octavia.conf")
}

# No port: it makes its queue when it begins to listen.
answers_octavia-worker() { [ "$STATE/octavia/listens" -nt "$RUN/octavia-worker.pid" ]; }
