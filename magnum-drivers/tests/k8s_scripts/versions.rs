//! Flags that only some versions of Kubernetes know.

use crate::ENDPOINT;
use crate::support::kubernetes::*;

#[test]
fn each_version_gets_the_flags_that_it_knows() {
    // Version, whether plug-ins are named by the new flag, whether the kubelet has a port for cadvisor, and whether it
    // must be told to allow privileged pods.
    for (version, plugins, cadvisor, privileged) in [
        ("v1.9.0", false, true, true),
        ("v1.9.11", false, true, true),
        ("v1.10.13", true, true, true),
        ("v1.11.10", true, true, true),
        ("v1.12.10", true, false, true),
        ("v1.13.0", true, false, false),
        ("v1.15.7", true, false, false),
    ] {
        let mut cluster = kubernetes_cluster();
        cluster.template.tls_disabled = true;
        label(&mut cluster, "kube_tag", version);
        let master = KubeServer::new(&cluster, Role::Master(0), &ENDPOINT);
        master.comes_up();
        let api = master.arguments("/etc/kubernetes/apiserver");
        let has = |arguments: &[String], start: &str| arguments.iter().any(|a| a.starts_with(start));
        assert_eq!(has(&api, "--enable-admission-plugins="), plugins, "{version}");
        assert_eq!(has(&api, "--admission-control="), !plugins, "{version}");
        // Where plug-ins are on by themselves, this one would wait for tokens that nobody makes without TLS.
        let off = has(&api, "--disable-admission-plugins=ServiceAccount");
        assert_eq!(off, plugins, "{version}");
        let kubelet = master.arguments("/etc/kubernetes/kubelet");
        assert_eq!(has(&kubelet, "--cadvisor-port=0"), cadvisor, "{version}");
        assert_eq!(has(&kubelet, "--allow-privileged=true"), privileged, "{version}");
        assert!(has(&api, "--allow-privileged=true"), "{version}");
        let pulled = master
            .commands_of("docker")
            .into_iter()
            .any(|c| c.ends_with(&format!("pull registry.k8s.io/hyperkube:{version}")));
        assert!(pulled, "{version}");
        assert!(master.signal()["reason"].as_str().unwrap().contains(version));
    }
}
