//! Proxies: for the scripts, for Docker and for whoever logs in.

use crate::support::kubernetes::*;
use crate::support::server::answering;
use crate::{BOTH, ENDPOINT};

#[test]
fn proxies_reach_docker_and_login_shells_and_the_signal() {
    for password in [false, true] {
        for role in BOTH {
            let proxy = answering(200, "{}");
            let mut cluster = kubernetes_cluster();
            let url = if password {
                format!("http://user:p%40ss@{}", proxy.address)
            } else {
                format!("http://{}/", proxy.address)
            };
            let spec = &mut cluster.template;
            spec.tls_disabled = true;
            spec.http_proxy = Some(url.clone());
            spec.https_proxy = Some("http://[2001:db8::1]:3129".into());
            spec.no_proxy = Some("registry.example,*.local,10.1.0.0/16".into());
            let server = KubeServer::with(&cluster, role, "http://endpoint.example", |cloud| {
                cloud.signal = cloud.signal.replace("http://127.0.0.1", "http://heat.example");
            });
            server.comes_up();
            assert_eq!(
                proxy.asked("http://heat.example").len(),
                1,
                "{role:?}: the signal goes through the proxy"
            );
            let own = match role {
                Role::Master(_) => format!(
                    "{},{},{},{LOAD_BALANCER},{LOAD_BALANCER_FLOATING}",
                    private_address(0),
                    public_address(0),
                    private_address(0)
                ),
                Role::Minion(_) => format!("{},{},{LOAD_BALANCER}", private_address(50), public_address(50)),
            };
            let none =
                format!("registry.example,*.local,10.1.0.0/16,localhost,127.0.0.1,169.254.169.254,{own}");
            let drop_in = "/etc/systemd/system/docker.service.d/magnum-proxy.conf";
            assert_eq!(
                server.read(drop_in),
                format!(
                    "[Service]\nEnvironment=\"HTTP_PROXY={}\"\n\
                     Environment=\"HTTPS_PROXY=http://[2001:db8::1]:3129\"\nEnvironment=\"NO_PROXY={none}\"\n",
                    url.replace('%', "%%")
                )
            );
            assert_eq!(server.mode(drop_in), 0o600);
            let profile = "/etc/profile.d/magnum-proxy.sh";
            assert_eq!(server.mode(profile), if password { 0o600 } else { 0o644 });
            let output = std::process::Command::new("bash")
                .args(["-c", "source \"$1\" && env", "-"])
                .arg(server.path(profile))
                .env_clear()
                .output()
                .unwrap();
            let environment = String::from_utf8(output.stdout).unwrap();
            for (name, value) in [
                ("http_proxy", url.as_str()),
                ("HTTP_PROXY", url.as_str()),
                ("https_proxy", "http://[2001:db8::1]:3129"),
                ("HTTPS_PROXY", "http://[2001:db8::1]:3129"),
                ("no_proxy", none.as_str()),
                ("NO_PROXY", none.as_str()),
            ] {
                assert!(
                    environment.lines().any(|l| l == format!("{name}={value}")),
                    "{name}: {environment}"
                );
            }
        }
    }
}

#[test]
fn one_proxy_alone_is_enough() {
    let mut cluster = kubernetes_cluster();
    cluster.template.https_proxy = Some("http://proxy.example:3129".into());
    let server = KubeServer::new(&cluster, Role::Minion(0), &ENDPOINT);
    server.comes_up();
    let drop_in = server.read("/etc/systemd/system/docker.service.d/magnum-proxy.conf");
    assert!(
        !drop_in.contains("\"HTTP_PROXY") && drop_in.contains("HTTPS_PROXY"),
        "{drop_in}"
    );
    assert!(
        !server
            .read("/etc/profile.d/magnum-proxy.sh")
            .contains("export http_proxy")
    );
}

#[test]
fn without_proxies_nothing_is_written_even_if_some_addresses_were_to_go_without() {
    let mut cluster = kubernetes_cluster();
    cluster.template.tls_disabled = true;
    cluster.template.no_proxy = Some("example.org".into());
    for role in BOTH {
        let server = KubeServer::new(&cluster, role, &ENDPOINT);
        server.comes_up();
        assert!(!server.path("/etc/systemd/system/docker.service.d").exists());
        assert!(!server.path("/etc/profile.d").exists());
    }
}
