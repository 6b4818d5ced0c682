# Docker on CoreOS: what the image's own unit reads. It keeps its images on the server's own disk.

prepare_docker() {
    step 'configure Docker'
    put_directory 755 /etc/systemd/system/docker.service.d
    if [[ -n $insecure_registry ]]; then
        put_file 644 /etc/systemd/system/docker.service.d/magnum-registry.conf \
            <<<$'[Service]\n'"Environment=\"DOCKER_OPTS=--insecure-registry=$insecure_registry\""
    fi
    proxy_drop_in docker.service
    # An update would restart the server whenever it likes.
    systemctl --quiet mask --now update-engine.service locksmithd.service || true
}
