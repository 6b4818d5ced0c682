#!/bin/bash
# Stands in the place of a command: writes down how it was called, and fails or answers as files in the scratch
# directory say. A line of calls under fail-call/ makes exactly that call fail.
name=${0##*/}
home=$SCRATCH_HOME
call=$name
(($# == 0)) || call="$name $*"
printf '%s\n' "$call" >>"$home/commands"
if [[ -e $home/fail/$name ]]; then
    cat "$home/fail/$name" >&2
    exit 100
fi
if [[ -e $home/fail-call && $(<"$home/fail-call") == "$call" ]]; then
    printf '%s is out of order\n' "$name" >&2
    exit 100
fi
case $name in
    apt-get) printf '%s\n' "$@" >>"$home/installed" ;;
    dpkg-query) grep -qxF -- "${!#}" "$home/installed" && printf installed ;;
    systemctl)
        words=("$@")
        unit=${words[-1]}
        if [[ " $* " == *' restart '* ]]; then
            [[ ! -e $home/fail/systemctl-restart ]] || exit 1
            touch "$home/active/$unit"
            # Of this one the scripts wait for what it makes.
            if [[ $unit == flanneld.service && ! -e $home/root/run/flannel && ! -e $home/fail/flannel ]]; then
                mkdir -p "$home/root/run/flannel"
                printf 'FLANNEL_SUBNET=10.100.1.1/24\n' >"$home/root/run/flannel/subnet.env"
            fi
        elif [[ " $* " == *' is-active '* ]]; then
            [[ -e $home/active/$unit ]] || exit 3
        fi
        ;;
    service)
        case ${2:-} in
            status) [[ ! -e $home/active/$1 ]] || printf '%s start/running, process 1\n' "$1" ;;
            start | restart) touch "$home/active/$1" ;;
        esac
        ;;
    mesos-master) printf 'mesos 0.25.0\n' ;;
    uname) cat "$home/kernel" ;;
    journalctl) printf 'flannel says why\n' ;;
    iptables) [[ $* != *--check* || -e $home/guarded ]] || exit 1 ;;
    docker)
        case "$1 ${2:-}" in
            'version --format') printf '1.13.1\n' ;;
            'inspect '*)
                [[ ! -e $home/active/rexray ]] || printf 'true\n'
                ;;
            'run '*) touch "$home/active/rexray" ;;
            'create '*) printf 'container\n' ;;
            'info '*) printf 'Server Version: 1.13.1\n Cgroup Driver: systemd\n' ;;
            'cp '*)
                if [[ $2 == */. ]]; then
                    printf 'plugin\n' >"$3/flannel"
                else
                    rm -f -- "$3"
                    install -m 755 -- "$home/bin/docker" "$3"
                fi
                ;;
        esac
        ;;
    curl)
        # Mesos and Marathon are not there: they answer as they do when they are well.
        if [[ $* == *http://*:5050/* || $* == *http://*:8080/* || $* == *http://*:5051/* ]]; then
            [[ ! -e $home/fail/mesos ]] || {
                cat "$home/fail/mesos" >&2
                exit 22
            }
            if [[ -e $home/fail/mesos-state ]]; then
                cat "$home/fail/mesos-state"
            else
                printf '{"id":"20151126-S0","master_hostname":"10.0.0.10"}\n'
            fi
            exit 0
        fi
        # The configuration comes through the pipe; the arguments are what others would see.
        cat >"$home/curl-config"
        cat "$home/curl-config" >>"$home/curl-configs"
        # The managers' etcd is not there: it takes what it is told, or nothing.
        url=$(sed -n 's/^url "\(.*\)"$/\1/p' "$home/curl-config")
        if [[ $url == *:2379/* ]]; then
            printf 'etcd %s\n' "$url" >>"$home/commands"
            if [[ -e $home/fail/etcd ]]; then
                cat "$home/fail/etcd" >&2
                exit 22
            fi
            for word in "$@"; do
                [[ $word != @* ]] || cat "${word#@}" >"$home/etcd-data"
            done
            exit 0
        fi
        exec /usr/bin/curl "$@" <"$home/curl-config"
        ;;
esac
