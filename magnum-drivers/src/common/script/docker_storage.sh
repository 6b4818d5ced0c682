# Docker's storage on a volume of its own, through the set-up tool of Fedora's Docker.

docker_volume='__DOCKER_VOLUME__'
storage_driver='__STORAGE_DRIVER__'
volume_device=''

# find_volume: the device that carries the volume's id. The cloud attaches it while the server boots.
find_volume() {
    local attempt link
    for ((attempt = 1; attempt <= 300; attempt++)); do
        for link in /dev/disk/by-id/*"${docker_volume:0:20}"*; do
            if [[ -e $link && $link != *-part* ]]; then
                volume_device=$link
                return 0
            fi
        done
        ((attempt % 10 != 1)) || udevadm trigger --subsystem-match=block || true
        sleep 1
    done
    fail "the volume $docker_volume does not show under /dev/disk/by-id"
}

kernel_at_least() {
    local major minor
    IFS=. read -r major minor _ < <(uname -r)
    ((major > $1 || (major == $1 && ${minor%%[!0-9]*} >= $2)))
}

# edit_file FILE SED-EXPRESSION: changes a file of the image, if it is there.
edit_file() {
    [[ -e $1 ]] || return 0
    sed -E "$2" "$1" >"$scratch/edited"
    put_file "$(stat -c %a -- "$1")" "$1" <"$scratch/edited"
}

# prepare_docker_storage: once for a volume.
prepare_docker_storage() {
    local driver=$storage_driver
    if [[ $driver == overlay ]]; then
        kernel_at_least 3 18 || fail "the overlay storage driver needs a kernel of 3.18 or newer; this is $(uname -r)"
        ! kernel_at_least 4 0 || driver=overlay2
    fi
    if [[ ! -e $state/storage || $(<"$state/storage") != "$docker_volume" ]]; then
        find_volume
        wipefs --all --quiet "$volume_device"
        if [[ $storage_driver == devicemapper ]]; then
            pvcreate --yes "$volume_device"
            vgcreate docker "$volume_device"
        else
            mkfs.xfs -f -n ftype=1 "$volume_device"
            put_directory 711 /var/lib/docker
            {
                [[ ! -e /etc/fstab ]] || sed '\#[[:space:]]/var/lib/docker[[:space:]]#d' /etc/fstab
                printf '%s /var/lib/docker xfs defaults,nofail 0 0\n' "$volume_device"
            } >"$scratch/fstab"
            put_file 644 /etc/fstab <"$scratch/fstab"
            mount /var/lib/docker
            restorecon /var/lib/docker || true
        fi
        put_file 600 "$state/storage" <<<"$docker_volume"
    fi
    put_directory 755 /etc/sysconfig
    edit_file /etc/sysconfig/docker-storage 's/^DOCKER_STORAGE_OPTIONS=.*/DOCKER_STORAGE_OPTIONS=/'
    if [[ $storage_driver == devicemapper ]]; then
        put_file 644 /etc/sysconfig/docker-storage-setup <<<$'STORAGE_DRIVER=devicemapper\nVG=docker'
    else
        put_file 644 /etc/sysconfig/docker-storage-setup <<<"STORAGE_DRIVER=$driver"
        put_directory 755 /etc/systemd/system/docker.service.d
        put_file 644 /etc/systemd/system/docker.service.d/magnum-storage.conf \
            <<<$'[Unit]\nRequiresMountsFor=/var/lib/docker'
        # Labels cannot be kept in all overlays. The server itself stays enforcing.
        edit_file /etc/sysconfig/docker 's/(^|[[:space:]"'\''])--selinux-enabled(=true)?([[:space:]"'\'']|$)/\1\3/'
    fi
}
