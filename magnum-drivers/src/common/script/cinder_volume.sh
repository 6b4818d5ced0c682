# A volume of Cinder for Docker.

storage_id='__DOCKER_VOLUME__'
storage_device=''

# find_storage: the device that carries the volume's id. The cloud attaches it while the server boots.
find_storage() {
    local attempt link
    for ((attempt = 1; attempt <= 300; attempt++)); do
        for link in /dev/disk/by-id/*"${storage_id:0:20}"*; do
            if [[ -e $link && $link != *-part* ]]; then
                storage_device=$link
                return 0
            fi
        done
        ((attempt % 10 != 1)) || udevadm trigger --subsystem-match=block || true
        sleep 1
    done
    fail "the volume $storage_id does not show under /dev/disk/by-id"
}
