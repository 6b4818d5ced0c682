//! What a certificate costs the cloud, and what becomes of the cloud's refusals.

use http::StatusCode;
use magnum::openstack::sim::RequestRecord;

use crate::support::certificate::Wanted;
use crate::support::node::{Node, nodes};
use crate::support::scene::Scene;
use crate::{GUIDES, accept, complete, scene};

/// What the cloud is asked for one certificate: method and path without identifiers.
async fn asked(scene: &Scene, node: &Node, purpose: &str) -> Vec<String> {
    // The first one may have to log in.
    node.certificate(scene, purpose, &Wanted::default()).await;
    scene.cloud.clear_requests();
    node.certificate(scene, purpose, &Wanted::default()).await;
    let requests = scene.cloud.requests();
    let line = |request: &RequestRecord| format!("{} {}", request.method, request.template);
    requests.iter().map(line).collect()
}

#[tokio::test(start_paused = true)]
async fn a_certificate_costs_the_same_in_a_large_cluster() {
    let scene = scene().await;
    let small = accept(&scene, GUIDES, "small", 1, 2).await;
    let large = accept(&scene, GUIDES, "large", 1, 10).await;
    complete(&scene, &[small, large]).await;
    let (small, large) = (nodes(&scene, small), nodes(&scene, large));
    assert_eq!((small.len(), large.len()), (3, 11));
    // The listing, then port, floating IP and server; for a master the load balancer and its floating IP, too.
    for (purpose, in_small, in_large, cost) in [
        ("kubelet", small.last().unwrap(), large.last().unwrap(), 4),
        ("kubelet", &small[0], &large[0], 6),
        ("server", &small[0], &large[0], 6),
        ("etcd", &small[0], &large[0], 6),
    ] {
        let few = asked(&scene, in_small, purpose).await;
        assert_eq!(few, asked(&scene, in_large, purpose).await);
        assert_eq!(few.len(), cost, "{purpose}: {few:#?}");
        let listings = few.iter().filter(|request| request.ends_with("/resources"));
        assert_eq!(listings.count(), 1, "{few:#?}");
    }
    // A mere client has no names; it is looked up whether the node is there still.
    let proxy = asked(&scene, large.last().unwrap(), "proxy").await;
    assert_eq!(proxy.len(), 4, "{proxy:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_cloud_that_refuses_us_does_not_refuse_the_node() {
    let scene = scene().await;
    let id = accept(&scene, GUIDES, "k8s-cluster", 1, 1).await;
    complete(&scene, &[id]).await;
    let worker = nodes(&scene, id).pop().unwrap();
    let path = |resource: &str| format!("/orchestration/v1/*/stacks/*/*/resources{resource}");
    for place in [path(""), path("/kube_minion_eth0")] {
        for status in [400, 401, 403, 404, 409, 429, 500, 503] {
            if status == 404 && place.ends_with("eth0") {
                // It has gone since it was listed: a name less.
                continue;
            }
            scene.refuse(None, &place, status);
            let (answer, text) = worker.sign(&scene, "kubelet", &Wanted::default()).await;
            // What the scripts take for a reason to try again.
            let later = answer.is_server_error() || answer == StatusCode::TOO_MANY_REQUESTS;
            assert!(later, "Heat says {status}, the node is told {answer}: {text}");
            scene.cloud.clear_faults();
        }
        let (status, text) = worker.sign(&scene, "kubelet", &Wanted::default()).await;
        assert_eq!(status, StatusCode::OK, "{text}");
    }
}
