//! What a client configuration and the servers' certificates are worth to others' TLS: `openssl verify`, rustls beside
//! OpenSSL, and the real `docker` and `kubectl` in the environment that the configuration exports. All of it under
//! authorities on RSA-2048 and on P-256.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test program: it has no users, and a panic is its verdict"
)]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::Path;

use magnum::certs::{EcKeys, RsaKeys};
use magnum::*;
use openssl::pkey::PKey;
use support::certificate::{Wanted, read};
use support::handshake::{Library, PAIRINGS, Party};
use support::hosts::Authorities;
use support::kubernetes::without_quotas;
use support::kubernetes_api::{self, Answers};
use support::node::{Node, nodes};
use support::programs::{Said, run};
use support::scene::Scene;
use support::{docker_api, kubernetes, swarm};
use tempfile::{TempDir, tempdir};

/// A cluster's first server, and a user of the cluster.
struct Side {
    cluster: Cluster,
    server: Party,
    /// An address in the server's certificate.
    host: String,
    written: WrittenConfig,
    directory: TempDir,
}

impl Side {
    fn path(&self, file: &str) -> String {
        self.directory.path().join(file).to_str().unwrap().to_owned()
    }

    /// The user.
    fn user(&self) -> Party {
        let file = |name: &str| fs::read_to_string(self.path(name)).unwrap();
        Party {
            certificate: read(&file("cert.pem")),
            key: PKey::private_key_from_pem(file("key.pem").as_bytes()).unwrap(),
            authorities: vec![read(&file("ca.pem"))],
        }
    }
}

/// The guide's clusters, of one master each.
struct Sides {
    scene: Scene,
    swarm: Side,
    kubernetes: Side,
}

impl Sides {
    fn under(authorities: Authorities) -> Self {
        // The simulation's clock stands still, programs' does not: they run outside.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        let sides = runtime.block_on(async {
            let scene = Scene::since_yesterday(1, authorities).await;
            without_quotas(&scene);
            let swarm = side(&scene, swarm::guides_template(), "manager", &EcKeys).await;
            let rsa = RsaKeys::default();
            let kubernetes = side(&scene, kubernetes::guides_template(), "server", &rsa).await;
            Self {
                scene,
                swarm,
                kubernetes,
            }
        });
        let bits = |side: &Side| side.user().authorities[0].public_key().unwrap().bits();
        let expected = match authorities {
            Authorities::Rsa => 2048,
            Authorities::P256 => 256,
        };
        assert_eq!([bits(&sides.swarm), bits(&sides.kubernetes)], [expected; 2]);
        sides
    }

    fn both(&self) -> [&Side; 2] {
        [&self.swarm, &self.kubernetes]
    }
}

async fn side(scene: &Scene, template: TemplateSpec, purpose: &str, keys: &dyn KeySource) -> Side {
    let template = scene.magnum.create_template(&scene.cx, template).await.unwrap();
    let name = format!("of-{}", template.spec.coe);
    let spec = ClusterSpec::new(template.id.to_string()).with_name(name);
    let accepted = scene
        .magnum
        .create_cluster(&scene.cx, spec, CreateOptions::default())
        .await
        .unwrap();
    scene.settle().await;
    let cluster = scene.cluster(accepted.id).await.unwrap();
    assert_eq!(cluster.status, ClusterStatus::CREATE_COMPLETE);
    let master = nodes(scene, cluster.id).remove(0);
    let server = certified(scene, &master, purpose).await;
    let host = authority(&cluster).rsplit_once(':').unwrap().0.to_owned();
    let directory = tempdir().unwrap();
    let written = write_client_config(
        &scene.magnum,
        &scene.cx,
        cluster.id,
        directory.path(),
        keys,
        false,
    )
    .await
    .unwrap();
    Side {
        cluster,
        server,
        host,
        written,
        directory,
    }
}

/// What a server gets from its cluster's authority.
async fn certified(scene: &Scene, node: &Node, purpose: &str) -> Party {
    let own = Wanted::names(node.own.union(&node.of_load_balancer).cloned());
    let (certificate, request) = node.certificate(scene, purpose, &own).await;
    Party {
        certificate,
        key: request.key,
        authorities: vec![node.authority(scene, "ca").await],
    }
}

