//! What the options of a template make of the servers.

use crate::support::cluster_server::ClusterServer;
use crate::support::stacks::{BOTH, Role, SWARM, TRUST, TRUSTEE_PASSWORD, cluster_of, masters};
use crate::{ENDPOINT, everything, new_endpoint, open};

const MANAGER: &str = "/etc/systemd/system/swarm-manager.service";

#[test]
fn each_manager_serves_swarm_with_all_its_names_and_knows_the_others() {
    let endpoint = new_endpoint();
    let mut cluster = cluster_of(SWARM);
    masters(&mut cluster, 3);
    for index in 0..3 {
        let server = ClusterServer::new(&cluster, Role::Master(index), &endpoint);
        server.comes_up();
        let own = crate::support::stacks::private_address(index);
        let unit = server.plain(MANAGER);
        assert!(
            unit.contains(&format!(
                "manage -H tcp://0.0.0.0:2375 --strategy spread --replication --advertise {own}:2376 --tlsverify \
                 --tlscacert /etc/docker/ca.crt --tlscert /etc/docker/server.crt --tlskey /etc/docker/server.key "
            )),
            "{unit}"
        );
        assert!(unit.contains(" -p 2376:2375 "), "{unit}");
        for (option, name) in [
            ("-checkip", own.as_str()),
            ("-checkip", "127.0.0.1"),
            ("-checkip", "10.0.0.100"),
            ("-checkip", "172.24.4.100"),
        ] {
            let output = std::process::Command::new("openssl")
                .args(["x509", "-noout", option, name, "-in"])
                .arg(server.path("/etc/docker/server.crt"))
                .output()
                .unwrap();
            assert!(
                String::from_utf8_lossy(&output.stdout).contains("does match"),
                "{name}"
            );
        }
        let etcd = server.variables("/etc/etcd/etcd.conf");
        assert_eq!(
            etcd["ETCD_LISTEN_CLIENT_URLS"],
            format!("https://{own}:2379,https://127.0.0.1:2379")
        );
        assert_eq!(etcd["ETCD_ADVERTISE_CLIENT_URLS"], format!("https://{own}:2379"));
        assert_eq!(etcd["ETCD_INITIAL_CLUSTER"].matches("=https://").count(), 3);
    }
}

#[test]
fn each_strategy_is_the_managers() {
    for strategy in ["spread", "binpack", "random"] {
        let mut cluster = open();
        crate::support::stacks::label(&mut cluster, "swarm_strategy", strategy);
        let server = ClusterServer::new(&cluster, Role::Master(0), &ENDPOINT);
        server.configures();
        assert!(server.plain(MANAGER).contains(&format!("--strategy {strategy} ")));
    }
}

