//! Secrets are for root only, and in no list of processes and no log.

use std::os::unix::fs::PermissionsExt as _;

use crate::support::kubernetes::*;
use crate::support::node::TOKEN;
use crate::support::policy::{MASTER_CREDENTIAL, WORKER_CREDENTIAL, credential_of};
use crate::support::server::answering;
use crate::{BOTH, new_endpoint};

const PROXY_PASSWORD: &str = "proxypassword0123";

#[test]
fn no_secret_can_be_read_by_others() {
    let endpoint = new_endpoint();
    let proxy = answering(200, "{}");
    for (storage, proxied) in [("devicemapper", false), ("overlay", true)] {
        let mut cluster = kubernetes_cluster();
        label(&mut cluster, "cloud_provider_enabled", "true");
        let spec = &mut cluster.template;
        spec.registry_enabled = true;
        spec.docker_storage_driver = Some(storage.into());
        if proxied {
            let url = format!("http://user:{PROXY_PASSWORD}@{}", proxy.address);
            spec.http_proxy = Some(url.clone());
            spec.https_proxy = Some(url);
        }
        for role in BOTH {
            let server = KubeServer::new(&cluster, role, &endpoint);
            let outputs = [server.configure(), server.start()];
            let mut secrets = vec![
                credential_of(0, MASTER_CREDENTIAL),
                credential_of(0, WORKER_CREDENTIAL),
                TRUSTEE_PASSWORD.to_owned(),
                TRUST.to_owned(),
                TOKEN.to_owned(),
                PROXY_PASSWORD.to_owned(),
            ];
            for (path, ..) in server
                .snapshot()
                .iter()
                .filter(|e| e.0.extension().is_some_and(|x| x == "key"))
            {
                let key = std::fs::read_to_string(path).unwrap();
                secrets.push(key.lines().nth(1).unwrap().to_owned());
            }
            assert!(secrets.len() > 7);
            let mut holders = 0;
            for (path, mode, _, content) in server.snapshot() {
                let text = String::from_utf8_lossy(&content);
                if secrets.iter().any(|secret| text.contains(secret.as_str())) {
                    holders += 1;
                    assert_eq!(mode & 0o077, 0, "{}", path.display());
                }
            }
            assert!(holders >= 4, "{role:?}");
            let commands = server.commands().join("\n");
            for secret in &secrets {
                assert!(
                    !commands.contains(secret.as_str()),
                    "{secret} in a list of processes"
                );
                for output in &outputs {
                    assert!(output.status.success());
                    let said = format!("{:?}", output);
                    assert!(!said.contains(secret.as_str()), "{secret} in the log");
                }
            }
        }
    }
}

#[test]
fn each_server_has_its_own_credential_only() {
    let endpoint = new_endpoint();
    let mut cluster = kubernetes_cluster();
    for pool in &mut cluster.pools {
        pool.count = 3;
    }
    for role in [Role::Master(2), Role::Minion(2)] {
        let server = KubeServer::new(&cluster, role, &endpoint);
        let script = std::fs::read_to_string(server.beside("user-data")).unwrap();
        let secret_of = |role| match role {
            Role::Master(_) => MASTER_CREDENTIAL,
            Role::Minion(_) => WORKER_CREDENTIAL,
        };
        for one in [role, BOTH[0], BOTH[1], Role::Master(1), Role::Minion(1)] {
            let (Role::Master(member) | Role::Minion(member)) = one;
            let shown = credential_of(member, secret_of(one));
            assert_eq!(script.contains(&shown), one == role, "{role:?} {one:?}");
            assert!(!script.contains(secret_of(one)), "{role:?} {one:?}");
        }
    }
}

/// Where a parent directory is for root only, that must hold for it from the first moment.
#[test]
fn directories_with_secrets_are_for_root_only() {
    let server = KubeServer::new(&kubernetes_cluster(), BOTH[0], &crate::ENDPOINT);
    server.comes_up();
    for directory in [
        "/etc/kubernetes/certs",
        "/etc/etcd/certs",
        "/etc/kubernetes/manifests",
        "/etc/kubernetes/addons",
        "/var/lib/magnum",
        "/var/lib/etcd",
    ] {
        let mode = std::fs::metadata(server.path(directory))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o700, "{directory}");
    }
}
