//! A driver that is not Heat at all: its clusters are machines of an orchestrator in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use magnum::*;

/// The orchestrator: fleets of machines, by the cluster that they are.
#[derive(Debug, Default)]
struct Orchestrator {
    fleets: BTreeMap<ClusterId, Fleet>,
    addresses: u32,
}

/// The name of a cluster of which a machine fails.
pub const UNLUCKY: &str = "unlucky";

/// A cluster's machines.
#[derive(Clone, Debug)]
struct Fleet {
    action: Action,
    /// Which change of the cluster it shows.
    generation: u64,
    master: String,
    /// Addresses of the nodes by their numbers, of which none is given twice.
    nodes: BTreeMap<u32, String>,
    next: u32,
}

impl Orchestrator {
    fn machine(&mut self) -> String {
        self.addresses += 1;
        format!("10.80.0.{}", self.addresses)
    }

    /// So many nodes; those that are named go first, then the newest.
    fn size(&mut self, id: ClusterId, count: u32, remove: &[String]) {
        let Some(mut fleet) = self.fleets.get(&id).cloned() else {
            return;
        };
        for number in remove.iter().filter_map(|named| named.parse().ok()) {
            if fleet.nodes.len() > count as usize {
                fleet.nodes.remove(&number);
            }
        }
        while fleet.nodes.len() > count as usize {
            fleet.nodes.pop_last();
        }
        while fleet.nodes.len() < count as usize {
            let machine = self.machine();
            fleet.nodes.insert(fleet.next, machine);
            fleet.next += 1;
        }
        self.fleets.insert(id, fleet);
    }
}

#[derive(Debug)]
pub struct Machines {
    descriptor: DriverDescriptor,
    orchestrator: Mutex<Orchestrator>,
}

impl Machines {
    /// How many fleets there are.
    pub fn fleets(&self) -> usize {
        self.orchestrator.lock().unwrap().fleets.len()
    }
}

pub fn driver() -> Arc<Machines> {
    let kind = ClusterType::new(ServerType::Bm, "anything", "machines");
    let mut descriptor = DriverDescriptor::new("machines", "1.0.0", vec![kind]);
    descriptor.scalable = true;
    descriptor.named_removal = true;
    Arc::new(Machines {
        descriptor,
        orchestrator: Mutex::default(),
    })
}

#[async_trait]
impl ClusterDriver for Machines {
    fn descriptor(&self) -> &DriverDescriptor {
        &self.descriptor
    }

    fn validate(&self, template: &TemplateSpec, _cluster: Option<&Cluster>) -> Vec<Problem> {
        let registry = template.insecure_registry.iter();
        registry
            .map(|value| Problem::new("insecure_registry", value, "machines have none"))
            .collect()
    }

    async fn cluster_create(&self, cx: &DriverContext) -> Result<()> {
        let (id, cluster) = (cx.cluster().id, cx.cluster());
        let mut orchestrator = self.orchestrator.lock().unwrap();
        if !orchestrator.fleets.contains_key(&id) {
            let master = orchestrator.machine();
            let fleet = Fleet {
                action: Action::Create,
                generation: cluster.generation,
                master,
                nodes: BTreeMap::new(),
                next: 0,
            };
            orchestrator.fleets.insert(id, fleet);
        }
        orchestrator.size(id, cluster.node_count(), &[]);
        Ok(())
    }

    async fn cluster_update(&self, cx: &DriverContext, change: &ClusterChange) -> Result<()> {
        let (id, generation) = (cx.cluster().id, cx.cluster().generation);
        let mut orchestrator = self.orchestrator.lock().unwrap();
        let remove: &[String] = match change {
            ClusterChange::Scale { remove, .. } => remove,
            _ => &[],
        };
        let count = cx.cluster().node_count();
        let Some(fleet) = orchestrator.fleets.get_mut(&id) else {
            return Err(Error::new(ErrorKind::NotFound, "no such fleet"));
        };
        // A change that has arrived is not made again.
        if fleet.generation != generation {
            fleet.generation = generation;
            fleet.action = Action::Update;
            orchestrator.size(id, count, remove);
        }
        Ok(())
    }

    async fn cluster_delete(&self, cx: &DriverContext) -> Result<()> {
        self.orchestrator.lock().unwrap().fleets.remove(&cx.cluster().id);
        Ok(())
    }

    async fn pre_delete(&self, _cx: &DriverContext) -> Result<()> {
        Ok(())
    }

    async fn observe(&self, cx: &DriverContext) -> Result<Observation> {
        let orchestrator = self.orchestrator.lock().unwrap();
        let Some(fleet) = orchestrator.fleets.get(&cx.cluster().id) else {
            return Ok(Observation::of(InfrastructureState::Absent));
        };
        if cx.cluster().name == UNLUCKY {
            let mut seen = Observation::of(InfrastructureState::Present(Action::Create, Phase::Failed));
            seen.reason = Some("a machine does not answer".into());
            return Ok(seen);
        }
        let mut seen = Observation::of(InfrastructureState::Present(fleet.action, Phase::Complete));
        seen.generation = Some(fleet.generation);
        seen.api_address = Some(format!("machines://{}", fleet.master));
        seen.master_addresses = Some(vec![fleet.master.clone()]);
        seen.node_addresses = Some(fleet.nodes.values().cloned().collect());
        Ok(seen)
    }

    fn node_policy(&self) -> NodePolicy {
        NodePolicy::default()
    }

    async fn node_names(
        &self,
        _cx: &DriverContext,
        _role: PoolRole,
        _member: &str,
    ) -> Result<Vec<SubjectName>> {
        Ok(Vec::new())
    }

    fn client_config(&self, cluster: &Cluster, _identity: Option<&ClientIdentity>) -> Result<ClientConfig> {
        Err(Error::new(
            ErrorKind::InvalidInput,
            format!("{} has nothing to configure", cluster.name),
        ))
    }
}
