//! The conformance kit of drivers: every driver of this project passes it, and drivers that break a rule do not.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test program: it has no users, and a panic is its verdict"
)]

mod machines;
mod mutants;
#[path = "../support/mod.rs"]
mod support;

use magnum::testing::driver::check;
use magnum::*;
use support::scene::Scene;

#[tokio::test(start_paused = true)]
async fn every_driver_of_this_project_passes() {
    for driver in magnum::drivers::all() {
        let began = std::time::Instant::now();
        let report = check(driver).await;
        println!("{report}\n  in {:.1} s", began.elapsed().as_secs_f64());
        report.assert();
    }
}

/// A driver whose clusters are no stacks of Heat keeps the same rules.
#[tokio::test(start_paused = true)]
async fn a_driver_that_is_not_heat_passes() {
    let report = check(machines::driver()).await;
    println!("{report}");
    report.assert();
    // What it cannot show is said, and not passed over.
    assert!(
        report
            .done()
            .iter()
            .any(|done| done.starts_with("failure: NOT RUN")),
        "{report}"
    );
}

/// What such a driver had begun to make when the creation failed, it removes.
#[tokio::test(start_paused = true)]
async fn a_failed_creation_without_a_stack_leaves_nothing() {
    let driver = machines::driver();
    let scene = Scene::of_drivers(1, vec![driver.clone()]).await;
    scene.cloud.add_image("anything", Some("anything"));
    let template = TemplateSpec {
        server_type: ServerType::Bm,
        ..TemplateSpec::new("machines", "anything", "public").with_keypair("testkey")
    };
    let template = scene
        .magnum
        .create_template(&scene.cx, template.without_tls())
        .await
        .unwrap();
    let spec = ClusterSpec::new(template.id.to_string()).with_name(machines::UNLUCKY);
    let id = scene
        .magnum
        .create_cluster(&scene.cx, spec, CreateOptions::default())
        .await
        .unwrap()
        .id;
    scene.settle().await;
    let failed = scene.cluster(id).await.unwrap();
    assert_eq!(failed.status, ClusterStatus::CREATE_FAILED);
    let reason = failed.status_reason.unwrap_or_default();
    assert!(reason.contains("a machine does not answer"), "{reason}");
    assert_eq!(driver.fleets(), 0, "the machines are still there");
    scene.delete(id).await;
    assert_eq!(scene.cluster(id).await, None);
}
