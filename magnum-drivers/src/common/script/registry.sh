# A registry on the node that keeps its images in Swift, under the cluster's trust.

registry='__REGISTRY__'
registry_port='__REGISTRY_PORT__'
registry_container='__REGISTRY_CONTAINER__'
registry_chunksize='__REGISTRY_CHUNKSIZE__'
trustee_name='__TRUSTEE_NAME__'
trustee_domain_id='__TRUSTEE_DOMAIN_ID__'
trustee_domain_name='__TRUSTEE_DOMAIN_NAME__'

configure_registry() {
    [[ $registry == on ]] || return 0
    local image="{{registry_image}}"
    [[ -z $insecure_registry ]] || image=$insecure_registry/google_containers/${image##*/}
    {
        printf 'version: 0.1\nstorage:\n  cache:\n    blobdescriptor: inmemory\n  swift:\n'
        printf '    %s: "%s"\n' authurl "$auth_url" username "$trustee_name" password "$trustee_password" \
            trustid "$trust_id" container "$registry_container"
        [[ -z $trustee_domain_id ]] || printf '    domainid: "%s"\n' "$trustee_domain_id"
        [[ -z $trustee_domain_name ]] || printf '    domain: "%s"\n' "$trustee_domain_name"
        [[ -z $region ]] || printf '    region: "%s"\n' "$region"
        printf '    chunksize: %s\nhttp:\n  addr: ":5000"\n' "$registry_chunksize"
    } >"$scratch/registry"
    put_directory 755 /etc/sysconfig
    put_file 600 /etc/sysconfig/registry-config.yml <"$scratch/registry"
    local mounts="-p 127.0.0.1:$registry_port:5000 -v /etc/sysconfig/registry-config.yml:/etc/docker/registry/config.yml:ro,Z"
    [[ -z $openstack_ca ]] || mounts="$mounts -v $cloud_ca:/etc/ssl/certs/ca-certificates.crt:ro,Z"
    container_unit registry 'Docker registry on Swift' "$image" "$mounts"
}
