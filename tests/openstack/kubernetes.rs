//! Lives of Kubernetes clusters: small and highly available, and one whose Kubernetes made things by itself.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use magnum::openstack::Service;
use magnum::*;
use serde_json::json;

use crate::Outcome;
use crate::booted::{nodes_of, nothing_for_others, read, verify};
use crate::cloudlet::Cloudlet;
use crate::site::{self, Site};

const PATIENCE: Duration = Duration::from_secs(600);

fn text(error: Error) -> String {
    format!("{error:?}")
}

/// The guide's template with what fits these services: a small flavor, a small volume.
pub fn template() -> TemplateSpec {
    TemplateSpec {
        flavor_id: Some("m1.tiny".into()),
        master_flavor_id: Some("m1.tiny".into()),
        docker_volume_size: Some(3),
        network_driver: Some("flannel".into()),
        ..TemplateSpec::new("kubernetes", "fedora-atomic", "public").with_keypair("testkey")
    }
}

/// A cluster that is there, and how long that took.
pub async fn made(
    site: &Site,
    spec: TemplateSpec,
    name: &str,
    masters: u32,
    nodes: u32,
) -> Result<Cluster, String> {
    let template = site.magnum.create_template(&site.cx, spec).await.map_err(text)?;
    let spec = ClusterSpec::new(template.id.to_string())
        .with_name(name)
        .with_master_count(masters)
        .with_node_count(nodes)
        .with_create_timeout(20);
    let accepted = site
        .magnum
        .create_cluster(&site.cx, spec, CreateOptions::default())
        .await
        .map_err(text)?;
    let made = site
        .ended(accepted.id, PATIENCE)
        .await?
        .ok_or("the cluster is gone")?;
    if made.status != ClusterStatus::CREATE_COMPLETE {
        return Err(format!("{}: {:?}", made.status, made.status_reason));
    }
    let counts = (made.master_addresses().len(), made.node_addresses().len());
    if counts != (masters as usize, nodes as usize) {
        return Err(format!("{counts:?} addresses of masters and nodes"));
    }
    Ok(made)
}

/// Laps of a scenario.
pub struct Laps(pub Vec<String>, Instant);

impl Laps {
    pub fn new() -> Self {
        Self(Vec::new(), Instant::now())
    }

    pub fn lap(&mut self, what: &str) {
        self.0
            .push(format!("{what} {:.0} s", self.1.elapsed().as_secs_f64()));
        self.1 = Instant::now();
    }
}

pub async fn scaled(site: &Site, id: ClusterId, nodes: u32) -> Result<Cluster, String> {
    site.magnum
        .scale_cluster(&site.cx, id, nodes, UpdateOptions::default())
        .await
        .map_err(text)?;
    let scaled = site.ended(id, PATIENCE).await?.ok_or("the cluster is gone")?;
    if scaled.status != ClusterStatus::UPDATE_COMPLETE || scaled.node_addresses().len() != nodes as usize {
        let reason = scaled.status_reason.clone();
        return Err(format!(
            "{} {reason:?} {:?}",
            scaled.status,
            scaled.node_addresses()
        ));
    }
    Ok(scaled)
}

