# What masters and slaves of Mesos have in common.

masters='__MASTERS__'
private_address='__PRIVATE_ADDRESS__'
# Seconds after which a run waits for nothing any more: somewhat less than the stack waits for this server.
patience=$((__WAIT_TIMEOUT__ * 7 / 10))

# zookeepers PATH: where Mesos and Marathon find each other.
zookeepers() {
    printf 'zk://%s:2181/%s' "${masters//,/:2181,}" "$1"
}

# option_file FILE VALUE: an option of a program, which reads it from a file of the option's name; none when empty.
option_file() {
    if [[ -n $2 ]]; then
        put_file 644 "$1" <<<"$2"
    elif [[ -e $1 ]]; then
        rm -f -- "$1"
        changed=1
    fi
}

# own_name: the server finds its own name at its own address, which the JVM asks for.
own_name() {
    {
        grep -v '^127\.0\.1\.1[[:space:]]' /etc/hosts | grep -v "[[:space:]]$node_name\$" || true
        printf '%s %s\n' "$private_address" "$node_name"
    } >"$scratch/hosts"
    put_file 644 /etc/hosts <"$scratch/hosts"
}

# proxies_for_docker: the image's service reads them from here.
proxies_for_docker() {
    [[ -n $proxy_for_http$proxy_for_https ]] || return 0
    {
        [[ ! -e /etc/default/docker ]] || sed '/^export [a-zA-Z_]*_proxy=/d; /^export [A-Z_]*_PROXY=/d' /etc/default/docker
        for name in http_proxy https_proxy no_proxy; do
            [[ -z ${!name:-} ]] || printf "export %s='%s' %s='%s'\n" "$name" "${!name}" "${name^^}" "${!name}"
        done
    } >"$scratch/docker-defaults"
    put_directory 755 /etc/default
    put_file 600 /etc/default/docker <"$scratch/docker-defaults"
}

# start_services NAME...: in this order, now and at each boot. The image keeps them from starting by themselves.
start_services() {
    local name
    for name in "$@"; do
        rm -f -- "/etc/init/$name.override"
        if ((changed)) && [[ $(service "$name" status 2>/dev/null || true) == *running* ]]; then
            service "$name" restart
        elif [[ $(service "$name" status 2>/dev/null || true) != *running* ]]; then
            service "$name" start
        fi
    done
}

# wait_for WHAT COMMAND...: until the command succeeds. All waits of a run together have one limit.
wait_for() {
    local what=$1
    shift
    while ! "$@" >"$scratch/answer" 2>&1; do
        ((SECONDS < patience)) || fail "$what: $(tail -n 1 -- "$scratch/answer")"
        sleep 5
    done
}

# ask PORT PATH: of this server.
ask() {
    curl --silent --show-error --fail --noproxy '*' --max-time 15 "http://$private_address:$1$2"
}
