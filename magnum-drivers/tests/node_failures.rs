//! What the docker driver's node script does when something is wrong: it says so to Heat, or waits.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use support::authority::{Authority, endpoint_url, signing};
use support::node::{CREDENTIAL, Node};
use support::server::{Server, answering};

#[test]
fn packages_that_cannot_be_installed_fail_the_node() {
    let node = Node::new("http://127.0.0.1:9/v1/clusters/c");
    node.fail("apt-get", "E: Unable to locate package \"docker.io\"\n");
    let reason = node.fails();
    assert_eq!(
        reason,
        "install Docker: apt-get could not install docker.io: E: Unable to locate package \"docker.io\""
    );
    assert_eq!(node.commands_of("apt-get").len(), 4);
    assert!(!node.path("/etc/docker").exists());
}

#[test]
fn a_refused_credential_fails_the_node_at_once() {
    let refusing = answering(
        403,
        r#"{"error": "this credential is for \\ another \u00e4 cluster"}"#,
    );
    let node = Node::new(&endpoint_url(&refusing));
    let reason = node.fails();
    assert!(
        reason.starts_with("get certificates: the node endpoint answered 403: this credential"),
        "{reason}"
    );
    assert_eq!(refusing.asked("/").len(), 1);
    assert!(!reason.contains(CREDENTIAL));
}

#[test]
fn an_endpoint_that_says_too_early_is_asked_again() {
    let authority = Authority::new();
    let count = AtomicUsize::new(0);
    let endpoint = Server::start(move |asked| {
        if count.fetch_add(1, Ordering::SeqCst) < 3 {
            return (503, r#"{"error": "the addresses are not known yet"}"#.into());
        }
        authority.answer(asked)
    });
    let node = Node::new(&endpoint_url(&endpoint));
    node.boots();
    assert_eq!(endpoint.asked("/").len(), 3 + 5);
    assert_eq!(node.commands_of("sleep"), ["sleep 2", "sleep 4", "sleep 6"]);
}

#[test]
fn an_endpoint_that_stays_away_fails_the_node() {
    let node = Node::new(&endpoint_url(&answering(503, r#"{"error": "no room"}"#)));
    assert_eq!(
        node.fails(),
        "get certificates: the node endpoint answered 503: no room"
    );
    assert_eq!(node.commands_of("curl").len(), 24 + 1);

    // Nobody listens on the discard port.
    let node = Node::new("http://127.0.0.1:9/v1/clusters/c");
    let reason = node.fails();
    assert!(
        reason.starts_with("get certificates: the node endpoint cannot be reached: curl: (7)"),
        "{reason}"
    );
}

#[test]
fn an_answer_that_is_no_certificate_fails_the_node() {
    let node = Node::new(&endpoint_url(&answering(200, "<html>Welcome</html>")));
    let reason = node.fails();
    assert!(
        reason.contains("something else than a certificate authority"),
        "{reason}"
    );
}

#[test]
fn a_certificate_of_another_authority_is_not_taken() {
    let (good, other) = (Authority::new(), Authority::new());
    let endpoint = Server::start(move |asked| {
        if asked.method == "POST" {
            other.answer(asked)
        } else {
            good.answer(asked)
        }
    });
    let node = Node::new(&endpoint_url(&endpoint));
    assert!(node.fails().contains("does not fit"));
    assert!(!node.path("/etc/docker/server-key.pem").exists());
}

#[test]
fn an_endpoint_with_an_unknown_certificate_is_not_trusted() {
    let (server, given) = (Authority::new(), Authority::new());
    let endpoint = Server::secure(&server, |_| (200, "{}".into()));
    let mut node = Node::new(&format!("https://{}/v1/clusters/c", endpoint.address));
    let ca = Command::new("base64")
        .arg("-w0")
        .arg(given.file("ca.pem"))
        .output()
        .unwrap()
        .stdout;
    node.values
        .insert("__NODE_ENDPOINT_CA__", String::from_utf8(ca).unwrap());
    let reason = node.fails();
    assert!(reason.contains("cannot be reached: curl: (60)"), "{reason}");
    assert!(
        node.curl_configs().contains("cacert \""),
        "{}",
        node.curl_configs()
    );
}

#[test]
fn a_docker_that_never_answers_fails_the_node() {
    let (_authority, endpoint) = signing();
    let node = Node::new(&endpoint_url(&endpoint));
    node.fail(
        "docker",
        "Cannot connect to the Docker daemon\nIs the \"docker\" daemon\trunning?\n",
    );
    assert_eq!(
        node.fails(),
        "wait for Docker: the daemon does not answer: Is the \"docker\" daemon running?"
    );
    assert_eq!(node.commands_of("docker").len(), 60);
}

#[test]
fn a_docker_that_does_not_start_fails_the_node() {
    let (_authority, endpoint) = signing();
    let node = Node::new(&endpoint_url(&endpoint));
    node.fail("systemctl-restart", "");
    assert!(
        node.fails()
            .starts_with("start Docker: docker.service does not start")
    );
}

#[test]
fn a_command_that_fails_without_a_word_is_named() {
    let (_authority, endpoint) = signing();
    let node = Node::new(&endpoint_url(&endpoint));
    node.fail("systemctl", "");
    assert_eq!(
        node.fails(),
        "get certificates: systemctl --quiet enable --now magnum-renewal.timer ended with exit status 100"
    );
}

#[test]
fn a_signal_is_repeated_until_heat_takes_it() {
    let (_authority, endpoint) = signing();
    let count = AtomicUsize::new(0);
    let heat = Server::start(move |_| {
        let status = if count.fetch_add(1, Ordering::SeqCst) < 2 {
            500
        } else {
            200
        };
        (status, "{}".into())
    });
    let node = Node::signalling(&endpoint_url(&endpoint), heat);
    node.boots();
    assert_eq!(node.signals().len(), 3);
    assert!(node.signals().iter().all(|s| s["status"] == "SUCCESS"));
}
