#!/bin/bash
# Makes this server a Mesos slave; {{driver}} {{version}}.

node_name='__NODE_PREFIX__-slave-__INDEX__'
registration_timeout='__REGISTRATION_TIMEOUT__'
isolation='__ISOLATION__'
image_providers='__IMAGE_PROVIDERS__'
work_dir='__WORK_DIR__'
executor_env_file='__EXECUTOR_ENV_FILE__'
executor_env_variables='__EXECUTOR_ENV_VARIABLES__'

{{> report.sh}}

{{> files.sh}}

{{> proxy.sh}}

{{> trust.sh}}

{{> rexray.sh}}

{{> cinder_volume.sh}}

{{> mesos.sh}}

state=/var/lib/magnum

# prepare_storage: a file system on the volume, where there is one, before Docker writes to where it will be.
prepare_storage() {
    [[ -n $storage_id ]] || return 0
    put_directory 700 "$state"
    if [[ ! -e $state/storage || $(<"$state/storage") != "$storage_id" ]]; then
        find_storage
        wipefs --all "$storage_device"
        mkfs.ext4 -q -F "$storage_device"
        put_directory 711 /var/lib/docker
        {
            [[ ! -e /etc/fstab ]] || sed '\#[[:space:]]/var/lib/docker[[:space:]]#d' /etc/fstab
            printf '%s /var/lib/docker ext4 defaults,nobootwait 0 0\n' "$storage_device"
        } >"$scratch/fstab"
        put_file 644 /etc/fstab <"$scratch/fstab"
        mount /var/lib/docker
        put_file 600 "$state/storage" <<<"$storage_id"
    fi
    # At a boot Docker must not be there before its storage is.
    put_directory 755 /etc/init
    put_file 644 /etc/init/magnum-storage.conf <<'JOB'
description "Docker finds its storage"
start on starting docker
task
script
    mountpoint -q /var/lib/docker || mount /var/lib/docker
end script
JOB
}

# configure_executors: the variables of executors, from a file that is there or one that is written here.
configure_executors() {
    local file=$executor_env_file
    if [[ -n $executor_env_variables ]]; then
        file=/etc/executor_environment_variables
        base64 --decode <<<"$executor_env_variables" >"$scratch/variables" ||
            fail 'the variables of executors are not base64'
        put_file 644 "$file" <"$scratch/variables"
    fi
    [[ -z $file || -r $file ]] || fail "the file $file with the variables of executors is not on this server"
    option_file /etc/mesos-slave/executor_environment_variables "${file:+file://$file}"
}

# share_mounts: what REX-Ray mounts in its container Docker must see, at each boot from before it starts.
share_mounts() {
    [[ $volume_driver == rexray ]] || return 0
    put_directory 755 /etc/init
    put_file 644 /etc/init/magnum-rexray.conf <<'JOB'
description "Docker sees what REX-Ray mounts"
start on starting docker
task
exec mount --make-rshared /
JOB
    mount --make-rshared /
}

# start_rexray: Docker starts it again at each boot.
start_rexray() {
    [[ $volume_driver == rexray ]] || return 0
    step 'start REX-Ray'
    write_cloud_ca
    write_rexray_config
    if ((changed)) || [[ $(docker inspect --format '\{{.State.Running}}' rexray 2>/dev/null || true) != true ]]; then
        docker rm --force rexray >/dev/null 2>&1 || true
        # shellcheck disable=SC2046
        docker run --detach --restart always --name rexray $(rexray_options rshared) {{rexray_image}} >"$scratch/rexray-run" 2>&1 ||
            fail "docker run: $(tail -n 1 -- "$scratch/rexray-run")"
    fi
}

# has_joined: whether a master knows this slave, which then has an id; it names a master as soon as it has found one.
has_joined() {
    ask 5051 /state >"$scratch/state" &&
        grep -q '"master_hostname"' "$scratch/state" && grep -q '"id":"[^"]' "$scratch/state"
}

step 'reach the cloud'
# shellcheck disable=SC2086
use_proxies "$private_address" ${masters//,/ }
proxy_environment
proxies_for_docker
own_name

step 'prepare the storage of Docker'
prepare_storage

step 'configure Mesos'
put_directory 755 /etc/mesos
put_directory 755 /etc/mesos-slave
put_file 644 /etc/mesos/zk <<<"$(zookeepers mesos)"
option_file /etc/mesos-slave/ip "$private_address"
option_file /etc/mesos-slave/hostname "$private_address"
option_file /etc/mesos-slave/containerizers docker,mesos
option_file /etc/mesos-slave/executor_registration_timeout "$registration_timeout"
option_file /etc/mesos-slave/isolation "$isolation"
option_file /etc/mesos-slave/image_providers "$image_providers"
option_file /etc/mesos-slave/work_dir "$work_dir"
configure_executors

step 'start Docker'
share_mounts
start_services docker
wait_for 'Docker does not answer' docker version
docker_version=$(docker version --format '\{{.Server.Version}}' 2>/dev/null || true)
start_rexray

step 'start the slave'
start_services mesos-slave
wait_for 'the masters do not know this slave' has_joined

step 'report'
report SUCCESS 'the masters know this slave' "$docker_version"
