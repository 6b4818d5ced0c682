# The API server as a service of the server's own.

apiserver_programs=(kube-apiserver)
apiserver_units=(kube-apiserver.service)

# run_apiserver ARGUMENT...
run_apiserver() {
    write_arguments /etc/kubernetes/apiserver KUBE_API_ARGS "$@"
    service_unit kube-apiserver 'Kubernetes API' "$programs/kube-apiserver \$KUBE_API_ARGS" \
        EnvironmentFile=/etc/kubernetes/apiserver
}