fn openssl(home: &Path, arguments: &[&str]) -> Said {
    run("openssl", home, &BTreeMap::new(), arguments)
}

fn openssl_verifies(authorities: Authorities) {
    let sides = Sides::under(authorities);
    let [swarm, kubernetes] = sides.both();
    for (side, stranger) in [(swarm, kubernetes), (kubernetes, swarm)] {
        let home = side.directory.path();
        fs::write(home.join("server.pem"), side.server.certificate.to_pem().unwrap()).unwrap();
        let verify = |rest: &[&str]| openssl(home, &[&["verify", "-x509_strict", "-CAfile"], rest].concat());
        let by_address = ["-purpose", "sslserver", "-verify_ip", &side.host, "server.pem"];
        let said = verify(&[&["ca.pem"], &by_address[..]].concat());
        assert!(said.ok && said.out == "server.pem: OK\n", "{said:?}");
        let said = verify(&["ca.pem", "-purpose", "sslclient", "cert.pem"]);
        assert!(said.ok && said.out == "cert.pem: OK\n", "{said:?}");

        // By a name, where servers have one; by another's, never.
        let of_server = side.server.certificate.subject_alt_names().unwrap();
        let name = of_server.iter().find_map(|name| name.dnsname()).unwrap();
        for (name, fits) in [(name, true), ("elsewhere.example", false)] {
            let said = verify(&[
                "ca.pem",
                "-purpose",
                "sslserver",
                "-verify_hostname",
                name,
                "server.pem",
            ]);
            assert_eq!(said.ok, fits, "{name}: {said:?}");
        }
        for (arguments, why) in [
            (
                ["ca.pem", "-purpose", "sslserver", "cert.pem"],
                "unsuitable certificate purpose",
            ),
            (
                [&stranger.path("ca.pem"), "-purpose", "sslclient", "cert.pem"],
                "unable to get local issuer certificate",
            ),
            (
                [&stranger.path("ca.pem"), "-purpose", "sslserver", "server.pem"],
                "unable to get local issuer certificate",
            ),
        ] {
            let said = verify(&arguments);
            // OpenSSL 3.2 says "unsupported".
            let as_expected = said.err.replace("unsupported", "unsuitable").contains(why);
            assert!(!said.ok && as_expected, "{arguments:?}: {said:?}");
        }
    }
}

#[track_caller]
fn refused(talk: Result<(), String>, who: &str, library: Library, why: [&str; 2], case: &str) {
    let error = talk.unwrap_err();
    let [openssl, rustls] = why;
    let why = if library == Library::OpenSsl {
        openssl
    } else {
        rustls
    };
    assert!(error.starts_with(who) && error.contains(why), "{case}: {error}");
}

fn libraries_agree(authorities: Authorities) {
    const UNKNOWN: [&str; 2] = [
        "certificate verify failed",
        "invalid peer certificate: UnknownIssuer",
    ];
    let sides = Sides::under(authorities);
    let [swarm, kubernetes] = sides.both();
    for (side, stranger) in [(swarm, kubernetes), (kubernetes, swarm)] {
        let (user, server, host) = (side.user(), &side.server, side.host.as_str());
        for pairing in PAIRINGS {
            let (mine, theirs) = pairing;
            let case = format!("{authorities:?}, {}, {pairing:?}", side.cluster.name);
            user.talks(server, host, pairing, true)
                .unwrap_or_else(|why| panic!("{case}: {why}"));

            // Nobody without a certificate, or with another cluster's.
            let why = ["did not return a certificate", "peer sent no certificates"];
            refused(
                user.talks(server, host, pairing, false),
                "the server",
                theirs,
                why,
                &case,
            );
            let deceived = Party {
                authorities: user.authorities.clone(),
                ..stranger.user()
            };
            refused(
                deceived.talks(server, host, pairing, true),
                "the server",
                theirs,
                UNKNOWN,
                &case,
            );
            // A user believes no server of another cluster, none by another address, and no user who poses as one.
            refused(
                user.talks(&stranger.server, &stranger.host, pairing, true),
                "the client",
                mine,
                UNKNOWN,
                &case,
            );
            let why = ["IP address mismatch", "certificate not valid for name"];
            refused(
                user.talks(server, "192.0.2.1", pairing, true),
                "the client",
                mine,
                why,
                &case,
            );
            let why = ["certificate purpose", "extended key usage"];
            refused(
                user.talks(&user, host, pairing, true),
                "the client",
                mine,
                why,
                &case,
            );
        }
    }
}