/// One master, one node: created, grown, shrunk, deleted to nothing.
pub async fn small() -> Outcome {
    let site = Site::open("demo", false).await.map_err(text)?;
    let _conductor = site.conductor(None).map_err(text)?;
    let mut laps = Laps::new();
    let cluster = made(&site, template(), "k8s-small", 1, 1).await?;
    laps.lap("create");
    let address = cluster.api_address.clone().unwrap_or_default();
    if !(address.starts_with("https://127.77.") && address.ends_with(":6443")) {
        return Err(format!("api_address is {address}"));
    }
    let versions = (
        cluster.coe_version.as_deref(),
        cluster.container_version.as_deref(),
    );
    if versions != (Some("v1.15.7"), Some("1.13.1")) {
        return Err(format!("versions are {versions:?}"));
    }
    let nodes = nodes_of(&cluster)?;
    let master = nodes.get("master-0").ok_or("no master booted")?;
    let minion = nodes.get("minion-0").ok_or("no node booted")?;
    let certs = Path::new("etc/kubernetes/certs");
    for (node, certificate, purpose) in [
        (master, certs.join("server.crt"), "sslserver"),
        (master, certs.join("admin.crt"), "sslclient"),
        (minion, certs.join("kubelet.crt"), "sslserver"),
        (minion, certs.join("kubelet.crt"), "sslclient"),
        (minion, certs.join("proxy.crt"), "sslclient"),
    ] {
        verify(&node.join(certs).join("ca.crt"), &node.join(certificate), purpose)?;
    }
    let etcd = master.join("etc/etcd/certs");
    verify(&etcd.join("ca.crt"), &etcd.join("server.crt"), "sslserver")?;
    if verify(
        &etcd.join("ca.crt"),
        &master.join(certs).join("admin.crt"),
        "sslclient",
    )
    .is_ok()
    {
        return Err("etcd would let in whom the cluster's authority certified".into());
    }
    let host = address.trim_start_matches("https://").trim_end_matches(":6443");
    for (option, name) in [
        ("-checkip", host),
        ("-checkip", "10.254.0.1"),
        ("-checkhost", "kubernetes.default.svc"),
    ] {
        let output = std::process::Command::new("openssl")
            .args(["x509", "-noout", option, name, "-in"])
            .arg(master.join(certs).join("server.crt"))
            .output()
            .map_err(|e| e.to_string())?;
        if !String::from_utf8_lossy(&output.stdout).contains("does match") {
            return Err(format!("the API's certificate is not for {name}"));
        }
    }
    for node in nodes.values() {
        nothing_for_others(node)?;
    }
    if minion.join("etc/kubernetes/kube_openstack_config").exists() {
        return Err("a trust is on a node where nobody asked for it".into());
    }

    scaled(&site, cluster.id, 2).await?;
    laps.lap("grow");
    scaled(&site, cluster.id, 1).await?;
    laps.lap("shrink");
    site.gone(cluster.id).await?;
    laps.lap("delete");
    Ok(laps.0.join(", "))
}

/// Three masters behind a load balancer, two nodes; to one node, to three, deleted to nothing.
pub async fn highly_available() -> Outcome {
    let site = Site::open("demo", true).await.map_err(text)?;
    let _conductor = site.conductor(None).map_err(text)?;
    let mut laps = Laps::new();
    let spec = TemplateSpec {
        docker_storage_driver: Some("overlay".into()),
        ..template().with_label("flannel_backend", "vxlan")
    };
    let cluster = made(&site, spec, "k8s-ha", 3, 2).await?;
    laps.lap("create");
    let nodes = nodes_of(&cluster)?;
    let mut members = Vec::new();
    for index in 0..3 {
        let master = nodes
            .get(&format!("master-{index}"))
            .ok_or("a master did not boot")?;
        let config = read(&master.join("etc/etcd/etcd.conf"))?;
        let line = config
            .lines()
            .find(|line| line.starts_with("ETCD_INITIAL_CLUSTER="));
        members.push(line.unwrap_or_default().to_owned());
        let key = read(&master.join("etc/kubernetes/certs/service_account.key"))?;
        members.push(key);
    }
    if members[0].matches("=https://").count() != 3 || members[0] != members[2] || members[1] != members[3] {
        return Err(format!("the masters do not know each other: {}", members[0]));
    }
    etcd_is_one(&site, &nodes)?;
    laps.lap("real etcd");
    let first = cluster.node_addresses()[0].clone();
    let one = scaled(&site, cluster.id, 1).await?;
    laps.lap("shrink");
    if one.node_addresses() != [first] || one.master_addresses() != cluster.master_addresses() {
        return Err(format!("{:?} {:?}", one.node_addresses(), one.master_addresses()));
    }
    scaled(&site, cluster.id, 3).await?;
    laps.lap("grow");
    site.gone(cluster.id).await?;
    laps.lap("delete");
    Ok(laps.0.join(", "))
}

/// Real etcds with the masters' configurations and certificates are one cluster.
fn etcd_is_one(site: &Site, nodes: &BTreeMap<String, PathBuf>) -> Result<(), String> {
    let directory = site.directory.path().join("etcd");
    std::fs::create_dir(&directory).map_err(|e| e.to_string())?;
    let masters = nodes.iter().filter(|(name, _)| name.starts_with("master-"));
    let output = std::process::Command::new(site::script("../etcd.sh"))
        .arg(&directory)
        .args(masters.map(|(_, root)| root))
        .output()
        .map_err(|e| e.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("etcd: {}", String::from_utf8_lossy(&output.stderr)))
}

