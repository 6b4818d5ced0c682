#!/bin/bash
# Makes this server a node of Swarm; {{driver}} {{version}}.

node_name='__NODE_PREFIX__-node-__INDEX__'
masters='__MASTERS__'
# Where Docker listens for the managers.
docker_port={{docker_port}}

{{> report.sh}}

{{> files.sh}}

{{> proxy.sh}}

{{> certificates.sh}}

{{> node_program.sh}}

{{> renewal.sh}}

{{> server.sh}}

{{> images.sh}}

{{> docker.sh}}

{{> trust.sh}}

{{> flannel.sh}}

{{> registry.sh}}

{{> rexray.sh}}

etcd_certs=/etc/etcd/certs
etcd_identity=client

{{> swarm.sh}}

{{> docker_network.sh}}

configure_rexray() {
    [[ $volume_driver == rexray ]] || return 0
    write_rexray_config
    # What it mounts must be seen outside of its container: the image's unit keeps that from Docker.
    put_directory 755 /etc/systemd/system/docker.service.d
    put_file 644 /etc/systemd/system/docker.service.d/magnum-rexray.conf <<<$'[Service]\nMountFlags=shared'
    container_unit rexray 'Volumes of Cinder for containers' "$(image rexray:{{rexray_tag}} {{rexray_registry}})" \
        "$(rexray_options rshared)"
}

places=("$certs/ca.crt" "$certs/server.crt" "$certs/server.key" "$etcd_certs")

get_certificates() {
    fetch_authority /ca "$certs/ca.crt"
    fetch_certificate daemon "$certs/server.key" "$certs/server.crt" "$certs/ca.crt" "${own_addresses[@]}"
    put_directory 755 /etc/etcd
    put_directory 700 "$etcd_certs"
    fetch_authority /authorities/etcd "$etcd_certs/ca.crt"
    fetch_certificate etcd-client "$etcd_certs/client.key" "$etcd_certs/client.crt" "$etcd_certs/ca.crt"
}

# take_certificates: Docker's containers go on meanwhile.
take_certificates() {
    [[ $network_driver != flannel ]] || start_units flanneld.service
    systemctl restart docker.service
    wait_for 'Docker does not answer' docker version
    start_units swarm-agent.service
    wait_for "the managers do not know the node $private_address" is_known
}

configure() {
    local -a tls_options=()
    prepare_docker_server
    put_directory 755 "$certs"
    forget_docker_key

    if [[ $tls == on ]]; then
        first_certificates
        tls_options=(--live-restore --tlsverify "--tlscacert=$certs/ca.crt" "--tlscert=$certs/server.crt" "--tlskey=$certs/server.key")
    fi

    step 'configure Docker'
    configure_docker_network ${tls_options[@]+"${tls_options[@]}"}

    step 'configure Swarm'
    swarm_unit swarm-agent 'Swarm agent' '' "join --advertise $private_address:$docker_port $(swarm_discovery)"
    write_cloud_ca
    configure_rexray
    configure_registry
    hand_over
}

# is_known: whether the agent has told the managers of this server.
is_known() {
    ask_etcd "/v2/keys/swarm/docker/swarm/nodes/$private_address:$docker_port"
}

start() {
    local -a units=(swarm-agent.service)
    wait_for_docker
    step 'get the programs'
    pull_image "$swarm_image"
    [[ $network_driver != flannel ]] || join_flannel

    step 'start Swarm'
    [[ $volume_driver != rexray ]] || units+=(rexray.service)
    [[ $registry != on ]] || units+=(registry.service)
    start_units "${units[@]}"
    wait_for "the managers do not know the node $private_address" is_known

    step 'report'
    report_once "the managers of Swarm $swarm_version know the node $private_address" "$docker_version"
}

# shellcheck disable=SC2086
reach_cloud ${masters//,/ }
case ${1:-} in
    start) start ;;
    renew) renew ;;
    *) configure ;;
esac
