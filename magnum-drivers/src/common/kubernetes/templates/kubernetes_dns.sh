# write_addons: the names of services, as pods look them up. All masters write the same, and all apply it.
write_addons() {
    local endpoint='' known=''
    if [[ $tls == on ]]; then
        # What is trusted is read once: pods are made anew when it is something else.
        known=$(sha256sum <"$certs/ca.crt")
    else
        endpoint="endpoint http://${masters%%,*}:$api_port"
    fi
    put_directory 700 /etc/kubernetes/addons
    put_file 600 /etc/kubernetes/addons/dns.yaml <<ADDON
apiVersion: v1
kind: ServiceAccount
metadata: {name: coredns, namespace: kube-system}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: "system:coredns"}
rules:
- apiGroups: [""]
  resources: [endpoints, services, pods, namespaces]
  verbs: [list, watch]
- apiGroups: [""]
  resources: [nodes]
  verbs: [get]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: "system:coredns"}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: "system:coredns"}
subjects:
- {kind: ServiceAccount, name: coredns, namespace: kube-system}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: coredns, namespace: kube-system}
data:
  Corefile: |
    .:53 {
        errors
        health
        kubernetes cluster.local in-addr.arpa ip6.arpa {
            $endpoint
            fallthrough in-addr.arpa ip6.arpa
        }
        forward . /etc/resolv.conf
        cache 30
        loop
        reload
    }
---
apiVersion: extensions/v1beta1
kind: Deployment
metadata: {name: coredns, namespace: kube-system}
spec:
  replicas: 2
  selector: {matchLabels: {k8s-app: coredns}}
  template:
    metadata: {labels: {k8s-app: coredns}, annotations: {certificates: "$known"}}
    spec:
      serviceAccountName: coredns
      dnsPolicy: Default
      containers:
      - name: coredns
        image: "$(image coredns:{{coredns_version}} {{kubernetes_registry}})"
        args: [-conf, /etc/coredns/Corefile]
        resources: {limits: {memory: 170Mi}, requests: {cpu: 100m, memory: 70Mi}}
        volumeMounts:
        - {name: config, mountPath: /etc/coredns, readOnly: true}
        livenessProbe: {httpGet: {path: /health, port: 8080}, initialDelaySeconds: 60}
      volumes:
      - {name: config, configMap: {name: coredns}}
---
apiVersion: v1
kind: Service
metadata:
  name: kube-dns
  namespace: kube-system
  labels: {k8s-app: coredns, kubernetes.io/cluster-service: "true", kubernetes.io/name: CoreDNS}
spec:
  selector: {k8s-app: coredns}
  clusterIP: "$dns_address"
  ports:
  - {name: dns, port: 53, protocol: UDP}
  - {name: dns-tcp, port: 53, protocol: TCP}
ADDON
}

# add_addons: what runs in the cluster, as it is to be now.
add_addons() {
    write_addons
    wait_for 'the add-ons are refused' "${kubectl[@]}" apply --filename=/etc/kubernetes/addons
}
