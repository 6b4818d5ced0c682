# How the node's Docker listens for the managers, and how its containers reach those of other nodes.

# write_docker_options OPTION...: what the image's own unit reads.
write_docker_options() {
    printf 'DOCKER_NETWORK_OPTIONS="%s"\n' "$*" >"$scratch/docker-network"
    put_file 644 /etc/sysconfig/docker-network <"$scratch/docker-network"
}

# configure_docker_network OPTION...: with these options.
configure_docker_network() {
    local -a options=(-H unix:///var/run/docker.sock -H "tcp://0.0.0.0:$docker_port" "$@")
    if [[ $network_driver == docker ]]; then
        options+=("--cluster-store=etcd://$(etcd_members '')" "--cluster-advertise=$private_address:$docker_port")
        if [[ $tls == on ]]; then
            options+=("--cluster-store-opt=kv.cacertfile=$etcd_certs/ca.crt"
                "--cluster-store-opt=kv.certfile=$etcd_certs/client.crt"
                "--cluster-store-opt=kv.keyfile=$etcd_certs/client.key")
        fi
    else
        configure_flannel
    fi
    write_docker_options "${options[@]}"
}

# configure_flannel: it runs before Docker, whose bridge gets this server's part of the network.
configure_flannel() {
    local command
    command="$programs/flanneld -etcd-endpoints=$(etcd_members "$scheme://") -etcd-prefix=$flannel_prefix"
    if [[ $tls == on ]]; then
        command="$command -etcd-cafile=$etcd_certs/ca.crt -etcd-certfile=$etcd_certs/client.crt"
        command="$command -etcd-keyfile=$etcd_certs/client.key"
    fi
    service_unit flanneld 'Network of the containers' "$command -ip-masq -iface=$private_address"
    put_directory 755 /etc/systemd/system/docker.service.d
    put_file 755 "$programs/flannel-docker-bridge" <<'BRIDGE'
#!/bin/bash
for ((second = 0; second < 60; second++)); do
    [[ ! -s /run/flannel/subnet.env ]] || break
    sleep 1
done
set -e
. /run/flannel/subnet.env
. /etc/sysconfig/docker-network
printf 'DOCKER_NETWORK_OPTIONS="%s --bip=%s --mtu=%s --ip-masq=false"\n' \
    "$DOCKER_NETWORK_OPTIONS" "$FLANNEL_SUBNET" "$FLANNEL_MTU" >/run/flannel/docker
BRIDGE
    put_file 644 /etc/systemd/system/flannel-docker-bridge.service <<UNIT
[Unit]
Description=This server's part of flannel's network for Docker
After=flanneld.service
Before=docker.service
ConditionPathExists=$programs/flanneld

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/bash $programs/flannel-docker-bridge

[Install]
WantedBy=multi-user.target
UNIT
    put_file 644 /etc/systemd/system/docker.service.d/magnum-flannel.conf <<'UNIT'
[Unit]
Wants=flannel-docker-bridge.service
After=flannel-docker-bridge.service

[Service]
EnvironmentFile=-/run/flannel/docker
UNIT
}

# join_flannel: at the first boot Docker brings flannel, and is then started anew with its network.
join_flannel() {
    step 'join the network of the containers'
    take_programs "$(image flannel:{{flannel_version}} {{flannel_registry}})" /opt/bin/flanneld "$programs/flanneld"
    restorecon "$programs/flanneld" || true
    start_units flanneld.service
    wait_for 'flannel has no network for this server' has_network
    if ! systemctl --quiet is-active flannel-docker-bridge.service; then
        systemctl --quiet enable flannel-docker-bridge.service
        systemctl restart flannel-docker-bridge.service
        systemctl restart docker.service
        wait_for 'Docker does not answer' docker version
    fi
}
