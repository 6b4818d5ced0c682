//! The guide's Kubernetes clusters, and what Kubernetes makes behind a stack's back, made by the test.

use std::sync::Arc;
use std::time::Duration;

use magnum::drivers::docker_ubuntu::DockerUbuntu;
use magnum::openstack::sim::World;
use magnum::openstack::sim::world::load_balancing::{LoadBalancer, LoadBalancerSpec, PartKind, PartSpec};
use magnum::openstack::sim::world::network::{FloatingIpSpec, NetworkSpec, RouterSpec, Subnet, SubnetSpec};
use magnum::openstack::sim::world::volume::VolumeSpec;
use magnum::*;

use super::scene::Scene;

/// The guide's cluster template for Kubernetes.
pub fn guides_template() -> TemplateSpec {
    TemplateSpec {
        docker_volume_size: Some(5),
        network_driver: Some("flannel".into()),
        ..TemplateSpec::new("kubernetes", "fedora-atomic", "public")
            .with_keypair("testkey")
            .with_name("k8s-cluster-template")
    }
}

/// The same on CoreOS, whose servers have no volumes of their own.
pub fn on_coreos() -> TemplateSpec {
    TemplateSpec {
        image_id: "coreos".into(),
        docker_volume_size: None,
        ..guides_template()
    }
}

/// The same on machines of Ironic, on the network of [`existing`].
pub fn on_machines() -> TemplateSpec {
    TemplateSpec {
        server_type: ServerType::Bm,
        image_id: "fedora".into(),
        docker_volume_size: None,
        fixed_network: Some("office".into()),
        ..guides_template()
    }
}

/// Clouds allow ten servers and volumes where nobody says otherwise.
pub fn without_quotas(scene: &Scene) {
    for resource in ["instances", "cores", "ram", "volumes", "gigabytes"] {
        scene.cloud.set_quota(&scene.cx.project_id, resource, -1).unwrap();
    }
}

/// A network of the user's with its way out and these subnets; the ids of all, the network's first.
pub fn existing(scene: &Scene, subnets: &[&str]) -> Vec<String> {
    let project = &scene.cx.project_id;
    scene.cloud.with(|world| {
        let spec = NetworkSpec {
            name: "office".into(),
            ..NetworkSpec::default()
        };
        let network_id = world.create_network(project, spec).unwrap().id;
        let external_network_id = Some(world.resolve_network(project, "public").unwrap().id.clone());
        let spec = RouterSpec {
            external_network_id,
            ..RouterSpec::default()
        };
        let router = world.create_router(project, spec).unwrap().id;
        let mut made = vec![network_id.clone()];
        for (at, cidr) in subnets.iter().enumerate() {
            let spec = SubnetSpec {
                name: format!("desks-{at}"),
                network_id: network_id.clone(),
                cidr: (*cidr).into(),
                ..SubnetSpec::default()
            };
            let subnet = world.create_subnet(project, spec).unwrap().id;
            world.add_router_interface(&router, &subnet).unwrap();
            made.push(subnet);
        }
        made
    })
}

/// The Docker driver's stack, with a COE that makes things by itself.
#[derive(Debug)]
struct LikeKubernetes(DockerUbuntu, DriverDescriptor);

impl TemplateDefinition for LikeKubernetes {
    fn descriptor(&self) -> &DriverDescriptor {
        &self.1
    }
    fn template(&self) -> &StackTemplate {
        self.0.template()
    }
    fn parameters(&self) -> &[ParameterMapping] {
        self.0.parameters()
    }
    fn extra_parameters(&self, input: &StackInput<'_>) -> Result<Parameters> {
        self.0.extra_parameters(input)
    }
    fn outputs(&self) -> &[OutputMapping] {
        self.0.outputs()
    }
    fn node_names(&self, role: PoolRole) -> &[NameSource] {
        self.0.node_names(role)
    }
    fn validate(&self, template: &TemplateSpec, cluster: Option<&Cluster>) -> Vec<Problem> {
        self.0.validate(template, cluster)
    }
    fn cluster_made(&self, _cluster: &Cluster) -> bool {
        true
    }
    fn client_config(&self, cluster: &Cluster, identity: Option<&ClientIdentity>) -> Result<ClientConfig> {
        self.0.client_config(cluster, identity)
    }
}

/// A driver of this name; that name alone tells it from others.
pub fn driver(name: &str) -> Arc<dyn ClusterDriver> {
    let docker = DockerUbuntu::new();
    let mut descriptor = docker.descriptor().clone();
    name.clone_into(&mut descriptor.name);
    Arc::new(StackDriver::new(LikeKubernetes(docker, descriptor)))
}

/// The cluster's own subnet: the project's only one so far.
pub fn own_subnet(world: &World, project: &str) -> Subnet {
    let mut own = world.network.subnets().filter(|s| s.project_id == project);
    own.next().unwrap().clone()
}

/// A load balancer for a Service, as the cloud provider in Kubernetes' tree makes it.
pub fn service(
    world: &mut World,
    project: &str,
    id: ClusterId,
    name: &str,
    subnet: &str,
    fails_with: Option<&str>,
) -> LoadBalancer {
    let spec = LoadBalancerSpec {
        name: format!("kube_service_{id}_default_{name}"),
        description: format!("Kubernetes external service default/{name} from cluster {id}"),
        vip_subnet_id: subnet.to_owned(),
        fails_with: fails_with.map(str::to_owned),
        ..LoadBalancerSpec::default()
    };
    world.create_load_balancer(project, spec).unwrap()
}

/// Two load balancers on the cluster's subnet, one of them with a listener and a floating IP and the other in ERROR,
/// and a volume that a node uses.
pub async fn populate(scene: &Scene, id: ClusterId) {
    let project = &scene.cx.project_id;
    let first = scene.cloud.with(|world| {
        let subnet = own_subnet(world, project).id;
        service(world, project, id, "broken", &subnet, Some("no amphora"));
        let spec = VolumeSpec {
            name: format!("{id}-dynamic-pvc-1"),
            size_gib: 1,
            ..VolumeSpec::default()
        };
        world.create_volume(project, spec).unwrap();
        service(world, project, id, "web", &subnet, None)
    });
    tokio::time::sleep(Duration::from_secs(120)).await;
    scene.cloud.with(|world| {
        let listener = PartSpec {
            kind: PartKind::Listener,
            name: "web".into(),
            parent_id: first.id.clone(),
            settings: Default::default(),
            fails_with: None,
        };
        world.create_load_balancer_part(project, listener).unwrap();
        let public = world.resolve_network(project, "public").unwrap().id.clone();
        let spec = FloatingIpSpec {
            floating_network_id: public,
            port_id: Some(first.vip_port_id.clone()),
            ..FloatingIpSpec::default()
        };
        world.create_floating_ip(project, spec).unwrap();
        let own = |owner: &str| owner == project.as_str();
        let node = world
            .compute
            .servers()
            .find(|s| own(&s.project_id))
            .unwrap()
            .id
            .clone();
        let volume = world
            .volumes
            .volumes()
            .find(|v| own(&v.project_id))
            .unwrap()
            .id
            .clone();
        world.attach_volume(&volume, &node).unwrap();
    });
}
