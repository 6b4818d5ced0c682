# What masters and nodes of Kubernetes have in common: programs, identities, kubelet, flannel, kube-proxy.

api_private_address='__API_PRIVATE_ADDRESS__'
api_port='__API_PORT__'
kube_version='__KUBE_VERSION__'
flannel_cidr='__FLANNEL_CIDR__'
flannel_backend='__FLANNEL_BACKEND__'
dns_address='{{dns_address}}'

certs=/etc/kubernetes/certs

hyperkube=$(image "hyperkube:$kube_version" {{kubernetes_registry}})

kube_at_least() {
    local have=${kube_version#v}
    have=${have%.*}
    ((${have#*.} >= ${1#*.}))
}

# take_kubernetes: Kubernetes is one program that acts as it is called.
take_kubernetes() {
    local name
    put_directory 755 "$programs"
    put_directory 755 /opt/cni/bin
    take_programs "$hyperkube" /hyperkube "$programs/hyperkube" /opt/cni/bin/. /opt/cni/bin
    for name in "$@"; do
        [[ -L $programs/$name ]] || ln -sfn hyperkube "$programs/$name"
    done
    take_programs "$(image flannel:{{flannel_version}} {{flannel_registry}})" /opt/bin/flanneld "$programs/flanneld"
    # Where SELinux is enforcing, what systemd starts must be labelled as a program.
    restorecon -R "$programs" /opt/cni/bin || true
}

# write_kubeconfig FILE SERVER CERTIFICATE: a client that shows this certificate, whose key stands beside it.
write_kubeconfig() {
    {
        printf 'apiVersion: v1\nkind: Config\ncurrent-context: default\ncontexts:\n'
        printf -- '- name: default\n  context: {cluster: kubernetes, user: default}\n'
        printf 'clusters:\n- name: kubernetes\n  cluster:\n    server: "%s"\n' "$2"
        if [[ $tls == on ]]; then
            printf '    certificate-authority: "%s"\nusers:\n- name: default\n  user:\n' "$certs/ca.crt"
            printf '    client-certificate: "%s"\n    client-key: "%s"\n' "$certs/$3.crt" "$certs/$3.key"
        else
            printf 'users:\n- name: default\n  user: {}\n'
        fi
    } >"$scratch/kubeconfig"
    put_file 600 "$1" <"$scratch/kubeconfig"
}

# Directories of the server that static pods read.
pod_directories=(/etc/kubernetes)

# static_pod NAME PRIVILEGED ARGUMENT...: the kubelet runs it, in the namespace kube-system.
static_pod() {
    local name=$1 privileged=$2 argument directory
    shift 2
    {
        printf 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: %s\n  namespace: kube-system\n' "$name"
        printf '  labels: {k8s-app: %s}\n' "$name"
        [[ $tls != on ]] || printf '  annotations: {certificates: "%s"}\n' "$(held_sum)"
        printf 'spec:\n  hostNetwork: true\n'
        # It reads the server's files, where SELinux is enforcing.
        printf '  securityContext: {seLinuxOptions: {type: spc_t}}\n'
        printf '  containers:\n  - name: %s\n    image: "%s"\n' "$name" "$hyperkube"
        printf '    securityContext: {privileged: %s}\n    command:\n    - /hyperkube\n    - %s\n' "$privileged" "$name"
        for argument in "$@"; do
            printf '    - "%s"\n' "$argument"
        done
        printf '    volumeMounts:\n'
        for directory in "${pod_directories[@]}"; do
            printf '    - {name: %s, mountPath: %s, readOnly: true}\n' "${directory##*/}" "$directory"
        done
        [[ $privileged == false ]] || printf '    - {name: %s, mountPath: %s}\n' lock /run/xtables.lock \
            modules /lib/modules
        printf '  volumes:\n'
        for directory in "${pod_directories[@]}"; do
            printf '  - {name: %s, hostPath: {path: %s}}\n' "${directory##*/}" "$directory"
        done
        [[ $privileged == false ]] || printf '  - {name: %s, hostPath: {path: %s, type: %s}}\n' \
            lock /run/xtables.lock FileOrCreate modules /lib/modules Directory
    } >"$scratch/pod"
    put_directory 700 /etc/kubernetes/manifests
    put_file 600 "/etc/kubernetes/manifests/$name.yaml" <"$scratch/pod"
}

# configure_kubelet ARGUMENT...: the node is called as Nova calls its server.
configure_kubelet() {
    local -a arguments=(
        --kubeconfig=/etc/kubernetes/kubelet.kubeconfig
        --pod-manifest-path=/etc/kubernetes/manifests
        "--hostname-override=$node_name"
        "--node-ip=$private_address"
        --volume-plugin-dir=/var/lib/kubelet/volume-plugins
        --network-plugin=cni --cni-conf-dir=/etc/cni/net.d --cni-bin-dir=/opt/cni/bin
        "--cluster-dns=$dns_address" --cluster-domain=cluster.local
        "--pod-infra-container-image=$(image pause:3.1 {{kubernetes_registry}})"
        --read-only-port=0
    )
    kube_at_least 1.12 || arguments+=(--cadvisor-port=0)
    kube_at_least 1.13 || arguments+=(--allow-privileged=true)
    if [[ $tls == on ]]; then
        arguments+=(--anonymous-auth=false "--client-ca-file=$certs/ca.crt" --authorization-mode=Webhook
            "--tls-cert-file=$certs/kubelet.crt" "--tls-private-key-file=$certs/kubelet.key")
    fi
    mapfile -t -O "${#arguments[@]}" arguments < <(cloud_arguments)
    local unit_after="$unit_after docker.service"
    write_arguments /etc/kubernetes/kubelet KUBELET_ARGS "${arguments[@]}" "$@"
    service_unit kubelet 'Kubernetes kubelet' "$programs/kubelet \$KUBELET_ARGS \$KUBELET_CGROUP" \
        EnvironmentFile=/etc/kubernetes/kubelet EnvironmentFile=-/etc/kubernetes/kubelet-cgroup \
        "ExecStartPre=/bin/bash $programs/magnum-guard"
    # What this server was told at its boot, secrets included, is nothing for pods: they could ask the cloud for it.
    put_file 755 "$programs/magnum-guard" <<GUARD
#!/bin/bash
rule=(FORWARD --source $flannel_cidr --destination 169.254.169.254/32 --jump DROP)
iptables --wait --check "\${rule[@]}" 2>/dev/null || iptables --wait --insert "\${rule[@]}"
GUARD
    # Without these, answers from a pod on the same bridge would not be translated back.
    put_directory 755 /etc/modules-load.d
    put_file 644 /etc/modules-load.d/magnum.conf <<<br_netfilter
    put_directory 755 /etc/sysctl.d
    put_file 644 /etc/sysctl.d/99-magnum.conf <<<$'net.bridge.bridge-nf-call-iptables = 1\nnet.ipv4.ip_forward = 1'
    put_directory 755 /etc/cni
    put_directory 755 /etc/cni/net.d
    put_file 644 /etc/cni/net.d/10-flannel.conflist <<'NETWORK'
{
  "name": "cbr0",
  "cniVersion": "0.3.1",
  "plugins": [
    {"type": "flannel", "delegate": {"hairpinMode": true, "isDefaultGateway": true}},
    {"type": "portmap", "capabilities": {"portMappings": true}}
  ]
}
NETWORK
}

# match_cgroups: the kubelet must use the same driver for control groups as Docker.
match_cgroups() {
    local driver
    driver=$(docker info 2>/dev/null | sed -n 's/^ *Cgroup Driver: *//p')
    put_file 644 /etc/kubernetes/kubelet-cgroup <<<"KUBELET_CGROUP=${driver:+--cgroup-driver=$driver}"
}

# configure_flannel: it keeps its leases in Kubernetes, so that no node needs to reach etcd.
configure_flannel() {
    # Where flannel looks of itself: the option that names another file came later than some of its releases.
    put_directory 755 /etc/kube-flannel
    put_file 644 /etc/kube-flannel/net-conf.json <<NETWORK
{"Network": "$flannel_cidr", "Backend": {"Type": "$flannel_backend"}}
NETWORK
    service_unit flanneld 'Network of the pods' "$programs/flanneld -kube-subnet-mgr -ip-masq \
-kubeconfig-file=/etc/kubernetes/kubelet.kubeconfig \
-iface=$private_address" "Environment=NODE_NAME=$node_name"
}

configure_kube_proxy() {
    static_pod kube-proxy true --kubeconfig=/etc/kubernetes/proxy.kubeconfig "--cluster-cidr=$flannel_cidr" \
        "--hostname-override=$node_name"
}

# prepare_server: what comes first on every server.
prepare_server() {
    prepare_docker_server
    put_directory 755 /etc/kubernetes
    put_directory 700 "$certs"
}

# start_server PROGRAM...: what comes first at every start.
start_server() {
    wait_for_docker
    step 'get the programs'
    take_kubernetes "$@"
    match_cgroups
    modprobe br_netfilter
    sysctl --quiet --load=/etc/sysctl.d/99-magnum.conf
}

# join: wait until Kubernetes knows this server, with a client's configuration that may ask.
join() {
    step 'join the cluster'
    wait_for "Kubernetes does not know the node $node_name" \
        "$programs/kubectl" "--kubeconfig=$1" get node "$node_name"
    step 'join the network of the pods'
    wait_for 'flannel has no network for this server' has_network
}