/// Kubernetes made two load balancers and a volume, and somebody put a server of his own on the cluster's network.
pub async fn made_by_itself() -> Outcome {
    let site = Site::open("demo", true).await.map_err(text)?;
    let _conductor = site.conductor(None).map_err(text)?;
    let mut laps = Laps::new();
    let spec = TemplateSpec {
        volume_driver: Some("cinder".into()),
        ..template()
    };
    let cluster = made(&site, spec, "k8s-made", 1, 1).await?;
    laps.lap("create");
    let nodes = nodes_of(&cluster)?;
    let minion = nodes.get("minion-0").ok_or("no node booted")?;
    let said = read(&minion.join("etc/kubernetes/kube_openstack_config"))?;
    nothing_for_others(minion)?;
    // As Kubernetes acts: with what is on the node, and nothing else.
    let setting = |key: &str| {
        let line = said
            .lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        line.map(|value| value.trim_matches('"').to_owned())
            .ok_or(format!("{key} is not in the cloud configuration"))
    };
    let trust = Auth::Trust(TrustCredentials {
        trustee_user_id: setting("user-id")?,
        password: Secret::new(setting("password")?),
        trust_id: setting("trust-id")?,
    });
    let cloud = Cloudlet {
        site: &site,
        auth: trust,
    };
    let subnet = setting("subnet-id")?;
    let mut balancers = Vec::new();
    for name in [
        "a0000000000000000000000000000001",
        "a0000000000000000000000000000002",
    ] {
        balancers.push(
            cloud
                .service(name, &subnet, &setting("floating-network-id")?)
                .await?,
        );
    }
    let id = cluster.id;
    let volume = json!({"volume": {"name": format!("{id}-dynamic-pvc-1"), "size": 1}});
    let volume = cloud
        .post(Service::BLOCK_STORAGE, "/volumes", &volume, "/volume/id")
        .await?;
    let network = cloud
        .get(Service::NETWORK, "/subnets/{id}", &subnet, "/subnet/network_id")
        .await?;
    let image = cloud.image("ubuntu").await?;
    let flavor = cloud.flavor("m1.tiny").await?;
    let server = json!({"server": {
        "name": "somebody's", "imageRef": image, "flavorRef": flavor, "networks": [{"uuid": network}],
    }});
    let server = cloud
        .post(Service::COMPUTE, "/servers", &server, "/server/id")
        .await?;
    cloud
        .until(
            Service::COMPUTE,
            "/servers/{id}",
            &server,
            "/server/status",
            "ACTIVE",
        )
        .await?;
    laps.lap("populate");

    let delete = |policy| {
        let options = DeleteOptions::default().with_volumes(policy);
        site.magnum.delete_cluster(&site.cx, id, options)
    };
    delete(VolumePolicy::Delete).await.map_err(text)?;
    let failed = site
        .ended(id, PATIENCE)
        .await?
        .ok_or("deleted, and a server was in the way")?;
    laps.lap("failed delete");
    let reason = failed.status_reason.clone().unwrap_or_default();
    if failed.status != ClusterStatus::of(Action::Delete, Phase::Failed)
        || !reason.contains("in the way")
        || !reason.contains(&server)
    {
        return Err(format!("{}: {reason}", failed.status));
    }
    for balancer in &balancers {
        cloud
            .gone(Service::LOAD_BALANCER, "/lbaas/loadbalancers/{id}", balancer)
            .await?;
    }
    let status = cloud
        .get(Service::COMPUTE, "/servers/{id}", &server, "/server/status")
        .await?;
    if status != "ACTIVE" {
        return Err(format!("the foreign server is {status}"));
    }
    cloud.delete(Service::COMPUTE, "/servers/{id}", &server).await?;
    cloud
        .until_gone(Service::COMPUTE, "/servers/{id}", &server)
        .await?;
    delete(VolumePolicy::Delete).await.map_err(text)?;
    if let Some(left) = site.ended(id, PATIENCE).await? {
        return Err(format!("{}: {:?}", left.status, left.status_reason));
    }
    laps.lap("delete");
    let user = Cloudlet {
        site: &site,
        auth: owner(&site)?,
    };
    user.gone(Service::BLOCK_STORAGE, "/volumes/{id}", &volume)
        .await?;
    Ok(format!("{}; {reason}", laps.0.join(", ")))
}

fn owner(site: &Site) -> Result<Auth, String> {
    let token = site.cx.token.clone().ok_or("no token")?;
    Ok(Auth::Token(token))
}
