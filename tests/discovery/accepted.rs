//! What is refused when the request is accepted: nothing is recorded, and nobody is asked.

use magnum::*;

use crate::accept;
use crate::host::{Host, size};
use crate::support::hosts::Discovering;
use crate::support::scene::Scene;

async fn refused(scene: &Scene, url: &str, why: &str) {
    let error = accept(scene, 3, Some(url)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{url}: {error}");
    let [problem] = error.problems() else {
        panic!("{url}: {error}");
    };
    assert_eq!(problem.field, "discovery_url");
    assert_eq!(problem.value, shown(url));
    assert!(problem.message.contains(why), "{url}: {problem}");
    let listed = scene
        .magnum
        .list_clusters(&scene.cx, ListOptions::default())
        .await;
    assert_eq!(listed.unwrap().items, []);
}

#[tokio::test(start_paused = true)]
async fn an_address_that_is_not_to_be_connected_to_is_refused() {
    let scene = Scene::discovering(1, Discovering::Checking).await;
    for url in [
        "http://127.0.0.1/x",
        "http://127.1/x",
        "http://0x7f000001/x",
        "http://2130706433/x",
        "http://017700000001/x",
        "http://%31%32%37.0.0.1/x",
        "https://[::1]:2379/x",
        "https://[::ffff:127.0.0.1]/x",
        "http://[64:ff9b::7f00:1]/x",
        "http://[2002:a9fe:a9fe::]/x",
        "http://169.254.169.254/latest",
        "http://0.0.0.0/x",
        "http://localhost/x",
        "http://LOCALHOST./x",
    ] {
        refused(&scene, url, "neither loopback").await;
    }
    // Who could be taken for somebody else is refused by the grammar.
    for url in [
        "http://discovery.example@127.0.0.1/x",
        "http:\\\\127.0.0.1",
        "ftp://a/",
    ] {
        refused(&scene, url, "must be http:// or https://").await;
    }
    refused(&scene, "http:///127.0.0.1/x", "must be a URL with a host").await;
}

#[tokio::test(start_paused = true)]
async fn a_url_that_nobody_could_check_is_refused() {
    let scene = Scene::new(1).await;
    refused(&scene, "https://discovery.example/x", "no discovery configured").await;
}

#[tokio::test(start_paused = true)]
async fn a_driver_that_has_no_use_for_it_says_so() {
    let scene = Scene::discovering(1, Discovering::Checking).await;
    let host = Host::mounted(&scene, size("1"));
    scene.template().await;
    let spec = ClusterSpec {
        discovery_url: Some("https://discovery.example/x".into()),
        ..ClusterSpec::new("small")
    };
    let refused = scene
        .magnum
        .create_cluster(&scene.cx, spec, CreateOptions::default())
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("has no use for it"), "{refused}");
    assert_eq!(host.asked(), [""; 0]);
}
