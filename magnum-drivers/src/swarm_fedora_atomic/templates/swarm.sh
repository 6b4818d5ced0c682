# What managers and nodes of Swarm have in common.

network_driver='__NETWORK_DRIVER__'
swarm_version='__SWARM_VERSION__'

certs=/etc/docker
flannel_prefix=/coreos.com/network
swarm_image=$(image "swarm:$swarm_version" {{docker_registry}})
scheme=http
[[ $tls != on ]] || scheme=https

# etcd_members PREFIX: where etcd is, on all managers; its clients know the prefix once or for each.
etcd_members() {
    local member members=''
    for member in ${masters//,/ }; do
        members=${members:+$members,}$1$member:2379
    done
    printf '%s' "$members"
}

# swarm_discovery: the options by which Swarm's programs find the store of the cluster.
swarm_discovery() {
    if [[ $tls == on ]]; then
        printf '%s ' "--discovery-opt kv.cacertfile=$etcd_certs/ca.crt" \
            "--discovery-opt kv.certfile=$etcd_certs/$etcd_identity.crt" \
            "--discovery-opt kv.keyfile=$etcd_certs/$etcd_identity.key"
    fi
    printf 'etcd://%s/swarm' "$(etcd_members '')"
}

# ask_etcd PATH [CURL OPTION...]: of the first member that answers.
ask_etcd() {
    local path=$1 member
    shift
    for member in ${masters//,/ }; do
        if {
            curl_option url "$scheme://$member:2379$path"
            if [[ $tls == on ]]; then
                curl_option cacert "$etcd_certs/ca.crt"
                curl_option cert "$etcd_certs/$etcd_identity.crt"
                curl_option key "$etcd_certs/$etcd_identity.key"
            fi
        } | curl --config - --silent --show-error --fail --noproxy '*' --connect-timeout 5 --max-time 15 "$@"; then
            return 0
        fi
    done
    return 1
}

# swarm_unit NAME DESCRIPTION OPTIONS ARGUMENTS: one of Swarm's containers, which is a client of etcd.
swarm_unit() {
    local options=$3
    if [[ $tls == on ]]; then
        options="$options --security-opt label:disable -v $etcd_certs:$etcd_certs:ro"
    fi
    container_unit "$1" "$2" "$swarm_image" "$options" "$4"
}

# forget_docker_key: the image's, by which all servers would take each other for the same.
forget_docker_key() {
    [[ -e $state/own-key ]] || rm -f -- /etc/docker/key.json
    put_file 600 "$state/own-key" <<<own
}
