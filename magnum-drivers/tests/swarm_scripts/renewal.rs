//! New certificates on a server that runs.

use crate::new_endpoint;
use crate::support::cluster_server::ClusterServer;
use crate::support::stacks::{BOTH, Role, SWARM, cluster_of};

#[test]
fn a_new_authority_is_taken_and_told() {
    let endpoint = new_endpoint();
    let servers = BOTH.map(|role| ClusterServer::new(&cluster_of(SWARM), role, &endpoint));
    servers.iter().for_each(|server| server.comes_up());
    for name in ["ca", "etcd"] {
        endpoint.authority(name).rotate();
    }
    endpoint.set_version("1");
    for server in &servers {
        let before = server.read("/etc/docker/server.crt");
        server.forget();
        endpoint.server.forget();
        server.succeeds(&server.renew());
        for ca in ["/etc/docker/ca.crt", "/etc/etcd/certs/ca.crt"] {
            assert_eq!(server.read(ca).matches("BEGIN CERTIFICATE").count(), 2, "{ca}");
        }
        assert_ne!(server.read("/etc/docker/server.crt"), before);
        let restarts: Vec<String> = server
            .commands()
            .into_iter()
            .filter(|call| call.contains(" restart "))
            .map(|call| call.rsplit(' ').next().unwrap().to_owned())
            .collect();
        let expected = match server.role {
            Role::Master(_) => ["etcd.service", "swarm-manager.service"],
            Role::Minion(_) => ["docker.service", "swarm-agent.service"],
        };
        assert_eq!(restarts, expected);
        let told = endpoint.server.asked("/").pop().unwrap();
        assert_eq!((told.method.as_str(), told.body.as_str()), ("PUT", "1"));
        assert!(server.signals().is_empty(), "the stack hears nothing of it");
        let settled = server.snapshot();
        server.succeeds(&server.renew());
        assert_eq!(server.snapshot(), settled, "once");
    }
}
