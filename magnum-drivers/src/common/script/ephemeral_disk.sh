# A disk of the server's own for Docker: the ephemeral one of its flavor, which the cloud labels.

storage_id=ephemeral0
storage_label=ephemeral0
storage_device=''

# find_storage: the disk, which the image may have mounted at its boot.
find_storage() {
    local attempt
    for ((attempt = 1; attempt <= 60; attempt++)); do
        [[ ! -e /dev/disk/by-label/$storage_label ]] || break
        ((attempt % 10 != 1)) || udevadm trigger --subsystem-match=block || true
        sleep 1
    done
    [[ -e /dev/disk/by-label/$storage_label ]] ||
        fail "there is no disk labelled $storage_label: the flavor must have an ephemeral disk"
    storage_device=$(readlink --canonicalize /dev/disk/by-label/$storage_label)
    ! findmnt --source "$storage_device" >"$scratch/mounted" || umount --all-targets "$storage_device"
    [[ ! -e /etc/fstab ]] || {
        sed "\\#^${storage_device}[[:space:]]#d; \\#^LABEL=${storage_label}[[:space:]]#d" /etc/fstab >"$scratch/fstab"
        put_file 644 /etc/fstab <"$scratch/fstab"
    }
}
