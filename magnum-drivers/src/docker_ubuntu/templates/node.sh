#!/bin/bash
# Makes this server a Docker host; {{driver}} {{version}}.

{{> report.sh}}

{{> files.sh}}

{{> proxy.sh}}

{{> packages.sh}}

{{> certificates.sh}}

state=/var/lib/magnum
node_program=/usr/local/sbin/magnum-node
reported=$state/reported

{{> renewal.sh}}

tls='__TLS__'
docker_port='__DOCKER_PORT__'
private_address='__PRIVATE_ADDRESS__'
floating_address='__FLOATING_ADDRESS__'
insecure_registry='__INSECURE_REGISTRY__'

# The addresses by which the cloud knows this node.
addresses=("$private_address")
[[ -z $floating_address ]] || addresses+=("$floating_address")

places=(/etc/docker/ca.pem /etc/docker/server.pem /etc/docker/server-key.pem)

get_certificates() {
    fetch_authority /ca /etc/docker/ca.pem
    fetch_certificate server /etc/docker/server-key.pem /etc/docker/server.pem /etc/docker/ca.pem "${addresses[@]}"
}

wait_for_docker() {
    local attempt
    step 'wait for Docker'
    for ((attempt = 1; ; attempt++)); do
        if docker --host unix:///var/run/docker.sock version >/dev/null 2>"$scratch/docker-error"; then
            break
        fi
        ((attempt < 60)) || fail "the daemon does not answer: $(tail -n 1 -- "$scratch/docker-error")"
        sleep 2
    done
}

# take_certificates: containers go on meanwhile.
take_certificates() {
    systemctl restart docker.service || fail 'docker.service does not start; journalctl -u docker says why'
    wait_for_docker
}

configure() {
    apt_proxies
    step 'install Docker'
    local -a wanted=(ca-certificates curl openssl)
    package_installed docker-ce || wanted+=(docker.io)
    install_packages "${wanted[@]}"

    put_directory 700 /etc/docker
    put_directory 700 "$state"
    if [[ $tls == on ]]; then
        put_directory 755 "${node_program%/*}"
        put_file 700 "$node_program" <"${BASH_SOURCE[0]}"
        first_certificates
    fi

    step 'configure Docker'
    {
        printf '{\n'
        printf '  "hosts": ["fd://", "tcp://0.0.0.0:%s"],\n' "$docker_port"
        printf '  "storage-driver": "overlay2",\n'
        [[ -z $insecure_registry ]] || printf '  "insecure-registries": ["%s"],\n' "$insecure_registry"
        if [[ $tls == on ]]; then
            # New certificates need a restart, and containers shall not.
            printf '  "live-restore": true,\n'
            printf '  "tlscacert": "/etc/docker/ca.pem",\n'
            printf '  "tlscert": "/etc/docker/server.pem",\n'
            printf '  "tlskey": "/etc/docker/server-key.pem",\n'
            printf '  "tlsverify": true\n'
        else
            # Said in so many words: without it recent versions wait or refuse.
            printf '  "tls": false\n'
        fi
        printf '}\n'
    } >"$scratch/daemon.json"
    put_file 600 /etc/docker/daemon.json <"$scratch/daemon.json"

    # The packaged unit names a socket on the command line, which excludes "hosts" in daemon.json.
    put_directory 755 /etc/systemd/system/docker.service.d
    put_file 644 /etc/systemd/system/docker.service.d/magnum-listen.conf <<'UNIT'
[Service]
ExecStart=
ExecStart=/usr/bin/dockerd --containerd=/run/containerd/containerd.sock
UNIT
    proxy_drop_in docker.service

    step 'start Docker'
    systemctl daemon-reload
    systemctl --quiet enable docker.service
    if ((changed)) || ! systemctl --quiet is-active docker.service; then
        systemctl restart docker.service || fail 'docker.service does not start; journalctl -u docker says why'
    fi

    wait_for_docker

    step 'report'
    report SUCCESS "Docker listens on tcp port $docker_port"
    put_file 600 "$reported" <<<once
}

step 'set up proxies'
use_endpoint_ca
use_proxies "${addresses[@]}"
if [[ ${1:-} == renew ]]; then
    renew
else
    configure
fi
