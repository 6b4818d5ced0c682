#!/bin/bash
# Makes this server a Kubernetes master; {{driver}} {{version}}.

node_name='__NODE_PREFIX__-master-__INDEX__'
node_member='__INDEX__'

{{> report.sh}}

{{> files.sh}}

{{> proxy.sh}}

{{> certificates.sh}}

{{> node_program.sh}}

{{> docker_storage.sh}}

{{> openstack_config.sh}}

{{> kubernetes.sh}}

masters='__MASTERS__'
cluster_uuid='__CLUSTER_UUID__'
service_cidr='{{service_cidr}}'
api_public_address='__API_PUBLIC_ADDRESS__'
discovery_url='__DISCOVERY_URL__'
subnetlen='__SUBNETLEN__'

etcd_certs=/etc/etcd/certs
discovery_roots=/etc/etcd/discovery-ca.crt

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
    # What is in etcd is nobody's business but the masters': it has an authority of its own.
    put_directory 700 "$etcd_certs"
    fetch_authority /authorities/etcd "$etcd_certs/ca.crt"
    fetch_certificate etcd "$etcd_certs/server.key" "$etcd_certs/server.crt" "$etcd_certs/ca.crt" \
        "$private_address" 127.0.0.1
}

# own_discovery: whether the discovery is the node endpoint's, and that is verified by an authority of its own. etcd
# verifies a discovery by the system's authorities, or by those in this file.
own_discovery() {
    [[ -n $node_endpoint_ca && $discovery_url == "${node_endpoint_url%/v1/clusters/*}/v1/discovery/"* ]]
}

# configure_etcd: Kubernetes is its only client, on the same server; the members talk to each other.
configure_etcd() {
    local scheme=http member members=''
    [[ $tls != on ]] || scheme=https
    for member in ${masters//,/ }; do
        members=${members:+$members,}$member=$scheme://$member:2380
    done
    {
        printf '%s="%s"\n' ETCD_NAME "$private_address" ETCD_DATA_DIR /var/lib/etcd/default.etcd \
            ETCD_LISTEN_CLIENT_URLS "$scheme://127.0.0.1:2379" ETCD_ADVERTISE_CLIENT_URLS "$scheme://127.0.0.1:2379" \
            ETCD_LISTEN_PEER_URLS "$scheme://$private_address:2380" \
            ETCD_INITIAL_ADVERTISE_PEER_URLS "$scheme://$private_address:2380"
        if [[ -n $discovery_url ]]; then
            printf 'ETCD_DISCOVERY="%s"\n' "$discovery_url"
            [[ -z $proxy_for_http ]] || printf 'ETCD_DISCOVERY_PROXY="%s"\n' "$proxy_for_http"
            ! own_discovery || printf 'SSL_CERT_FILE="%s"\n' "$discovery_roots"
        else
            printf '%s="%s"\n' ETCD_INITIAL_CLUSTER "$members" ETCD_INITIAL_CLUSTER_STATE new \
                ETCD_INITIAL_CLUSTER_TOKEN "$cluster_uuid"
        fi
        if [[ $tls == on ]]; then
            for member in ETCD ETCD_PEER; do
                printf "${member}_%s=\"%s\"\n" CERT_FILE "$etcd_certs/server.crt" KEY_FILE "$etcd_certs/server.key" \
                    TRUSTED_CA_FILE "$etcd_certs/ca.crt" CLIENT_CERT_AUTH true
            done
        fi
    } >"$scratch/etcd"
    put_directory 755 /etc/etcd
    ! own_discovery || put_file 644 "$discovery_roots" <"$scratch/endpoint-ca.pem"
    put_file 600 /etc/etcd/etcd.conf <"$scratch/etcd"
    put_directory 700 /var/lib/etcd
    service_unit etcd 'Store of Kubernetes' "$programs/etcd" Type=notify TimeoutStartSec=0 \
        EnvironmentFile=/etc/etcd/etcd.conf
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
    write_arguments /etc/kubernetes/apiserver KUBE_API_ARGS "${arguments[@]}"
    service_unit kube-apiserver 'Kubernetes API' "$programs/kube-apiserver \$KUBE_API_ARGS" \
        EnvironmentFile=/etc/kubernetes/apiserver
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

configure() {
    local api=http://127.0.0.1:$api_port member
    prepare_server

    if [[ $tls == on ]]; then
        step 'get certificates'
        api=https://127.0.0.1:$api_port
        get_certificates
    fi

    step 'configure etcd'
    configure_etcd

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
    write_addons
    hand_over
}

{{> kubernetes_dns.sh}}

start() {
    local kubectl=("$programs/kubectl" --kubeconfig=/etc/kubernetes/admin.kubeconfig)
    start_server kubelet kubectl kube-apiserver
    take_programs "$(image etcd:{{etcd_version}} {{etcd_registry}})" /usr/local/bin/etcd "$programs/etcd"
    restorecon "$programs/etcd" || true

    step 'start Kubernetes'
    start_units etcd.service kube-apiserver.service kubelet.service flanneld.service
    wait_for 'the API does not answer' "${kubectl[@]}" get --raw=/healthz
    join /etc/kubernetes/admin.kubeconfig

    step 'add what runs in the cluster'
    wait_for 'the add-ons are refused' "${kubectl[@]}" apply --filename=/etc/kubernetes/addons

    step 'report'
    report_once "the API of Kubernetes $kube_version answers on port $api_port" "$docker_version"
}

# shellcheck disable=SC2086
reach_cloud ${masters//,/ } $api_private_address $api_public_address
if [[ ${1:-} == start ]]; then start; else configure; fi
