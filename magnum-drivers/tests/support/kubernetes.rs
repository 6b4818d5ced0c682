//! Servers of Kubernetes clusters.

use std::sync::LazyLock;

use magnum_core::{Cluster, StackDriver, StackTemplate, TemplateDefinition as _};
use magnum_drivers::KubernetesStack;

#[allow(unused_imports, reason = "each test program uses a part of it")]
pub use super::cluster_server::{ClusterServer as KubeServer, PROGRAM};
pub use super::stacks::*;

/// A cluster on Fedora Atomic.
pub fn kubernetes_cluster() -> Cluster {
    cluster_of(ATOMIC)
}

pub fn kubernetes_template() -> StackTemplate {
    driver().definition().template().clone()
}

/// The driver for Fedora Atomic.
pub fn driver() -> &'static StackDriver<KubernetesStack> {
    static DRIVER: LazyLock<StackDriver<KubernetesStack>> = LazyLock::new(magnum_drivers::k8s_fedora_atomic);
    &DRIVER
}

impl KubeServer {
    /// The arguments in an environment file of a unit.
    pub fn arguments(&self, file: &str) -> Vec<String> {
        let text = self.plain(file);
        let (_, value) = text.trim_end().split_once("=\"").unwrap();
        value
            .trim_end_matches('"')
            .split(' ')
            .map(ToOwned::to_owned)
            .collect()
    }

    /// The arguments of the one container of a static pod.
    pub fn pod_arguments(&self, name: &str) -> Vec<String> {
        let pod = super::yaml(&self.plain(&format!("/etc/kubernetes/manifests/{name}.yaml")));
        let command = pod["spec"]["containers"][0]["command"]
            .as_array()
            .unwrap()
            .clone();
        command
            .into_iter()
            .map(|word| word.as_str().unwrap().to_owned())
            .collect()
    }
}
