//! URLs that users give are asked, once, how many members they are for.

use std::time::Duration;

use magnum::*;

use crate::host::{Host, Says, size};
use crate::support::hosts::Discovering;
use crate::support::scene::Scene;
use crate::{accept, failed, made};

const URL: &str = "https://discovery.example/v2/keys/x?a=b";
const ASKED: &str = "GET https://discovery.example/v2/keys/x/_config/size?a=b";

#[tokio::test(start_paused = true)]
async fn a_url_for_as_many_members_as_there_are_masters_is_used() {
    for (masters, discovering) in [
        (1, Discovering::Checking),
        (3, Discovering::Elsewhere),
        (3, Discovering::Own),
    ] {
        let scene = Scene::discovering(1, discovering).await;
        let host = Host::mounted(&scene, size(&masters.to_string()));
        let cluster = made(&scene, masters, Some(URL)).await;
        assert_eq!(
            cluster.status,
            ClusterStatus::CREATE_COMPLETE,
            "{:?}",
            cluster.fault
        );
        assert_eq!(cluster.discovery_url.as_deref(), Some(URL));
        assert_eq!(host.asked(), [ASKED], "once");
        let configured = scene.cloud.with(|world| {
            let mut data = world
                .compute
                .servers()
                .filter_map(|server| server.user_data.clone());
            data.any(|script| script.contains(&format!("discovery_url='{URL}'")))
        });
        assert!(configured, "the masters are told");
        assert_eq!(scene.store.discovery(cluster.id).await.unwrap(), None);
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_is_wrong_ends_the_create_at_once_and_says_what_else_there_is() {
    let text = |status, text: &str| Says::Text(status, text.to_owned());
    for (says, code, why) in [
        (
            size("5"),
            FailureCode::Configuration,
            "for 5 members of etcd, and the cluster has 3 masters",
        ),
        (size("x"), FailureCode::Configuration, "for x members"),
        (
            text(404, "{}"),
            FailureCode::Configuration,
            "does not know this URL (404)",
        ),
        (text(503, "busy"), FailureCode::Dependency, "answered 503"),
        (text(302, ""), FailureCode::Dependency, "answered 302"),
        (text(200, ""), FailureCode::Configuration, "it tells no size"),
        (
            text(200, "<html>"),
            FailureCode::Configuration,
            "it tells no size",
        ),
        (
            text(200, "{'node': {'value': '3'}}"),
            FailureCode::Configuration,
            "it tells no size",
        ),
        (
            text(200, r#"{"node": {}}"#),
            FailureCode::Configuration,
            "it tells no size",
        ),
        (
            text(200, &"[".repeat(60_000)),
            FailureCode::Configuration,
            "it tells no size",
        ),
    ] {
        let scene = Scene::discovering(1, Discovering::Checking).await;
        let host = Host::mounted(&scene, says.clone());
        let cluster = made(&scene, 3, Some(URL)).await;
        let fault = failed(&scene, &cluster).await;
        assert_eq!(fault.code, code, "{says:?}: {fault}");
        assert!(fault.message.contains(why), "{says:?}: {fault}");
        assert!(
            fault.message.ends_with("; give another discovery_url, or none"),
            "{fault}"
        );
        assert!(
            !fault.message.contains("v2/keys"),
            "who knows the path can register: {fault}"
        );
        assert_eq!(host.asked(), [ASKED], "{says:?}: once");
        scene.delete(cluster.id).await;
        assert_eq!(scene.cluster(cluster.id).await, None);
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_longer_than_ten_seconds() {
    let scene = Scene::discovering(1, Discovering::Checking).await;
    let host = Host::mounted(&scene, Says::Nothing);
    let accepted = accept(&scene, 3, Some(URL)).await.unwrap();
    let before = scene.clock.now();
    scene.settle().await;
    let took = Duration::try_from(scene.clock.now().duration_since(before)).unwrap();
    let ten = Duration::from_secs(10);
    assert!(took >= ten && took < ten * 2, "{took:?}");
    let cluster = scene.cluster(accepted.id).await.unwrap();
    let fault = failed(&scene, &cluster).await;
    assert_eq!(fault.code, FailureCode::Timeout);
    assert!(fault.message.contains("gave no answer within 10s"), "{fault}");
    assert_eq!(host.asked(), [ASKED]);
}

#[tokio::test(start_paused = true)]
async fn a_host_that_is_not_there_is_a_dependency() {
    let scene = Scene::discovering(1, Discovering::Checking).await;
    let cluster = made(&scene, 3, Some(URL)).await;
    let fault = failed(&scene, &cluster).await;
    assert_eq!(fault.code, FailureCode::Dependency);
    assert!(fault.message.contains("no route to discovery.example"), "{fault}");
}
