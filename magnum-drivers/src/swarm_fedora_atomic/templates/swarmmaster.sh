#!/bin/bash
# Makes this server a manager of Swarm; {{driver}} {{version}}.

node_name='__NODE_PREFIX__-master-__INDEX__'
api_private_address='__API_PRIVATE_ADDRESS__'
api_public_address='__API_PUBLIC_ADDRESS__'
flannel_cidr='__FLANNEL_CIDR__'
flannel_backend='__FLANNEL_BACKEND__'
subnetlen='__SUBNETLEN__'
strategy='__STRATEGY__'
swarm_port='__SWARM_PORT__'

{{> report.sh}}

{{> files.sh}}

{{> proxy.sh}}

{{> certificates.sh}}

{{> node_program.sh}}

{{> renewal.sh}}

{{> server.sh}}

{{> images.sh}}

{{> docker.sh}}

{{> etcd.sh}}

{{> swarm.sh}}

etcd_identity=server

places=("$certs/ca.crt" "$certs/server.crt" "$certs/server.key" "$etcd_certs")

get_certificates() {
    local -a names=("${own_addresses[@]}" 127.0.0.1)
    [[ -z $api_private_address ]] || names+=("$api_private_address")
    [[ -z $api_public_address ]] || names+=("$api_public_address")
    fetch_authority /ca "$certs/ca.crt"
    fetch_certificate manager "$certs/server.key" "$certs/server.crt" "$certs/ca.crt" "${names[@]}"
    get_etcd_certificates
}

# ask_swarm ARGUMENT...: the manager on this server.
ask_swarm() {
    local -a docker=(docker --host "tcp://127.0.0.1:$swarm_port")
    if [[ $tls == on ]]; then
        docker+=(--tlsverify --tlscacert "$certs/ca.crt" --tlscert "$certs/server.crt" --tlskey "$certs/server.key")
    fi
    "${docker[@]}" "$@"
}

take_certificates() {
    start_units etcd.service
    wait_for 'etcd does not answer' ask_etcd /version
    start_units swarm-manager.service
    wait_for 'Swarm does not answer' ask_swarm version
}

configure() {
    local arguments options="-p $swarm_port:2375"
    prepare_docker_server
    put_directory 755 "$certs"
    forget_docker_key

    if [[ $tls == on ]]; then
        first_certificates
    fi

    step 'configure etcd'
    configure_etcd "$private_address" 127.0.0.1

    step 'configure Swarm'
    arguments="manage -H tcp://0.0.0.0:2375 --strategy $strategy --replication --advertise $private_address:$swarm_port"
    if [[ $tls == on ]]; then
        arguments="$arguments --tlsverify --tlscacert $certs/ca.crt --tlscert $certs/server.crt --tlskey $certs/server.key"
        options="$options -v $certs:$certs:ro"
    fi
    swarm_unit swarm-manager 'Swarm manager' "$options" "$arguments $(swarm_discovery)"
    hand_over
}

# write_network: where flannel on the nodes reads it.
write_network() {
    printf 'value={"Network": "%s", "SubnetLen": %s, "Backend": {"Type": "%s"}}' \
        "$flannel_cidr" "$subnetlen" "$flannel_backend" >"$scratch/network"
    ask_etcd "/v2/keys$flannel_prefix/config" --request PUT --data-binary "@$scratch/network"
}

start() {
    wait_for_docker
    step 'get the programs'
    take_etcd
    pull_image "$swarm_image"

    step 'start etcd'
    start_units etcd.service
    wait_for 'etcd does not answer' ask_etcd /version
    [[ $network_driver != flannel ]] || wait_for "etcd does not take flannel's network" write_network

    step 'start Swarm'
    start_units swarm-manager.service
    wait_for 'Swarm does not answer' ask_swarm version

    step 'report'
    report_once "Swarm $swarm_version answers on port $swarm_port" "$docker_version"
}

# shellcheck disable=SC2086
reach_cloud ${masters//,/ } $api_private_address $api_public_address
case ${1:-} in
    start) start ;;
    renew) renew ;;
    *) configure ;;
esac
