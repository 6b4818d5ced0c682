//! How Docker listens, and how containers of different nodes reach each other.

use crate::support::cluster_server::ClusterServer;
use crate::support::stacks::{Role, SWARM, cluster_of, label, masters};
use crate::support::tree::commands;
use crate::{ENDPOINT, open};

const OPTIONS: &str = "/etc/sysconfig/docker-network";

fn node(change: impl FnOnce(&mut magnum_core::Cluster)) -> ClusterServer {
    let mut cluster = cluster_of(SWARM);
    masters(&mut cluster, 3);
    change(&mut cluster);
    ClusterServer::new(&cluster, Role::Minion(0), &ENDPOINT)
}

#[test]
fn with_tls_docker_demands_certificates_and_shares_etcd() {
    let server = node(|_| {});
    server.comes_up();
    assert_eq!(
        server.variables(OPTIONS)["DOCKER_NETWORK_OPTIONS"],
        "-H unix:///var/run/docker.sock -H tcp://0.0.0.0:2375 --live-restore --tlsverify --tlscacert=/etc/docker/ca.crt \
         --tlscert=/etc/docker/server.crt --tlskey=/etc/docker/server.key \
         --cluster-store=etcd://10.0.0.10:2379,10.0.0.11:2379,10.0.0.12:2379 --cluster-advertise=10.0.0.60:2375 \
         --cluster-store-opt=kv.cacertfile=/etc/etcd/certs/ca.crt \
         --cluster-store-opt=kv.certfile=/etc/etcd/certs/client.crt \
         --cluster-store-opt=kv.keyfile=/etc/etcd/certs/client.key"
    );
    let agent = server.plain("/etc/systemd/system/swarm-agent.service");
    assert!(
        agent.contains(
            "docker.io/library/swarm:1.2.9 join --advertise 10.0.0.60:2375 \
             --discovery-opt kv.cacertfile=/etc/etcd/certs/ca.crt \
             --discovery-opt kv.certfile=/etc/etcd/certs/client.crt \
             --discovery-opt kv.keyfile=/etc/etcd/certs/client.key \
             etcd://10.0.0.10:2379,10.0.0.11:2379,10.0.0.12:2379/swarm\n"
        ),
        "{agent}"
    );
    let asked = server.curl_configs();
    assert!(
        asked.contains(
            "url \"https://10.0.0.10:2379/v2/keys/swarm/docker/swarm/nodes/10.0.0.60:2375\"\ncacert "
        ),
        "{asked}"
    );
    // Its certificate for etcd is a client's and nothing else.
    let text = std::process::Command::new("openssl")
        .args(["x509", "-noout", "-text", "-in"])
        .arg(server.path("/etc/etcd/certs/client.crt"))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    assert!(
        text.contains("TLS Web Client Authentication") && !text.contains("TLS Web Server"),
        "{text}"
    );
}

#[test]
fn without_tls_nothing_of_certificates_is_left() {
    for role in crate::support::stacks::BOTH {
        let server = ClusterServer::new(&open(), role, &ENDPOINT);
        server.comes_up();
        for file in ["/etc/docker/ca.crt", "/etc/docker/server.key", "/etc/etcd/certs"] {
            assert!(!server.path(file).exists(), "{file}");
        }
        for unit in ["swarm-agent", "swarm-manager"] {
            let path = format!("/etc/systemd/system/{unit}.service");
            if server.path(&path).exists() {
                let text = server.plain(&path);
                assert!(!text.contains("tls") && !text.contains("kv."), "{text}");
            }
        }
    }
}

#[test]
fn flannel_runs_before_docker_which_gets_its_part_of_the_network() {
    let server = node(|cluster| {
        cluster.template.network_driver = Some("flannel".into());
        label(cluster, "flannel_backend", "vxlan");
    });
    server.configures();
    let options = server.variables(OPTIONS)["DOCKER_NETWORK_OPTIONS"].clone();
    assert!(
        options.starts_with("-H unix") && !options.contains("cluster-store"),
        "{options}"
    );
    let unit = server.plain("/etc/systemd/system/flanneld.service");
    assert!(
        unit.contains(
            "ExecStart=/usr/local/bin/flanneld \
             -etcd-endpoints=https://10.0.0.10:2379,https://10.0.0.11:2379,https://10.0.0.12:2379 \
             -etcd-prefix=/coreos.com/network -etcd-cafile=/etc/etcd/certs/ca.crt \
             -etcd-certfile=/etc/etcd/certs/client.crt -etcd-keyfile=/etc/etcd/certs/client.key -ip-masq \
             -iface=10.0.0.60\n"
        ) && !unit.contains("docker.service"),
        "{unit}"
    );
    server.forget();
    server.starts();
    let restarts: Vec<String> = commands(&server)
        .into_iter()
        .filter(|c| c.contains(" restart "))
        .collect();
    assert_eq!(
        restarts,
        [
            "systemctl --no-block restart flanneld.service",
            "systemctl restart flannel-docker-bridge.service",
            "systemctl restart docker.service",
            "systemctl --no-block restart swarm-agent.service"
        ]
    );
    // The bridge's own script, on what flannel says.
    server.write(
        "/run/flannel/subnet.env",
        "FLANNEL_NETWORK=10.100.0.0/16\nFLANNEL_SUBNET=10.100.63.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n",
    );
    let output = std::process::Command::new("/bin/bash")
        .arg(server.path("/usr/local/bin/flannel-docker-bridge"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(
        server.variables("/run/flannel/docker")["DOCKER_NETWORK_OPTIONS"],
        format!("{options} --bip=10.100.63.1/24 --mtu=1450 --ip-masq=false")
    );
}

#[test]
fn a_manager_tells_etcd_of_flannels_network() {
    let mut cluster = open();
    cluster.template.network_driver = Some("flannel".into());
    label(&mut cluster, "flannel_network_cidr", "10.96.0.0/14");
    label(&mut cluster, "flannel_network_subnetlen", "26");
    label(&mut cluster, "flannel_backend", "host-gw");
    let server = ClusterServer::new(&cluster, Role::Master(0), &ENDPOINT);
    server.comes_up();
    let told = std::fs::read_to_string(server.beside("etcd-data")).unwrap();
    let network: serde_json::Value = serde_json::from_str(told.strip_prefix("value=").unwrap()).unwrap();
    assert_eq!(
        network,
        serde_json::json!({"Network": "10.96.0.0/14", "SubnetLen": 26, "Backend": {"Type": "host-gw"}})
    );
    assert!(
        server
            .commands()
            .contains(&"etcd http://10.0.0.10:2379/v2/keys/coreos.com/network/config".to_owned())
    );
    assert!(!server.path("/etc/systemd/system/flanneld.service").exists());
}
