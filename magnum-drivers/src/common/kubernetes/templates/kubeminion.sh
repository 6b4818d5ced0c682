#!/bin/bash
# Makes this server a node of Kubernetes; {{driver}} {{version}}.

node_name='__NODE_PREFIX__-minion-__INDEX__'

{{> report.sh}}

{{> files.sh}}

{{> proxy.sh}}

{{> certificates.sh}}

{{> node_program.sh}}

{{> renewal.sh}}

{{> server.sh}}

{{> images.sh}}

{{> docker.sh}}

{{> trust.sh}}

{{> openstack_config.sh}}

{{> flannel.sh}}

{{> kubernetes.sh}}

{{> registry.sh}}

places=("$certs")

get_certificates() {
    fetch_authority /ca "$certs/ca.crt"
    fetch_certificate kubelet "$certs/kubelet.key" "$certs/kubelet.crt" "$certs/ca.crt" \
        "${own_addresses[@]}" "$node_name"
    fetch_certificate proxy "$certs/proxy.key" "$certs/proxy.crt" "$certs/ca.crt"
}

# take_certificates: the pod of this server is made anew, since what it is made of names its certificates.
take_certificates() {
    configure_kube_proxy
    start_units kubelet.service flanneld.service
    wait_for "Kubernetes does not know the node $node_name" \
        "$programs/kubectl" --kubeconfig=/etc/kubernetes/kubelet.kubeconfig get node "$node_name"
}

configure() {
    local api=http://$api_private_address:$api_port
    prepare_server

    if [[ $tls == on ]]; then
        api=https://$api_private_address:$api_port
        first_certificates
    fi

    step 'configure Kubernetes'
    write_cloud_config
    write_kubeconfig /etc/kubernetes/kubelet.kubeconfig "$api" kubelet
    write_kubeconfig /etc/kubernetes/proxy.kubeconfig "$api" proxy
    configure_kubelet --node-labels=node-role.kubernetes.io/node=
    configure_flannel
    configure_kube_proxy
    configure_registry
    hand_over
}

start() {
    local -a units=(kubelet.service flanneld.service)
    start_server kubelet kubectl
    step 'start Kubernetes'
    [[ $registry != on ]] || units+=(registry.service)
    start_units "${units[@]}"
    join /etc/kubernetes/kubelet.kubeconfig
    step 'report'
    report_once "the node $node_name is known to Kubernetes $kube_version" "$docker_version"
}

reach_cloud "$api_private_address"
case ${1:-} in
    start) start ;;
    renew) renew ;;
    *) configure ;;
esac
