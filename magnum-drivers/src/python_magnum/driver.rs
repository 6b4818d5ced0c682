//! The drivers: stacks that are there already, and addresses as clients want them.

use async_trait::async_trait;
use magnum_core::{
    ClientConfig, ClientIdentity, Cluster, ClusterChange, ClusterDriver, DriverContext, DriverDescriptor,
    NodePolicy, Observation, PoolRole, Problem, Result, StackDriver, SubjectName, TemplateSpec,
};

use super::stack::{Coe, ThereAlready};

/// Looks after clusters of one COE that Python Magnum made.
#[derive(Clone, Debug)]
pub struct PythonMagnum {
    floating: StackDriver<ThereAlready>,
    private: StackDriver<ThereAlready>,
}

impl PythonMagnum {
    /// A driver for clusters of this COE.
    #[must_use]
    pub fn new(coe: Coe) -> Self {
        let descriptor = describe(coe);
        Self {
            private: StackDriver::new(ThereAlready::new(coe, false, descriptor.clone())),
            floating: StackDriver::new(ThereAlready::new(coe, true, descriptor)),
        }
    }

    fn of(&self, cluster: &Cluster) -> &StackDriver<ThereAlready> {
        if cluster.template.floating_ip_enabled == Some(false) {
            &self.private
        } else {
            &self.floating
        }
    }
}

fn describe(coe: Coe) -> DriverDescriptor {
    let name = match coe {
        Coe::Kubernetes => "python_magnum_kubernetes",
        Coe::Swarm => "python_magnum_swarm",
        Coe::Mesos => "python_magnum_mesos",
    };
    let mut descriptor = DriverDescriptor::new(name, "1.0.0", Vec::new());
    descriptor.tls = coe != Coe::Mesos;
    descriptor.masters = (1, 1000);
    descriptor.scalable = true;
    descriptor.named_removal = coe != Coe::Swarm;
    descriptor
}

#[async_trait]
impl ClusterDriver for PythonMagnum {
    fn descriptor(&self) -> &DriverDescriptor {
        self.floating.descriptor()
    }

    fn validate(&self, template: &TemplateSpec, cluster: Option<&Cluster>) -> Vec<Problem> {
        self.floating.validate(template, cluster)
    }

    async fn cluster_create(&self, cx: &DriverContext) -> Result<()> {
        self.of(cx.cluster()).cluster_create(cx).await
    }

    async fn cluster_update(&self, cx: &DriverContext, change: &ClusterChange) -> Result<()> {
        self.of(cx.cluster()).cluster_update(cx, change).await
    }

    async fn cluster_delete(&self, cx: &DriverContext) -> Result<()> {
        self.of(cx.cluster()).cluster_delete(cx).await
    }

    async fn pre_delete(&self, cx: &DriverContext) -> Result<()> {
        self.of(cx.cluster()).pre_delete(cx).await
    }

    async fn in_the_way(&self, cx: &DriverContext) -> Result<Vec<String>> {
        self.of(cx.cluster()).in_the_way(cx).await
    }

    async fn observe(&self, cx: &DriverContext) -> Result<Observation> {
        let driver = self.of(cx.cluster());
        let mut seen = driver.observe(cx).await?;
        let whole = |host: String| driver.definition().address(&host, cx.cluster().tls());
        seen.api_address = seen.api_address.map(whole);
        Ok(seen)
    }

    fn node_policy(&self) -> NodePolicy {
        self.floating.node_policy()
    }

    async fn node_names(&self, cx: &DriverContext, role: PoolRole, member: &str) -> Result<Vec<SubjectName>> {
        self.of(cx.cluster()).node_names(cx, role, member).await
    }

    fn client_config(&self, cluster: &Cluster, identity: Option<&ClientIdentity>) -> Result<ClientConfig> {
        self.of(cluster).client_config(cluster, identity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stacks_hosts_become_addresses() {
        let address = |coe, tls| {
            let driver = PythonMagnum::new(coe);
            driver.floating.definition().address("192.0.2.1", tls)
        };
        assert_eq!(address(Coe::Kubernetes, true), "https://192.0.2.1:6443");
        assert_eq!(address(Coe::Kubernetes, false), "http://192.0.2.1:8080");
        assert_eq!(address(Coe::Swarm, true), "tcp://192.0.2.1:2376");
        assert_eq!(address(Coe::Mesos, false), "192.0.2.1");
    }
}
