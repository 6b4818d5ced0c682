# Docker on Fedora: what the image's own unit reads, and its storage on a disk of its own, through the set-up tool.

storage_driver='__STORAGE_DRIVER__'

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

# prepare_docker_storage: once for a disk. Another fragment says which that is, and finds it.
prepare_docker_storage() {
    local driver=$storage_driver
    if [[ $driver == overlay ]]; then
        kernel_at_least 3 18 || fail "the overlay storage driver needs a kernel of 3.18 or newer; this is $(uname -r)"
        ! kernel_at_least 4 0 || driver=overlay2
    fi
    if [[ ! -e $state/storage || $(<"$state/storage") != "$storage_id" ]]; then
        find_storage
        wipefs --all --quiet "$storage_device"
        if [[ $storage_driver == devicemapper ]]; then
            pvcreate --yes "$storage_device"
            vgcreate docker "$storage_device"
        else
            mkfs.xfs -f -n ftype=1 ${storage_label:+-L "$storage_label"} "$storage_device"
            put_directory 711 /var/lib/docker
            {
                [[ ! -e /etc/fstab ]] || sed '\#[[:space:]]/var/lib/docker[[:space:]]#d' /etc/fstab
                printf '%s /var/lib/docker xfs defaults,nofail 0 0\n' \
                    "${storage_label:+LABEL=}${storage_label:-$storage_device}"
            } >"$scratch/fstab"
            put_file 644 /etc/fstab <"$scratch/fstab"
            mount /var/lib/docker
            restorecon /var/lib/docker || true
        fi
        put_file 600 "$state/storage" <<<"$storage_id"
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

# configure_docker: what the image's own unit reads.
configure_docker() {
    if [[ -n $insecure_registry ]]; then
        {
            [[ ! -e /etc/sysconfig/docker ]] || sed '/^INSECURE_REGISTRY=/d' /etc/sysconfig/docker
            printf "INSECURE_REGISTRY='--insecure-registry %s'\n" "$insecure_registry"
        } >"$scratch/docker"
        put_file 644 /etc/sysconfig/docker <"$scratch/docker"
    fi
    proxy_drop_in docker.service
}

prepare_docker() {
    step 'prepare the storage of Docker'
    put_directory 755 /etc/sysconfig
    prepare_docker_storage
    configure_docker
}
