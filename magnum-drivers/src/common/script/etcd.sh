# etcd on the masters: its members find each other by the addresses that the stack gave them, or by a discovery URL.

masters='__MASTERS__'
cluster_uuid='__CLUSTER_UUID__'
discovery_url='__DISCOVERY_URL__'

etcd_certs=/etc/etcd/certs
discovery_roots=/etc/etcd/discovery-ca.crt

# get_etcd_certificates: what is in etcd is nobody's business but the masters': it has an authority of its own.
get_etcd_certificates() {
    put_directory 755 /etc/etcd
    put_directory 700 "$etcd_certs"
    fetch_authority /authorities/etcd "$etcd_certs/ca.crt"
    fetch_certificate etcd "$etcd_certs/server.key" "$etcd_certs/server.crt" "$etcd_certs/ca.crt" \
        "$private_address" 127.0.0.1
}

# own_discovery: whether the discovery is the node endpoint's, and that is verified by an authority of its own. etcd
# verifies a discovery by the system's authorities, or by those in this file.
own_discovery() {
    [[ -n $node_endpoint_ca && $discovery_url == "${node_endpoint_url%/v1/clusters/*}/v1/discovery/"* ]]
}

# configure_etcd ADDRESS...: it serves clients at these addresses of the server, and names the first to them; the
# members talk to each other.
configure_etcd() {
    local scheme=http member members='' clients='' own
    [[ $tls != on ]] || scheme=https
    for member in ${masters//,/ }; do
        members=${members:+$members,}$member=$scheme://$member:2380
    done
    for own in "$@"; do
        clients=${clients:+$clients,}$scheme://$own:2379
    done
    {
        printf '%s="%s"\n' ETCD_NAME "$private_address" ETCD_DATA_DIR /var/lib/etcd/default.etcd \
            ETCD_LISTEN_CLIENT_URLS "$clients" ETCD_ADVERTISE_CLIENT_URLS "$scheme://$1:2379" \
            ETCD_LISTEN_PEER_URLS "$scheme://$private_address:2380" \
            ETCD_INITIAL_ADVERTISE_PEER_URLS "$scheme://$private_address:2380"
        if [[ -n $discovery_url ]]; then
            printf 'ETCD_DISCOVERY="%s"\n' "$discovery_url"
            [[ -z $proxy_for_http ]] || printf 'ETCD_DISCOVERY_PROXY="%s"\n' "$proxy_for_http"
            ! own_discovery || printf 'SSL_CERT_FILE="%s"\n' "$discovery_roots"
        else
            printf '%s="%s"\n' ETCD_INITIAL_CLUSTER "$members" ETCD_INITIAL_CLUSTER_STATE new \
                ETCD_INITIAL_CLUSTER_TOKEN "$cluster_uuid"
        fi
        if [[ $tls == on ]]; then
            for member in ETCD ETCD_PEER; do
                printf "${member}_%s=\"%s\"\n" CERT_FILE "$etcd_certs/server.crt" KEY_FILE "$etcd_certs/server.key" \
                    TRUSTED_CA_FILE "$etcd_certs/ca.crt" CLIENT_CERT_AUTH true
            done
        fi
    } >"$scratch/etcd"
    put_directory 755 /etc/etcd
    ! own_discovery || put_file 644 "$discovery_roots" <"$scratch/endpoint-ca.pem"
    put_file 600 /etc/etcd/etcd.conf <"$scratch/etcd"
    put_directory 700 /var/lib/etcd
    service_unit etcd 'Store of the cluster' "$programs/etcd" Type=notify TimeoutStartSec=0 \
        EnvironmentFile=/etc/etcd/etcd.conf
}

take_etcd() {
    take_programs "$(image etcd:{{etcd_version}} {{etcd_registry}})" /usr/local/bin/etcd "$programs/etcd"
    restorecon "$programs/etcd" || true
}
