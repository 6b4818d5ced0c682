//! One life of a small cluster of each driver: made, grown, shrunk, deleted to nothing, with a look at its booted servers.

use std::path::Path;

use magnum::*;

use crate::booted::{nodes_of, read, verify};
use crate::kubernetes::{Laps, made, scaled};
use crate::network::Network;
use crate::site::Site;
use crate::{Outcome, Scenario, subjects};

/// What a small cluster of a driver is like.
struct Life {
    driver: &'static str,
    /// What `api_address` is around its host.
    scheme: &'static str,
    port: &'static str,
    versions: (Option<&'static str>, Option<&'static str>),
    /// What the names of the first master and the first node end in.
    servers: [&'static str; 2],
    /// Files of the master and the node with something that must be in them.
    files: &'static [(usize, &'static str, &'static str)],
    /// Certificates: of which server, authority, certificate, purpose.
    certificates: &'static [(usize, &'static str, &'static str, &'static str)],
}

const LIVES: [Life; 4] = [
    Life {
        driver: "k8s_coreos",
        scheme: "https://",
        port: ":6443",
        versions: (Some("v1.15.7"), Some("1.13.1")),
        servers: ["master-0", "minion-0"],
        files: &[
            (
                0,
                "etc/kubernetes/manifests/kube-apiserver.yaml",
                "- kube-apiserver",
            ),
            (0, "etc/systemd/system/etcd.service", "ExecStart=/opt/bin/etcd"),
            (
                1,
                "etc/systemd/system/kubelet.service",
                "ExecStart=/opt/bin/kubelet",
            ),
        ],
        certificates: &[
            (
                0,
                "etc/kubernetes/certs/ca.crt",
                "etc/kubernetes/certs/server.crt",
                "sslserver",
            ),
            (
                0,
                "etc/etcd/certs/ca.crt",
                "etc/etcd/certs/server.crt",
                "sslserver",
            ),
            (
                1,
                "etc/kubernetes/certs/ca.crt",
                "etc/kubernetes/certs/kubelet.crt",
                "sslclient",
            ),
        ],
    },
    Life {
        driver: "k8s_fedora_ironic",
        scheme: "https://",
        port: ":6443",
        versions: (Some("v1.15.7"), Some("1.13.1")),
        servers: ["master-0", "minion-0"],
        files: &[
            (0, "etc/systemd/system/kube-apiserver.service", "Kubernetes API"),
            (1, "var/lib/magnum/storage", "ephemeral0"),
        ],
        certificates: &[
            (
                0,
                "etc/kubernetes/certs/ca.crt",
                "etc/kubernetes/certs/server.crt",
                "sslserver",
            ),
            (
                1,
                "etc/kubernetes/certs/ca.crt",
                "etc/kubernetes/certs/kubelet.crt",
                "sslclient",
            ),
        ],
    },
    Life {
        driver: "swarm_fedora_atomic",
        scheme: "tcp://",
        port: ":2376",
        versions: (Some("1.2.9"), Some("1.13.1")),
        servers: ["master-0", "node-0"],
        files: &[
            (
                0,
                "etc/systemd/system/swarm-manager.service",
                " manage -H tcp://0.0.0.0:2375 ",
            ),
            (1, "etc/systemd/system/swarm-agent.service", " join --advertise "),
            (1, "etc/sysconfig/docker-network", "--tlsverify"),
        ],
        certificates: &[
            (0, "etc/docker/ca.crt", "etc/docker/server.crt", "sslserver"),
            (0, "etc/docker/ca.crt", "etc/docker/server.crt", "sslclient"),
            (
                0,
                "etc/etcd/certs/ca.crt",
                "etc/etcd/certs/server.crt",
                "sslserver",
            ),
            (1, "etc/docker/ca.crt", "etc/docker/server.crt", "sslserver"),
            (
                1,
                "etc/etcd/certs/ca.crt",
                "etc/etcd/certs/client.crt",
                "sslclient",
            ),
        ],
    },
    Life {
        driver: "mesos_ubuntu",
        scheme: "",
        port: "",
        versions: (Some("0.25.0"), Some("1.13.1")),
        servers: ["master-0", "slave-0"],
        files: &[
            (0, "etc/mesos-master/quorum", "1"),
            (0, "etc/marathon/conf/zk", "/marathon"),
            (1, "etc/mesos/zk", ":2181/mesos"),
        ],
        certificates: &[],
    },
];

pub fn all() -> Vec<(String, Scenario)> {
    LIVES
        .iter()
        .map(|life| (format!("life_{}", life.driver), Box::pin(whole(life)) as Scenario))
        .collect()
}

async fn whole(life: &'static Life) -> Outcome {
    let text = |error: Error| format!("{error:?}");
    let site = Site::open("demo", true).await.map_err(text)?;
    let _conductor = site.conductor(None).map_err(text)?;
    let descriptor = subjects::named(life.driver).driver.descriptor();
    let kind = &descriptor.provides[0];
    let image = if life.driver == "mesos_ubuntu" {
        "ubuntu-mesos"
    } else {
        &kind.os
    };
    let mut spec = TemplateSpec {
        server_type: kind.server_type,
        flavor_id: Some("m1.tiny".into()),
        master_flavor_id: Some("m1.tiny".into()),
        docker_volume_size: descriptor.docker_volume_size.filter(|size| *size > 0).map(|_| 3),
        ..TemplateSpec::new(&kind.coe, image, "public").with_keypair("testkey")
    };
    let network = if kind.server_type == ServerType::Bm {
        let network = Network::make(&site, life.driver).await?;
        spec.fixed_network = Some(network.id.clone());
        Some(network)
    } else {
        None
    };
    let lived = lives(&site, life, spec).await;
    if let Some(network) = network {
        network.remove(&site).await?;
    }
    lived
}

async fn lives(site: &Site, life: &Life, spec: TemplateSpec) -> Outcome {
    let mut laps = Laps::new();
    let cluster = made(site, spec, &life.driver.replace('_', "-"), 1, 1).await?;
    laps.lap("create");
    let address = cluster.api_address.clone().unwrap_or_default();
    let host = address
        .strip_prefix(life.scheme)
        .and_then(|rest| rest.strip_suffix(life.port));
    if !host.is_some_and(|host| host.starts_with("127.77.")) {
        return Err(format!("api_address is {address}"));
    }
    let versions = (
        cluster.coe_version.as_deref(),
        cluster.container_version.as_deref(),
    );
    if versions != life.versions {
        return Err(format!("versions are {versions:?}"));
    }
    let nodes = nodes_of(&cluster)?;
    let mut roots = Vec::new();
    for name in life.servers {
        roots.push(nodes.get(name).ok_or(format!("{name} did not boot: {nodes:?}"))?);
    }
    for (server, file, part) in life.files {
        let said = read(&roots[*server].join(file))?;
        if !said.contains(part) {
            return Err(format!("{file} lacks {part}: {said}"));
        }
    }
    for (server, authority, certificate, purpose) in life.certificates {
        let root: &Path = roots[*server];
        verify(&root.join(authority), &root.join(certificate), purpose)?;
    }
    scaled(site, cluster.id, 2).await?;
    laps.lap("grow");
    scaled(site, cluster.id, 1).await?;
    laps.lap("shrink");
    site.gone(cluster.id).await?;
    laps.lap("delete");
    Ok(laps.0.join(", "))
}
