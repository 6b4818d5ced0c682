use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use super::*;
use crate::Error;
use crate::model::{
    Cluster, ClusterStatus, DriverRef, Health, Labels, OnCreateFailure, Phase, Progress, Revision,
    TemplateId, TemplateSpec,
};
use crate::ports::{Parameters, Stack, StackDefinition, StackKeeper, StackRef};

const OWN: &str = "0a000000-0000-4000-8000-000000000001";
const SHARED: &str = "0b000000-0000-4000-8000-000000000002";

fn uuid() -> Uuid {
    Uuid::from_u128(0xc1)
}

fn cluster() -> Arc<Cluster> {
    Arc::new(Cluster {
        id: ClusterId(uuid()),
        name: "c".into(),
        cloud: "cloud".into(),
        project_id: "p".into(),
        user_id: "u".into(),
        cluster_template_id: TemplateId(uuid()),
        template: TemplateSpec {
            fixed_subnet: Some(SHARED.into()),
            ..TemplateSpec::default()
        },
        cluster_distro: "ubuntu".into(),
        driver: DriverRef {
            name: "d".into(),
            version: "1".into(),
        },
        keypair: None,
        create_timeout: 60,
        discovery_url: None,
        discovery_made: false,
        template_labels: Labels::new(),
        on_create_failure: OnCreateFailure::Keep,
        health: Health::default(),
        pools: Vec::new(),
        status: ClusterStatus::DELETE_COMPLETE,
        status_reason: None,
        fault: None,
        progress: Progress::default(),
        stack_id: None,
        api_address: None,
        coe_version: None,
        container_version: None,
        ca_cert: None,
        authorities: std::collections::BTreeMap::new(),
        magnum_cert: None,
        certificates_version: 0,
        rotation: None,
        node_credentials: Vec::new(),
        generation: 1,
        created_at: jiff::Timestamp::UNIX_EPOCH,
        updated_at: None,
        revision: Revision::default(),
    })
}

fn resource(kind: &str, id: &str) -> StackResource {
    StackResource {
        stack: StackRef {
            name: "s".into(),
            id: "s".into(),
        },
        name: kind.to_lowercase(),
        kind: kind.into(),
        physical_id: id.into(),
        action: None,
        phase: Some(Phase::Complete),
        reason: String::new(),
        parent: None,
        attributes: BTreeMap::new(),
    }
}

fn balancer(id: &str, subnet: &str, name: &str, description: &str) -> LoadBalancer {
    LoadBalancer {
        id: id.into(),
        name: name.into(),
        description: description.into(),
        vip_subnet_id: subnet.into(),
        vip_port_id: format!("port-{id}"),
        provisioning_status: "ACTIVE".into(),
    }
}

fn volume(id: &str, name: &str, metadata: &[(&str, &str)]) -> Volume {
    let metadata = metadata.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    Volume {
        id: id.into(),
        name: name.into(),
        status: "available".into(),
        metadata: metadata.collect(),
        servers: Vec::new(),
    }
}

fn port(id: &str, owner: &str, device: &str) -> NetworkPort {
    NetworkPort {
        id: id.into(),
        name: format!("{id}-name"),
        device_owner: owner.into(),
        device_id: device.into(),
        addresses: vec!["10.0.0.9".into()],
    }
}

/// A stack with a network, a subnet, a server and a load balancer of its own; and what else there is.
#[derive(Debug, Default)]
struct Kept {
    balancers: Vec<LoadBalancer>,
    refusal: Option<ErrorKind>,
    volumes: Vec<Volume>,
    volumes_refusal: Option<ErrorKind>,
    ports: Vec<NetworkPort>,
    members: BTreeMap<String, Vec<String>>,
    asked: Mutex<Vec<String>>,
    adopted: Mutex<Vec<String>>,
}

