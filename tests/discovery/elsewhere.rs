//! URLs that a service elsewhere makes; and when none is made.

use magnum::*;

use crate::host::{Host, Says, size};
use crate::support::hosts::Discovering;
use crate::support::scene::Scene;
use crate::{failed, made};

const MADE: &str = "https://discovery.example/0123abcd";

fn url(text: &str) -> Says {
    Says::Text(200, text.to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_cluster_of_several_masters_gets_a_url() {
    for text in [MADE.to_owned(), format!("{MADE}\n")] {
        let scene = Scene::discovering(1, Discovering::Elsewhere).await;
        let host = Host::mounted(&scene, url(&text));
        let cluster = made(&scene, 3, None).await;
        assert_eq!(
            cluster.status,
            ClusterStatus::CREATE_COMPLETE,
            "{:?}",
            cluster.fault
        );
        assert_eq!(cluster.discovery_url.as_deref(), Some(MADE));
        assert_eq!(host.asked(), ["GET https://discovery.example/new?size=3"]);

        let cluster = made(&scene, 1, None).await;
        assert_eq!(cluster.status, ClusterStatus::CREATE_COMPLETE);
        assert_eq!(cluster.discovery_url, None, "one master has nobody to find");
        assert_eq!(host.asked().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_service_nobody_is_asked() {
    for discovering in [Discovering::No, Discovering::Checking] {
        let scene = Scene::discovering(1, discovering).await;
        let host = Host::mounted(&scene, size("3"));
        let cluster = made(&scene, 3, None).await;
        assert_eq!(
            cluster.status,
            ClusterStatus::CREATE_COMPLETE,
            "{:?}",
            cluster.fault
        );
        assert_eq!(cluster.discovery_url, None);
        assert_eq!(host.asked(), [""; 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_no_url_ends_the_create() {
    let long = format!("https://{}", "a".repeat(248));
    let two = format!("{MADE}\n{MADE}");
    for (says, why) in [
        (url(""), "something else than a URL"),
        (
            url("<html>Service Unavailable</html>"),
            "something else than a URL",
        ),
        (url("https://a/$(reboot)"), "something else than a URL"),
        (url("https://a/';id;'"), "something else than a URL"),
        (url(&two), "something else than a URL"),
        (url(&long), "something else than a URL"),
        (Says::Text(503, MADE.into()), "answered 503"),
    ] {
        let scene = Scene::discovering(1, Discovering::Elsewhere).await;
        let host = Host::mounted(&scene, says.clone());
        let cluster = made(&scene, 3, None).await;
        let fault = failed(&scene, &cluster).await;
        assert_eq!(fault.code, FailureCode::Dependency, "{says:?}");
        assert!(fault.message.contains(why), "{says:?}: {fault}");
        for other in [
            "a discovery_url of your own",
            "this host serve discovery itself",
            "configure none",
        ] {
            assert!(fault.message.contains(other), "{fault}");
        }
        assert_eq!(host.asked().len(), 1, "once");
        assert_eq!(cluster.discovery_url, None);
    }
}
