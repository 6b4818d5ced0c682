//! Every kind of error: provoked, and as the documentation has it.
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

use magnum::openstack::sim::{At, Effect as Harm, Fault as Injected};
use magnum::*;
use support::observer::Observer;
use support::scene::Scene;

/// The documentation's table: HTTP status, how a failed operation is filed, and example, by kind.
fn documented() -> BTreeMap<String, (u16, String, String)> {
    let mut rows = BTreeMap::new();
    for line in include_str!("../docs/errors.md").lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        if let ["", kind, status, when, example, ""] = cells.as_slice()
            && let Ok(status) = status.parse()
        {
            let text = |cell: &str| cell.trim_matches('`').to_owned();
            let (_, filed) = when.rsplit_once("Filed as ").unwrap();
            rows.insert(text(kind), (status, filed.to_owned(), text(example)));
        }
    }
    rows
}

fn docker() -> TemplateSpec {
    TemplateSpec::new("docker", "ubuntu", "public")
        .with_keypair("testkey")
        .with_name("small")
}

async fn whole() -> Scene {
    let scene = Scene::new(1).await;
    scene.template().await;
    scene.accept(1).await;
    scene.settle().await;
    scene
}

async fn invalid_input() -> Error {
    let scene = Scene::new(1).await;
    scene.template().await;
    let spec = ClusterSpec::new("small").with_name("1st").with_node_count(2);
    scene
        .magnum
        .create_cluster(&scene.cx, spec, CreateOptions::default())
        .await
        .unwrap_err()
}

async fn not_found() -> Error {
    let scene = Scene::new(1).await;
    scene.magnum.cluster(&scene.cx, "mycluster").await.unwrap_err()
}

async fn conflict() -> Error {
    let scene = whole().await;
    let error = scene
        .magnum
        .delete_template(&scene.cx, "small")
        .await
        .unwrap_err();
    assert!(
        scene.magnum.template(&scene.cx, "small").await.is_ok(),
        "it stays"
    );
    error
}

async fn scale(scene: &Scene, options: UpdateOptions) -> Result<Cluster> {
    scene
        .magnum
        .scale_cluster(&scene.cx, "mycluster", 2, options)
        .await
}

async fn busy() -> Error {
    let scene = whole().await;
    scale(&scene, UpdateOptions::default()).await.unwrap();
    scale(&scene, UpdateOptions::default()).await.unwrap_err()
}

async fn stale() -> Error {
    let scene = whole().await;
    let options = UpdateOptions::default().with_expected_generation(7);
    scale(&scene, options).await.unwrap_err()
}

async fn forbidden() -> Error {
    let scene = Scene::new(1).await;
    let spec = TemplateSpec {
        public: true,
        ..docker()
    };
    scene.magnum.create_template(&scene.cx, spec).await.unwrap_err()
}

async fn unauthorized() -> Error {
    let scene = Scene::new(1).await;
    let cx = RequestContext::new(&scene.cx.user_id, &scene.cx.project_id);
    scene.magnum.create_template(&cx, docker()).await.unwrap_err()
}

async fn quota() -> Error {
    let scene = Scene::new(1).await;
    scene.template().await;
    scene
        .cloud
        .set_quota(&scene.cx.project_id, "instances", 1)
        .unwrap();
    let spec = ClusterSpec::new("small").with_node_count(3);
    scene
        .magnum
        .create_cluster(&scene.cx, spec, CreateOptions::default())
        .await
        .unwrap_err()
}

async fn unsupported() -> Error {
    let scene = Scene::new(1).await;
    scene
        .magnum
        .create_template(&scene.cx, docker().without_tls())
        .await
        .unwrap();
    let id = scene.accept(1).await.id;
    scene.magnum.ca_show(&scene.cx, id).await.unwrap_err()
}

/// Making a template while the cloud does this to look-ups of images.
async fn while_images(harm: Harm) -> Error {
    let scene = Scene::new(1).await;
    let at = At::Route {
        method: None,
        path_prefix: "/image".into(),
        nth: 0,
    };
    scene.cloud.inject(Injected::always(at, harm));
    scene
        .magnum
        .create_template(&scene.cx, docker())
        .await
        .unwrap_err()
}

async fn rate_limited() -> Error {
    let retry_after = Some(std::time::Duration::from_secs(3600));
    while_images(Harm::Status {
        status: 429,
        retry_after,
    })
    .await
}

async fn unavailable() -> Error {
    let retry_after = None;
    while_images(Harm::Status {
        status: 503,
        retry_after,
    })
    .await
}

async fn timeout() -> Error {
    while_images(Harm::Latency(std::time::Duration::from_secs(86_400))).await
}

async fn configuration() -> Error {
    Magnum::builder().build().unwrap_err()
}

/// From a driver of the host's own.
async fn of_a_driver(kind: ErrorKind, message: &str) -> Error {
    let observer = Observer::default();
    let scene = observer.scene().await;
    scene.template().await;
    scene.accept(1).await;
    scene.settle().await;
    observer.configures_nobody(Error::new(kind, message));
    scene
        .magnum
        .client_config(&scene.cx, "mycluster", None)
        .await
        .unwrap_err()
}

async fn provoked(kind: ErrorKind) -> Error {
    match kind {
        ErrorKind::InvalidInput => invalid_input().await,
        ErrorKind::NotFound => not_found().await,
        ErrorKind::Conflict => conflict().await,
        ErrorKind::Busy => busy().await,
        ErrorKind::Forbidden => forbidden().await,
        ErrorKind::Unauthorized => unauthorized().await,
        ErrorKind::Quota => quota().await,
        ErrorKind::Capacity => of_a_driver(kind, "no host has room for the proxy").await,
        ErrorKind::Unsupported => unsupported().await,
        ErrorKind::RateLimited => rate_limited().await,
        ErrorKind::Unavailable => unavailable().await,
        ErrorKind::Timeout => timeout().await,
        ErrorKind::Configuration => configuration().await,
        ErrorKind::Stale => stale().await,
        ErrorKind::Internal => of_a_driver(kind, "the driver lost count").await,
        other => panic!("nothing provokes {other}"),
    }
}

fn without_uuids(text: &str) -> String {
    let words = text.split(' ').map(|word| match uuid::Uuid::parse_str(word) {
        Ok(_) => "UUID",
        Err(_) => word,
    });
    words.collect::<Vec<_>>().join(" ")
}

#[tokio::test(start_paused = true)]
async fn every_kind_of_error_is_as_documented() {
    let documented = documented();
    let mut wrong = Vec::new();
    for kind in ErrorKind::all() {
        let error = provoked(kind).await;
        assert_eq!(error.kind(), kind, "{error:?}");
        assert_eq!(error.http_status(), kind.http_status());
        let filed = kind.failure_code().to_string();
        let found = (error.http_status(), filed, without_uuids(&error.to_string()));
        if documented.get(kind.as_str()) != Some(&found) {
            wrong.push(format!(
                "| `{kind}` | {} | Filed as {} | `{}` |",
                found.0, found.1, found.2
            ));
        }
    }
    assert!(wrong.is_empty(), "docs/errors.md differs:\n{}", wrong.join("\n"));
    assert_eq!(
        documented.len(),
        ErrorKind::all().count(),
        "no row is of a kind that is gone"
    );
}
