# What every server has that runs Docker from the image: its addresses, what it waits for, Docker, systemd units.

tls='__TLS__'
private_address='__PRIVATE_ADDRESS__'
address='__ADDRESS__'
insecure_registry='__INSECURE_REGISTRY__'
# Seconds after which a run waits for nothing any more: somewhat less than the stack waits for this server.
patience=$((__WAIT_TIMEOUT__ * 7 / 10))

# The addresses by which the cloud knows this server.
own_addresses=("$private_address")
[[ $address == "$private_address" ]] || own_addresses+=("$address")

# reach_cloud ADDRESS...: how this run reaches the node endpoint and Heat; further addresses go without a proxy. It comes
# before all else in each run, or nobody would hear of what fails.
reach_cloud() {
    step 'reach the cloud'
    use_endpoint_ca
    use_proxies "${own_addresses[@]}" "$@"
}

# wait_for_docker: and tell which version it is.
wait_for_docker() {
    step 'wait for Docker'
    wait_for 'Docker does not answer' docker version
    docker_version=$(docker version --format '\{{.Server.Version}}' 2>/dev/null || true)
}

# write_arguments FILE VARIABLE ARGUMENT...: the environment file of a unit.
write_arguments() {
    local file=$1 variable=$2
    shift 2
    printf '%s="%s"\n' "$variable" "$*" >"$scratch/arguments"
    put_file 600 "$file" <"$scratch/arguments"
}

# What the next units start after.
unit_after=network-online.target

# service_unit NAME DESCRIPTION COMMAND [LINE...]: a unit that is always running; further lines of [Service].
service_unit() {
    local name=$1 description=$2 command=$3
    shift 3
    {
        printf '[Unit]\nDescription=%s\nWants=network-online.target\nAfter=%s\n' "$description" "$unit_after"
        printf '[Service]\nExecStart=%s\nRestart=always\nRestartSec=5\nLimitNOFILE=65536\n' "$command"
        (($# == 0)) || printf '%s\n' "$@"
        printf '[Install]\nWantedBy=multi-user.target\n'
    } >"$scratch/unit"
    put_file 644 "/etc/systemd/system/$name.service" <"$scratch/unit"
}

# container_unit NAME DESCRIPTION IMAGE OPTIONS ARGUMENTS: a unit that is a container.
container_unit() {
    put_file 644 "/etc/systemd/system/$1.service" <<UNIT
[Unit]
Description=$2
Requires=docker.service
After=docker.service

[Service]
ExecStartPre=-/usr/bin/docker rm -f $1
ExecStart=/usr/bin/docker run --rm --name $1 $4 $3${5:+ $5}
ExecStop=/usr/bin/docker stop $1
Restart=always
RestartSec=10
TimeoutStartSec=0

[Install]
WantedBy=multi-user.target
UNIT
}

# prepare_docker_server: what comes first on every server.
prepare_docker_server() {
    step 'install this script'
    install_node_program
    proxy_environment
    prepare_docker
}
