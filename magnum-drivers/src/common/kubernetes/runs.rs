//! What runs on the servers of a Kubernetes cluster.

use magnum_core::PoolRole::{Master, Worker};
use magnum_core::Reach::{Cluster, Everybody, Masters, Server};
use magnum_core::RunsAs::{Container, Service};
use magnum_core::{PoolRole, Runs, RunsAs};

const BOTH: &[PoolRole] = &[Master, Worker];

pub(super) fn runs(apiserver: RunsAs) -> Vec<Runs> {
    let on_masters = |name, run_as| Runs::new(name, &[Master], run_as);
    let on_all = |name, run_as| Runs::new(name, BOTH, run_as);
    vec![
        on_all("sshd", Service).listening("22/tcp", Everybody),
        on_all("docker", Service),
        on_masters("etcd", Service)
            .listening("2379/tcp", Server)
            .listening("2380/tcp", Masters),
        on_masters("kube-apiserver", apiserver).listening(
            "6443/tcp, or 8080/tcp without TLS, or `apiserver_port`",
            Everybody,
        ),
        on_masters("kube-controller-manager", Container),
        on_masters("kube-scheduler", Container),
        on_all("kubelet", Service).listening("10250/tcp", Cluster),
        on_all("kube-proxy", Container).listening("30000-32767/tcp on nodes", Everybody),
        on_all("flanneld", Service)
            .listening("8285/udp with the backend udp", Cluster)
            .listening("8472/udp with the backend vxlan", Cluster),
        Runs::new("coredns", &[Worker], Container).when("two for the cluster"),
        Runs::new("registry", &[Worker], Service)
            .when("`registry_enabled`")
            .listening("5000/tcp", Server),
        on_all("magnum-node", Service).when("at each boot, until all else is started"),
    ]
}
