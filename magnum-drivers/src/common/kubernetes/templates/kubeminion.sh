#!/bin/bash
# Makes this server a node of Kubernetes; {{driver}} {{version}}.

node_name='__NODE_PREFIX__-minion-__INDEX__'
node_member='__INDEX__'

{{> report.sh}}

{{> files.sh}}

{{> proxy.sh}}

{{> certificates.sh}}

{{> node_program.sh}}

{{> server.sh}}

{{> images.sh}}

{{> docker.sh}}

{{> trust.sh}}

{{> openstack_config.sh}}

{{> flannel.sh}}

{{> kubernetes.sh}}

{{> registry.sh}}

configure() {
    local api=http://$api_private_address:$api_port
    prepare_server

    if [[ $tls == on ]]; then
        step 'get certificates'
        api=https://$api_private_address:$api_port
        fetch_authority /ca "$certs/ca.crt"
        fetch_certificate kubelet "$certs/kubelet.key" "$certs/kubelet.crt" "$certs/ca.crt" \
            "${own_addresses[@]}" "$node_name"
        fetch_certificate proxy "$certs/proxy.key" "$certs/proxy.crt" "$certs/ca.crt"
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
if [[ ${1:-} == start ]]; then start; else configure; fi
