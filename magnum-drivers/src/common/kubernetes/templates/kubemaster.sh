#!/bin/bash
# Makes this server a Kubernetes master; {{driver}} {{version}}.

node_name='__NODE_PREFIX__-master-__INDEX__'

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

{{> etcd.sh}}

{{> apiserver.sh}}

service_cidr='{{service_cidr}}'
api_public_address='__API_PUBLIC_ADDRESS__'
subnetlen='__SUBNETLEN__'

places=("$certs" "$etcd_certs")

get_certificates() {
    local -a names=("${own_addresses[@]}" 127.0.0.1 {{service_address}} kubernetes kubernetes.default
        kubernetes.default.svc kubernetes.default.svc.cluster.local)
    [[ -z $api_private_address ]] || names+=("$api_private_address")
    [[ -z $api_public_address ]] || names+=("$api_public_address")
    fetch_authority /ca "$certs/ca.crt"
    fetch_certificate server "$certs/server.key" "$certs/server.crt" "$certs/ca.crt" "${names[@]}"
    fetch_certificate kubelet "$certs/kubelet.key" "$certs/kubelet.crt" "$certs/ca.crt" \
        "${own_addresses[@]}" "$node_name"
    fetch_certificate admin "$certs/admin.key" "$certs/admin.crt" "$certs/ca.crt"
    fetch_shared_key service-account "$certs/service_account.key"
    # The API server checks with the public half, which all its versions can read.
    openssl pkey -in "$certs/service_account.key" -pubout >"$scratch/public"
    put_file 644 "$certs/service_account.pub" <"$scratch/public"
    get_etcd_certificates
}

configure_apiserver() {
    local plugins=NamespaceLifecycle,LimitRanger,DefaultStorageClass,ResourceQuota
    local -a arguments=("--service-cluster-ip-range=$service_cidr" "--advertise-address=$private_address"
        --allow-privileged=true --storage-backend=etcd3 "--apiserver-count=$(wc -w <<<"${masters//,/ }")")
    if [[ $tls == on ]]; then
        plugins=$plugins,ServiceAccount,NodeRestriction
        arguments+=(--bind-address=0.0.0.0 "--secure-port=$api_port" --insecure-port=0 --anonymous-auth=false
            "--tls-cert-file=$certs/server.crt" "--tls-private-key-file=$certs/server.key"
            "--client-ca-file=$certs/ca.crt" "--authorization-mode=Node,RBAC"
            "--kubelet-client-certificate=$certs/admin.crt" "--kubelet-client-key=$certs/admin.key"
            "--kubelet-certificate-authority=$certs/ca.crt"
            "--kubelet-preferred-address-types=InternalIP,Hostname,ExternalIP"
            "--service-account-key-file=$certs/service_account.pub" --etcd-servers=https://127.0.0.1:2379
            "--etcd-cafile=$etcd_certs/ca.crt" "--etcd-certfile=$etcd_certs/server.crt"
            "--etcd-keyfile=$etcd_certs/server.key")
    else
        arguments+=(--insecure-bind-address=0.0.0.0 "--insecure-port=$api_port" --bind-address=127.0.0.1
            "--secure-port=$((api_port == 6443 ? 6444 : 6443))" --authorization-mode=AlwaysAllow
            --etcd-servers=http://127.0.0.1:2379)
    fi
    if kube_at_least 1.10; then
        arguments+=("--enable-admission-plugins=$plugins")
        # It is on by itself, and would wait for tokens that nobody makes.
        [[ $tls == on ]] || arguments+=(--disable-admission-plugins=ServiceAccount)
    else
        arguments+=("--admission-control=$plugins")
    fi
    mapfile -t -O "${#arguments[@]}" arguments < <(cloud_arguments)
    run_apiserver "${arguments[@]}"
}

configure_controllers() {
    local -a arguments=(--kubeconfig=/etc/kubernetes/admin.kubeconfig --leader-elect=true
        "--cluster-name=$cluster_uuid" --allocate-node-cidrs=true "--cluster-cidr=$flannel_cidr"
        "--node-cidr-mask-size=$subnetlen" "--service-cluster-ip-range=$service_cidr" --configure-cloud-routes=false)
    if [[ $tls == on ]]; then
        arguments+=("--service-account-private-key-file=$certs/service_account.key"
            "--root-ca-file=$certs/ca.crt" --use-service-account-credentials=true)
    fi
    mapfile -t -O "${#arguments[@]}" arguments < <(cloud_arguments)
    static_pod kube-controller-manager false "${arguments[@]}"
    static_pod kube-scheduler false --kubeconfig=/etc/kubernetes/admin.kubeconfig --leader-elect=true
}

# take_certificates: pods of this server are made anew, since what they are made of names their certificates. So are those
# of the cluster's own services: they read what is trusted at their start, as the version before this one had it.
take_certificates() {
    configure_apiserver
    configure_controllers
    configure_kube_proxy
    start_all
    add_addons
}

# start_all: and wait until the API answers.
start_all() {
    start_units etcd.service ${apiserver_units[@]+"${apiserver_units[@]}"} kubelet.service flanneld.service
    wait_for 'the API does not answer' "${kubectl[@]}" get --raw=/healthz
}

configure() {
    local api=http://127.0.0.1:$api_port member
    prepare_server

    if [[ $tls == on ]]; then
        api=https://127.0.0.1:$api_port
        first_certificates
    fi

    step 'configure etcd'
    configure_etcd 127.0.0.1

    step 'configure Kubernetes'
    write_cloud_config
    for member in admin proxy; do
        write_kubeconfig "/etc/kubernetes/$member.kubeconfig" "$api" admin
    done
    write_kubeconfig /etc/kubernetes/kubelet.kubeconfig "$api" kubelet
    configure_apiserver
    configure_controllers
    configure_kubelet --node-labels=node-role.kubernetes.io/master= \
        --register-with-taints=node-role.kubernetes.io/master=:NoSchedule
    configure_flannel
    configure_kube_proxy
    hand_over
}

{{> kubernetes_dns.sh}}

kubectl=("$programs/kubectl" --kubeconfig=/etc/kubernetes/admin.kubeconfig)

start() {
    start_server kubelet kubectl ${apiserver_programs[@]+"${apiserver_programs[@]}"}
    take_etcd

    step 'start Kubernetes'
    start_all
    join /etc/kubernetes/admin.kubeconfig

    step 'add what runs in the cluster'
    add_addons

    step 'report'
    report_once "the API of Kubernetes $kube_version answers on port $api_port" "$docker_version"
}

# shellcheck disable=SC2086
reach_cloud ${masters//,/ } $api_private_address $api_public_address
case ${1:-} in
    start) start ;;
    renew) renew ;;
    *) configure ;;
esac