#[async_trait]
impl StackKeeper for Kept {
    async fn ensure(&self, _: &str, _: StackDefinition) -> Result<StackRef> {
        Err(Error::internal("not asked for"))
    }
    async fn change(&self, _: &str, _: Parameters) -> Result<()> {
        Err(Error::internal("not asked for"))
    }
    async fn remove(&self, _: &str) -> Result<()> {
        Err(Error::internal("not asked for"))
    }
    async fn get(&self, _: &str) -> Result<Option<Stack>> {
        Ok(None)
    }
    async fn resources(&self, _: &str) -> Result<Vec<StackResource>> {
        Ok(vec![
            resource("OS::Neutron::Net", "net"),
            resource("OS::Neutron::Subnet", OWN),
            resource("OS::Nova::Server", "own-server"),
            resource("OS::Octavia::LoadBalancer", "own-balancer"),
            resource("OS::Cinder::Volume", "own-volume"),
            resource("OS::Neutron::Router", "own-router"),
            resource("OS::Neutron::RouterInterface", "shared-router:subnet_id=own"),
            resource("OS::Neutron::Port", ""),
            resource("OS::Neutron::Port", "own-port"),
        ])
    }
    async fn resource(&self, _: &StackResource) -> Result<Option<StackResource>> {
        Ok(None)
    }
    async fn load_balancers(&self, subnets: &[String]) -> Result<Vec<LoadBalancer>> {
        self.asked.lock().unwrap().extend(subnets.iter().cloned());
        match self.refusal {
            Some(kind) => Err(Error::new(kind, "no")),
            None => Ok(self.balancers.clone()),
        }
    }
    async fn members(&self, load_balancer: &str) -> Result<Vec<String>> {
        Ok(self.members.get(load_balancer).cloned().unwrap_or_default())
    }
    async fn volumes(&self) -> Result<Vec<Volume>> {
        match self.volumes_refusal {
            Some(kind) => Err(Error::new(kind, "no")),
            None => Ok(self.volumes.clone()),
        }
    }
    async fn adopt(&self, thing: Adoptable) -> Result<()> {
        self.adopted.lock().unwrap().push(match thing {
            Adoptable::LoadBalancer(balancer) => balancer.id,
            Adoptable::Volume(volume) => volume.id,
        });
        Ok(())
    }
    async fn ports(&self, _: &[String], _: &[String]) -> Result<Vec<NetworkPort>> {
        Ok(self.ports.clone())
    }
    async fn server_name(&self, id: &str) -> Result<Option<String>> {
        match id {
            "web" => Ok(Some("shop\n".into())),
            _ => Err(Error::new(ErrorKind::Forbidden, "no")),
        }
    }
}

async fn adopted(kept: Kept) -> (Vec<String>, Vec<String>) {
    let kept = Arc::new(kept);
    let cx = DriverContext::new(cluster(), kept.clone(), None);
    adopt(&cx, "main").await.unwrap();
    let asked = kept.asked.lock().unwrap().clone();
    (asked, kept.adopted.lock().unwrap().clone())
}

#[tokio::test]
async fn on_a_shared_subnet_only_what_carries_the_clusters_uuid_is_adopted() {
    let uuid = uuid();
    let other = Uuid::from_u128(0xc2);
    let from = |uuid: Uuid| format!("Kubernetes external service default/web from cluster {uuid}");
    let (asked, adopted) = adopted(Kept {
        balancers: vec![
            balancer("own-balancer", OWN, "api", ""),
            balancer("1", OWN, "anything", ""),
            balancer("2", SHARED, "anything", ""),
            balancer("3", SHARED, &format!("kube_service_{uuid}_default_web"), ""),
            balancer("4", SHARED, "a1", &from(uuid)),
            balancer(
                "5",
                SHARED,
                &format!("kube_service_{other}_default_web"),
                &from(other),
            ),
            balancer(
                "6",
                SHARED,
                &format!("my_kube_service_{uuid}_web"),
                &format!("{uuid}"),
            ),
            balancer("own-balancer", SHARED, &format!("kube_service_{uuid}_x"), ""),
        ],
        ..Kept::default()
    })
    .await;
    assert_eq!(asked, [OWN, SHARED]);
    assert_eq!(adopted, ["1", "3", "4"]);
}

#[tokio::test]
async fn an_unmarked_service_on_a_shared_subnet_is_ours_if_its_members_are_all_our_servers() {
    let unmarked = |n: u8| format!("a{n:031x}");
    let foreign = NetworkPort {
        addresses: vec!["10.0.0.8".into()],
        ..port("their-port", "compute:nova", "their-server")
    };
    let members = [
        ("1", vec!["10.0.0.9"]),
        ("2", vec!["10.0.0.9", "10.0.0.8"]),
        ("3", vec![]),
        ("4", vec!["10.0.0.9"]),
        ("5", vec!["10.0.0.9"]),
    ];
    let (_, adopted) = adopted(Kept {
        balancers: vec![
            balancer("1", SHARED, &unmarked(1), ""),
            balancer("2", SHARED, &unmarked(2), ""),
            balancer("3", SHARED, &unmarked(3), ""),
            balancer("4", SHARED, "web", ""),
            balancer(
                "5",
                SHARED,
                &unmarked(5),
                "Kubernetes external service x from cluster other",
            ),
        ],
        ports: vec![port("own-port", "compute:nova", "own-server"), foreign],
        members: members
            .map(|(id, addresses)| (id.to_owned(), addresses.into_iter().map(Into::into).collect()))
            .into(),
        ..Kept::default()
    })
    .await;
    assert_eq!(adopted, ["1"]);
}

#[tokio::test]
async fn volumes_are_adopted_by_what_kubernetes_writes_on_them() {
    let (uuid, other) = (uuid().to_string(), Uuid::from_u128(0xc2).to_string());
    let (_, adopted) = adopted(Kept {
        volumes: vec![
            volume("1", &format!("{uuid}-dynamic-pvc-1"), &[]),
            volume("2", "pvc-2", &[("cinder.csi.openstack.org/cluster", &uuid)]),
            volume("3", &format!("{other}-dynamic-pvc-3"), &[]),
            volume("4", "pvc-4", &[("cinder.csi.openstack.org/cluster", &other)]),
            volume("5", &uuid, &[("cluster", &uuid)]),
            volume("own-volume", &format!("{uuid}-dynamic-pvc-6"), &[]),
        ],
        ..Kept::default()
    })
    .await;
    assert_eq!(adopted, ["1", "2"]);
}

