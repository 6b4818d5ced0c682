# The API server as a container that the kubelet runs.

# None of its own: CoreOS' bash takes these for unset, not for empty.
apiserver_programs=()
apiserver_units=()

# run_apiserver ARGUMENT...
run_apiserver() {
    # It is a client of etcd.
    local -a pod_directories=(/etc/kubernetes)
    [[ $tls != on ]] || pod_directories+=("$etcd_certs")
    static_pod kube-apiserver false "$@"
}