/// Whoever gets into the agent gets what the agent has.
#[test]
fn an_agent_has_the_keys_of_a_client_of_etcd_alone() {
    let keys = |role, unit: &str| {
        let server = ClusterServer::new(&cluster_of(SWARM), role, &ENDPOINT);
        server.configures();
        let text = server.plain(unit);
        let mounts = text.split(" -v ").skip(1);
        mounts
            .map(|mount| mount.split(':').next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let agent = "/etc/systemd/system/swarm-agent.service";
    assert_eq!(keys(Role::Minion(0), agent), ["/etc/etcd/certs"]);
    assert_eq!(keys(Role::Master(0), MANAGER), ["/etc/docker", "/etc/etcd/certs"]);
}

#[test]
fn each_version_of_swarm_can_be_asked_for() {
    for version in ["1.2.5", "1.2.6", "1.2.7", "1.2.8", "1.2.9"] {
        let mut cluster = open();
        crate::support::stacks::label(&mut cluster, "swarm_version", version);
        for (role, unit) in [(Role::Master(0), "manager"), (Role::Minion(0), "agent")] {
            let server = ClusterServer::new(&cluster, role, &ENDPOINT);
            server.comes_up();
            let image = format!("docker.io/library/swarm:{version}");
            assert!(server.commands().contains(&format!("docker pull {image}")));
            let text = server.plain(&format!("/etc/systemd/system/swarm-{unit}.service"));
            assert!(text.contains(&format!(" {image} ")), "{text}");
            let said = server.signal()["reason"].clone();
            assert!(
                said.as_str().unwrap().contains(&format!("Swarm {version} ")),
                "{said}"
            );
        }
    }
}

#[test]
fn rexray_acts_under_the_trust_which_root_alone_reads() {
    for preempt in [None, Some("true"), Some("false")] {
        let mut cluster = cluster_of(SWARM);
        cluster.template.volume_driver = Some("rexray".into());
        if let Some(preempt) = preempt {
            crate::support::stacks::label(&mut cluster, "rexray_preempt", preempt);
        }
        let server = ClusterServer::new(&cluster, Role::Minion(0), &ENDPOINT);
        server.comes_up();
        assert_eq!(server.mode("/etc/rexray/config.yml"), 0o600);
        let config = crate::support::yaml(&server.plain("/etc/rexray/config.yml"));
        assert_eq!(
            config["libstorage"]["integration"]["volume"]["operations"]["mount"]["preempt"],
            preempt == Some("true")
        );
        assert_eq!(config["libstorage"]["service"], "openstack");
        // What it mounts is in its container alone, unless both Docker and the container share their mounts.
        let path = &config["libstorage"]["integration"]["volume"]["operations"]["mount"]["path"];
        assert_eq!(path, "/var/lib/rexray/volumes");
        assert_eq!(
            server.read("/etc/systemd/system/docker.service.d/magnum-rexray.conf"),
            "[Service]\nMountFlags=shared\n"
        );
        assert_eq!(
            config["openstack"],
            serde_json::json!({
                "authUrl": "https://keystone.example:5000/v3",
                "userID": "trustee0123456789",
                "password": TRUSTEE_PASSWORD,
                "trustID": TRUST,
            })
        );
        let unit = server.plain("/etc/systemd/system/rexray.service");
        assert!(
            unit.contains("docker.io/openstackmagnum/rexray:alpine") && !unit.contains(TRUSTEE_PASSWORD),
            "{unit}"
        );
        assert!(
            unit.contains(" -v /var/lib/rexray:/var/lib/rexray:rshared "),
            "{unit}"
        );
    }
}

#[test]
fn a_trust_is_on_no_server_where_nothing_needs_it() {
    for role in BOTH {
        let server = ClusterServer::new(&cluster_of(SWARM), role, &ENDPOINT);
        server.comes_up();
        for (path, _, _, content) in server.snapshot() {
            let text = String::from_utf8_lossy(&content);
            assert!(
                !text.contains(TRUSTEE_PASSWORD) && !text.contains(TRUST),
                "{}",
                path.display()
            );
        }
        for file in ["/etc/rexray", "/etc/sysconfig/registry-config.yml"] {
            assert!(!server.path(file).exists(), "{file}");
        }
    }
    let manager = ClusterServer::new(&everything(), Role::Master(0), &ENDPOINT);
    manager.comes_up();
    for (path, _, _, content) in manager.snapshot() {
        assert!(
            !String::from_utf8_lossy(&content).contains(TRUSTEE_PASSWORD),
            "{}",
            path.display()
        );
    }
}

#[test]
fn with_everything_all_images_come_from_the_registry_and_all_files_are_there() {
    let server = ClusterServer::new(&everything(), Role::Minion(0), &ENDPOINT);
    server.comes_up();
    for (unit, image) in [
        ("swarm-agent", "swarm:1.2.9"),
        ("rexray", "rexray:alpine"),
        ("registry", "registry:2.7.1"),
    ] {
        let text = server.plain(&format!("/etc/systemd/system/{unit}.service"));
        assert!(
            text.contains(&format!(" registry.example:5000/google_containers/{image}")),
            "{text}"
        );
    }
    assert!(
        server
            .read("/etc/sysconfig/docker")
            .contains("INSECURE_REGISTRY='--insecure-registry registry.example:5000'")
    );
    let proxies = server.read("/etc/systemd/system/docker.service.d/magnum-proxy.conf");
    assert!(
        proxies.contains("HTTPS_PROXY=http://proxy.example:3129") && proxies.contains(",10.0.0.10\""),
        "{proxies}"
    );
    assert_eq!(server.mode("/etc/sysconfig/registry-config.yml"), 0o600);
    assert_eq!(
        server.signal()["reason"],
        "the managers of Swarm 1.2.9 know the node 10.0.0.60"
    );
}

/// The image has one key, by which all servers would take each other for the same.
#[test]
fn a_key_that_came_with_the_image_goes_once() {
    let server = ClusterServer::new(&open(), Role::Minion(0), &ENDPOINT);
    server.write("/etc/docker/key.json", "the image's");
    server.configures();
    assert!(!server.path("/etc/docker/key.json").exists());
    server.write("/etc/docker/key.json", "its own");
    server.configures();
    assert_eq!(server.read("/etc/docker/key.json"), "its own");
}