/// What `eval` of the exported lines leaves in a shell, and a proxy through which the cluster's address leads to us.
fn environment(side: &Side, listener: &TcpListener) -> BTreeMap<String, String> {
    let script = "eval \"$1\"; exec env -0";
    let exports = side.written.exports(Shell::Posix);
    let said = run(
        "sh",
        side.directory.path(),
        &BTreeMap::new(),
        &["-c", script, "sh", &exports],
    );
    assert!(said.ok, "{said:?}");
    let variables = said.out.split_terminator('\0');
    let mut environment: BTreeMap<String, String> = variables
        .map(|variable| variable.split_once('=').unwrap())
        .filter(|(name, _)| side.written.environment.contains_key(*name))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    assert_eq!(environment, side.written.environment);
    let proxy = format!("http://{}", listener.local_addr().unwrap());
    environment.insert("HTTPS_PROXY".to_owned(), proxy);
    environment
}

/// Host and port of a cluster's API.
fn authority(cluster: &Cluster) -> String {
    let address = cluster.api_address.as_ref().unwrap();
    address.split_once("://").unwrap().1.to_owned()
}

fn docker_gets_through(authorities: Authorities) {
    let sides = Sides::under(authorities);
    let (side, home) = (&sides.swarm, tempdir().unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let environment = environment(side, &listener);
    let api = docker_api::serve(listener, &side.server, &authority(&side.cluster), "swarm/1.2.9");
    let docker = |environment: &BTreeMap<String, String>, arguments: &[&str]| {
        run("docker", home.path(), environment, arguments)
    };
    let show = ["version", "--format", "{{.Server.Version}}"];

    // In the environment alone, and by the options that the guide has.
    let said = docker(&environment, &show);
    assert!(said.ok && said.out == "swarm/1.2.9\n", "{said:?}");
    let said = docker(&environment, &["ps", "--quiet"]);
    assert!(said.ok && said.out.is_empty(), "{said:?}");
    let proxy = BTreeMap::from([("HTTPS_PROXY".to_owned(), environment["HTTPS_PROXY"].clone())]);
    let (ca, certificate, key) = (side.path("ca.pem"), side.path("cert.pem"), side.path("key.pem"));
    let host = side.cluster.api_address.clone().unwrap();
    let anybody = ["--tlsverify", "--tlscacert", &ca, "--host", &host];
    let user = ["--tlscert", &certificate, "--tlskey", &key];
    let said = docker(&proxy, &[&anybody[..], &user, &show].concat());
    assert!(said.ok && said.out == "swarm/1.2.9\n", "{said:?}");
    let seen = api.answered();
    assert!(
        seen.iter()
            .all(|(client, _, status)| client == "CN=admin,O=system:masters" && *status == 200),
        "{seen:?}"
    );
    assert!(
        seen.iter().any(|(_, path, _)| path.ends_with("/containers/json")),
        "{seen:?}"
    );

    // Without a certificate, with another cluster's, and with an authority that does not know the server.
    let said = docker(&proxy, &[&anybody[..], &show].concat());
    assert!(!said.ok, "{said:?}");
    let why = api.refusals();
    assert!(
        why.iter().all(|why| why.contains("did not return a certificate")),
        "{why:?}"
    );
    let other = &sides.kubernetes;
    let (certificate, key) = (other.path("cert.pem"), other.path("key.pem"));
    let stranger = ["--tlscert", &certificate, "--tlskey", &key];
    let said = docker(&proxy, &[&anybody[..], &stranger, &show].concat());
    assert!(!said.ok, "{said:?}");
    let why = api.refusals();
    assert!(
        why.iter().all(|why| why.contains("certificate verify failed")),
        "{why:?}"
    );
    let elsewhere = other.directory.path().to_str().unwrap().to_owned();
    let mut misled = environment;
    misled.insert("DOCKER_CERT_PATH".to_owned(), elsewhere);
    let said = docker(&misled, &show);
    assert!(!said.ok && said.err.contains("x509: certificate"), "{said:?}");
    let why = api.refusals();
    assert!(why.iter().all(|why| why.contains("alert")), "{why:?}");
}

fn kubectl_gets_through(authorities: Authorities) {
    let sides = Sides::under(authorities);
    let (side, home) = (&sides.kubernetes, tempdir().unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let environment = environment(side, &listener);
    let servers = nodes(&sides.scene, side.cluster.id);
    let answers = Answers {
        version: side.cluster.coe_version.clone().unwrap(),
        nodes: servers.iter().map(|node| node.name.clone()).collect(),
    };
    let api = kubernetes_api::serve(listener, &side.server, &authority(&side.cluster), answers);
    let kubectl = |environment: &BTreeMap<String, String>, arguments: &[&str]| {
        let arguments = [arguments, &["--request-timeout=20s"]].concat();
        run("kubectl", home.path(), environment, &arguments)
    };
    let said = kubectl(&environment, &["get", "nodes", "--output=name"]);
    let named: String = servers
        .iter()
        .map(|node| format!("node/{}\n", node.name))
        .collect();
    assert!(said.ok && said.out == named && servers.len() == 2, "{said:?}");
    let seen = api.answered();
    assert!(
        seen.iter()
            .all(|(client, _, status)| client == "CN=admin,O=system:masters" && *status == 200),
        "{seen:?}"
    );

    // The Swarm's user here, and this user at a server that the Swarm's authority has certified.
    let (certificate, key) = (sides.swarm.path("cert.pem"), sides.swarm.path("key.pem"));
    let (ca, server) = (side.path("ca.pem"), side.cluster.api_address.clone().unwrap());
    let proxy = BTreeMap::from([("HTTPS_PROXY".to_owned(), environment["HTTPS_PROXY"].clone())]);
    let ask = ["get", "--raw", "/healthz", "--server", &server];
    let stranger = ["--client-certificate", &certificate, "--client-key", &key];
    let trusting = ["--certificate-authority", &ca];
    let said = kubectl(&proxy, &[&ask[..], &stranger, &trusting].concat());
    assert!(!said.ok, "{said:?}");
    let why = api.refusals();
    assert!(
        why.iter().all(|why| why.contains("certificate verify failed")),
        "{why:?}"
    );
    let (certificate, key) = (side.path("cert.pem"), side.path("key.pem"));
    let user = ["--client-certificate", &certificate, "--client-key", &key];
    let ca = sides.swarm.path("ca.pem");
    let trusting = ["--certificate-authority", &ca];
    let said = kubectl(&proxy, &[&ask[..], &user, &trusting].concat());
    assert!(
        !said.ok && said.err.contains("certificate signed by unknown authority"),
        "{said:?}"
    );
    let why = api.refusals();
    assert!(why.iter().all(|why| why.contains("alert")), "{why:?}");
}

mod with_authorities_on_rsa {
    use super::*;

    #[test]
    fn openssl_verifies_users_and_servers() {
        openssl_verifies(Authorities::Rsa);
    }

    #[test]
    fn openssl_and_rustls_agree_on_who_may_talk_to_whom() {
        libraries_agree(Authorities::Rsa);
    }

    #[test]
    fn docker_reaches_its_swarm_and_no_other() {
        docker_gets_through(Authorities::Rsa);
    }

    #[test]
    fn kubectl_reaches_its_cluster_and_no_other() {
        kubectl_gets_through(Authorities::Rsa);
    }
}

mod with_authorities_on_p256 {
    use super::*;

    #[test]
    fn openssl_verifies_users_and_servers() {
        openssl_verifies(Authorities::P256);
    }

    #[test]
    fn openssl_and_rustls_agree_on_who_may_talk_to_whom() {
        libraries_agree(Authorities::P256);
    }

    #[test]
    fn docker_reaches_its_swarm_and_no_other() {
        docker_gets_through(Authorities::P256);
    }

    #[test]
    fn kubectl_reaches_its_cluster_and_no_other() {
        kubectl_gets_through(Authorities::P256);
    }
}
