//! How servers reach the node endpoint and Heat: always verified.

use crate::support::authority::{Authority, endpoint_url};
use crate::support::kubernetes::*;
use crate::support::server::{Server, answering};
use crate::{BOTH, ENDPOINT};

/// Makes servers signal to this Heat, over TLS.
fn signal_to(cloud: &mut Cloud, heat: &Server) {
    let words = cloud.signal.split(' ');
    let plain = words
        .filter(|word| word.starts_with("http://"))
        .collect::<Vec<_>>()
        .concat();
    let secure = format!("https://{}/v1/p/stacks/s", heat.address);
    cloud.signal = cloud.signal.replace(&plain, &secure);
}

#[test]
fn an_endpoint_of_another_authority_is_not_trusted() {
    let (right, other) = (Authority::new(), Authority::new());
    let endpoint = Server::secure(&right, |_| (200, "{}".into()));
    let url = format!("https://{}/v1/clusters/c", endpoint.address);
    for role in BOTH {
        let server = KubeServer::with(&kubernetes_cluster(), role, &url, |cloud| {
            cloud.nodes.ca = Some(other.certificate());
        });
        let reason = server.reason(&server.configure());
        assert!(
            reason.starts_with("get certificates: the node endpoint cannot be reached: curl: (60)"),
            "{reason}"
        );
        assert!(!server.path("/etc/kubernetes/certs/ca.crt").exists());
    }
}

#[test]
fn no_curl_goes_without_verification() {
    for role in BOTH {
        let server = KubeServer::new(&kubernetes_cluster(), role, &ENDPOINT);
        server.comes_up();
        let said = format!("{}\n{}", server.commands().join("\n"), server.curl_configs());
        for word in [" -k", "insecure"] {
            assert!(!said.contains(word), "{said}");
        }
        assert!(!server.read(PROGRAM).contains("--insecure "));
    }
}

/// Heat is behind the same authority as the node endpoint: both phases must know it.
#[test]
fn heat_is_verified_by_the_given_authority_in_both_phases() {
    let authority = Authority::new();
    let heat = Server::secure(&authority, |_| (200, "{}".into()));
    for role in BOTH {
        heat.forget();
        let server = KubeServer::with(
            &kubernetes_cluster(),
            role,
            &endpoint_url(&ENDPOINT.server),
            |cloud| {
                cloud.nodes.ca = Some(authority.certificate());
                cloud.trust.identity.ca = Some(authority.certificate());
                signal_to(cloud, &heat);
            },
        );
        server.fail_call("systemctl daemon-reload");
        assert!(!server.configure().status.success());
        assert_eq!(
            heat.asked("/v1/p/").len(),
            1,
            "{role:?}: the failure of the first phase"
        );
        server.fail_call("");
        server.comes_up();
        assert_eq!(
            heat.asked("/v1/p/").len(),
            2,
            "{role:?}: the success of the second phase"
        );
    }
}

/// The system's own authorities count for Heat, wherever the distribution keeps them.
#[test]
fn the_systems_authorities_count_beside_the_given_one() {
    let (system, given) = (Authority::new(), Authority::new());
    let heat = Server::secure(&system, |_| (200, "{}".into()));
    for bundle in [
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/tls/certs/ca-bundle.crt",
    ] {
        heat.forget();
        let server = KubeServer::with(
            &kubernetes_cluster(),
            Role::Minion(0),
            &endpoint_url(&ENDPOINT.server),
            |cloud| {
                cloud.nodes.ca = Some(given.certificate());
                signal_to(cloud, &heat);
            },
        );
        server.write(bundle, &system.certificate());
        server.comes_up();
        assert_eq!(heat.asked("/v1/p/").len(), 1, "{bundle}");
    }
}

#[test]
fn a_heat_of_another_authority_is_not_told() {
    let (heats, given) = (Authority::new(), Authority::new());
    let heat = Server::secure(&heats, |_| (200, "{}".into()));
    let server = KubeServer::with(
        &kubernetes_cluster(),
        Role::Minion(0),
        &endpoint_url(&ENDPOINT.server),
        |cloud| {
            cloud.nodes.ca = Some(given.certificate());
            signal_to(cloud, &heat);
        },
    );
    server.configures();
    assert!(!server.start().status.success());
    assert!(heat.asked("/").is_empty());
    assert!(!server.path("/var/lib/magnum/reported").exists());
}

#[test]
fn a_refused_credential_fails_the_server_at_once() {
    let refusing = answering(403, r#"{"error": "this credential is of another cluster"}"#);
    for role in BOTH {
        refusing.forget();
        let server = KubeServer::with(&kubernetes_cluster(), role, &endpoint_url(&refusing), |_| {});
        assert_eq!(
            server.reason(&server.configure()),
            "get certificates: the node endpoint answered 403: this credential is of another cluster"
        );
        assert_eq!(refusing.asked("/").len(), 1);
    }
}

#[test]
fn a_master_gets_nothing_with_the_credential_of_nodes() {
    let server = KubeServer::with(
        &kubernetes_cluster(),
        Role::Master(0),
        &endpoint_url(&ENDPOINT.server),
        |cloud| {
            let worker = cloud.nodes.credentials[1].1.clone();
            cloud.nodes.credentials[0].1 = worker;
        },
    );
    assert_eq!(
        server.reason(&server.configure()),
        "get certificates: the node endpoint answered 403: server is not for the role Worker"
    );
}

#[test]
fn an_endpoint_that_answers_something_else_fails_the_server() {
    let odd = answering(200, "<html>Welcome</html>");
    let server = KubeServer::with(
        &kubernetes_cluster(),
        Role::Minion(0),
        &endpoint_url(&odd),
        |_| {},
    );
    assert_eq!(
        server.reason(&server.configure()),
        "get certificates: the node endpoint sent something else than a certificate authority"
    );
    let keyless = Server::start(|asked| {
        if asked.path.contains("/keys/") {
            return (200, "no key".into());
        }
        ENDPOINT.answer(asked)
    });
    let server = KubeServer::with(
        &kubernetes_cluster(),
        Role::Master(0),
        &endpoint_url(&keyless),
        |_| {},
    );
    assert_eq!(
        server.reason(&server.configure()),
        "get certificates: the node endpoint sent something else than a private key"
    );
    assert!(!server.path("/etc/kubernetes/certs/service_account.key").exists());
}
