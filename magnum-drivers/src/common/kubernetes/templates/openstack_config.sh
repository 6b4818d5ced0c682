# What Kubernetes needs to know of the cloud, where it makes load balancers and mounts volumes under the cluster's trust.

cloud_provider='__CLOUD_PROVIDER__'
external_network='__EXTERNAL_NETWORK__'
subnet='__SUBNET__'

cloud_config=/etc/kubernetes/kube_openstack_config

write_cloud_config() {
    [[ $cloud_provider == on ]] || return 0
    write_cloud_ca
    {
        printf '[Global]\nauth-url="%s"\nuser-id="%s"\npassword="%s"\ntrust-id="%s"\n' \
            "$auth_url" "$trustee_id" "$trustee_password" "$trust_id"
        [[ -z $region ]] || printf 'region="%s"\n' "$region"
        [[ -z $openstack_ca ]] || printf 'ca-file="%s"\n' "$cloud_ca"
        printf '[LoadBalancer]\nuse-octavia=true\nsubnet-id="%s"\n' "$subnet"
        [[ -z $external_network ]] || printf 'floating-network-id="%s"\n' "$external_network"
        printf 'create-monitor=yes\nmonitor-delay=1m\nmonitor-timeout=30s\nmonitor-max-retries=3\n'
    } >"$scratch/cloud-config"
    put_file 600 "$cloud_config" <"$scratch/cloud-config"
}

# cloud_arguments: the arguments of Kubernetes' programs.
cloud_arguments() {
    [[ $cloud_provider != on ]] || printf '%s\n' --cloud-provider=openstack "--cloud-config=$cloud_config"
}