#[tokio::test]
async fn who_may_not_see_load_balancers_made_none() {
    let volumes = || vec![volume("1", &format!("{}-dynamic-pvc", uuid()), &[])];
    let kept = Kept {
        refusal: Some(ErrorKind::Forbidden),
        volumes: volumes(),
        ..Kept::default()
    };
    assert_eq!(adopted(kept).await.1, ["1"]);
    let kept = Arc::new(Kept {
        refusal: Some(ErrorKind::Unavailable),
        volumes: volumes(),
        ..Kept::default()
    });
    let cx = DriverContext::new(cluster(), kept.clone(), None);
    assert_eq!(
        adopt(&cx, "main").await.unwrap_err().kind(),
        ErrorKind::Unavailable
    );
}

#[tokio::test]
async fn who_may_not_see_volumes_still_gets_load_balancers_removed() {
    let kept = |refusal| Kept {
        balancers: vec![balancer("1", OWN, "anything", "")],
        volumes_refusal: Some(refusal),
        ..Kept::default()
    };
    assert_eq!(adopted(kept(ErrorKind::Forbidden)).await.1, ["1"]);
    let cx = DriverContext::new(cluster(), Arc::new(kept(ErrorKind::Unavailable)), None);
    assert!(adopt(&cx, "main").await.is_err());
}

#[tokio::test]
async fn what_is_in_the_way_is_named_and_the_rest_counted() {
    let mut ports = vec![
        port("p1", "network:dhcp", "dhcp"),
        port("p2", "compute:nova", "own-server"),
        port("p3", "Octavia", "lb-own-balancer"),
        port("p4", "compute:nova", "web"),
        port("p5", "compute:az1", "hidden"),
        port("p6", "Octavia", "lb-foreign"),
        NetworkPort {
            name: String::new(),
            addresses: Vec::new(),
            ..port("p7", "", "")
        },
    ];
    let named = |ports: Vec<NetworkPort>| async {
        let kept = Arc::new(Kept {
            ports,
            ..Kept::default()
        });
        in_the_way(&DriverContext::new(cluster(), kept, None), "main", false)
            .await
            .unwrap()
    };
    let first = [
        r"server shop\n (web) with address 10.0.0.9 on the cluster's network",
        "server (hidden) with address 10.0.0.9 on the cluster's network",
        "load balancer foreign with address 10.0.0.9 on the cluster's network",
        "port (p7) on the cluster's network",
    ];
    assert_eq!(named(ports.clone()).await, first);
    ports.extend((8..12).map(|n| port(&format!("p{n}"), "", "")));
    let all = named(ports).await;
    assert_eq!(all.len(), NAMED + 1);
    assert_eq!(all.last().map(String::as_str), Some("3 more"));
}

#[tokio::test]
async fn a_load_balancer_that_a_look_would_not_find_is_named() {
    let kept = |refusal| {
        Arc::new(Kept {
            balancers: vec![balancer("made", OWN, "anything", "")],
            refusal,
            ports: vec![
                port("p1", "Octavia", "lb-made"),
                port("p2", "Octavia", "lb-hidden"),
            ],
            ..Kept::default()
        })
    };
    let hidden = "load balancer hidden with address 10.0.0.9 on the cluster's network";
    let made = "load balancer made with address 10.0.0.9 on the cluster's network";
    for (refusal, expected) in [
        (None, vec![hidden]),
        (Some(ErrorKind::Forbidden), vec![made, hidden]),
    ] {
        let cx = DriverContext::new(cluster(), kept(refusal), None);
        assert_eq!(in_the_way(&cx, "main", true).await.unwrap(), expected);
    }
}

#[tokio::test]
async fn a_strangers_router_on_the_clusters_network_is_named() {
    let ports = [
        ("network:router_interface", "own-router"),
        ("network:router_interface", "shared-router"),
        ("network:dhcp", "dhcp"),
        ("network:router_centralized_snat", "1"),
        ("network:router_interface", "1"),
        ("network:router_interface_distributed", "2"),
        ("network:ha_router_replicated_interface", "3"),
    ];
    let kept = Arc::new(Kept {
        ports: ports.map(|(owner, device)| port(device, owner, device)).into(),
        ..Kept::default()
    });
    let named = in_the_way(&DriverContext::new(cluster(), kept, None), "main", true)
        .await
        .unwrap();
    let router = |id: u8| format!("router {id} with address 10.0.0.9 on the cluster's network");
    assert_eq!(named, [router(1), router(2), router(3)]);
}
