# REX-Ray, the volume driver: volumes of Cinder for containers, under the cluster's trust.

volume_driver='__VOLUME_DRIVER__'
rexray_preempt='__REXRAY_PREEMPT__'

# write_rexray_config: for root only, because the trust is in it. It listens on loopback alone.
write_rexray_config() {
    {
        printf 'libstorage:\n  host: tcp://127.0.0.1:7979\n  service: openstack\n  integration:\n'
        printf '    volume:\n      operations:\n        mount:\n          preempt: %s\n' "$rexray_preempt"
        printf '          path: /var/lib/rexray/volumes\n'
        printf 'openstack:\n'
        printf '  %s: "%s"\n' authUrl "$auth_url" userID "$trustee_id" password "$trustee_password" trustID "$trust_id"
        [[ -z $region ]] || printf '  regionName: "%s"\n' "$region"
    } >"$scratch/rexray"
    put_directory 700 /etc/rexray
    put_file 600 /etc/rexray/config.yml <"$scratch/rexray"
}

# rexray_options MODE: how its container reaches what it needs, and in which mode Docker sees what it mounts.
rexray_options() {
    printf '%s' '--privileged --net host -v /etc/rexray:/etc/rexray:ro,Z -v /run/docker/plugins:/run/docker/plugins' \
        " -v /var/lib/rexray:/var/lib/rexray:$1 -v /var/run/rexray:/var/run/rexray -v /dev:/dev"
    [[ -z $openstack_ca ]] || printf ' -v %s:/etc/ssl/certs/ca-certificates.crt:ro,Z' "$cloud_ca"
}
