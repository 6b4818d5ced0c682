//! Rules of who sees and reaches which cluster.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test program: it has no users, and a panic is its verdict"
)]

mod support;

use magnum::*;
use support::scene::Scene;

fn kubernetes() -> TemplateSpec {
    TemplateSpec::new("kubernetes", "fedora-atomic", "public")
        .with_keypair("testkey")
        .with_name("small")
}

async fn make(scene: &Scene, spec: ClusterSpec) -> Result<Cluster> {
    scene
        .magnum
        .create_cluster(&scene.cx, spec, CreateOptions::default())
        .await
}

fn named() -> ClusterSpec {
    ClusterSpec::new("small").with_name("mycluster")
}

#[tokio::test(start_paused = true)]
async fn other_projects_clusters_do_not_exist() {
    let scene = Scene::new(1).await;
    scene.template().await;
    let made = make(&scene, named()).await.unwrap();
    let other = RequestContext::new("eve", "another-project");
    for ident in [Ident::from(made.id), Ident::from("mycluster")] {
        let error = scene.magnum.cluster(&other, ident.clone()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        let error = scene
            .magnum
            .delete_cluster(&other, ident.clone(), DeleteOptions::default())
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        let patch = Patch::new().replace("/node_count", 2);
        let error = scene
            .magnum
            .update_cluster(&other, ident.clone(), &patch, UpdateOptions::default())
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        let error = scene
            .magnum
            .scale_cluster(&other, ident.clone(), 2, UpdateOptions::default())
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        let error = scene
            .magnum
            .retry_cluster(&other, ident.clone())
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        let error = scene.magnum.ca_show(&other, ident.clone()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        let error = scene.magnum.ca_sign(&other, ident.clone(), "").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        let error = scene.magnum.watch(&other, ident).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
    assert_eq!(scene.cluster(made.id).await.unwrap(), made);
}

#[tokio::test(start_paused = true)]
async fn another_project_makes_clusters_after_public_templates_only() {
    let scene = Scene::new(1).await;
    let template = scene.template().await;
    let mut other = RequestContext::new("eve", "another-project");
    other.token = scene.cx.token.clone().map(|token| UserToken {
        project_id: "another-project".into(),
        user_id: "eve".into(),
        ..token
    });
    let spec = ClusterSpec::new(template.id.to_string()).with_name("theirs");
    let made = scene
        .magnum
        .create_cluster(&other, spec.clone(), CreateOptions::default())
        .await;
    assert_eq!(made.unwrap_err().problems()[0].field, "cluster_template");
    let admin = scene.cx.clone().with_roles(["admin"]);
    let patch = Patch::new().replace("/public", true);
    scene
        .magnum
        .update_template(&admin, template.id, &patch)
        .await
        .unwrap();
    let made = scene
        .magnum
        .create_cluster(&other, spec, CreateOptions::default())
        .await
        .unwrap();
    assert_eq!(made.project_id, "another-project");
    let error = scene
        .magnum
        .delete_template(&scene.cx, template.id)
        .await
        .unwrap_err();
    assert_eq!(
        error.kind(),
        ErrorKind::Conflict,
        "another project's cluster counts"
    );
}

#[tokio::test(start_paused = true)]
async fn a_cluster_named_like_anothers_uuid_is_reached_by_its_own() {
    let scene = Scene::new(1).await;
    scene.template().await;
    let first = make(&scene, ClusterSpec::new("small").with_name("first"))
        .await
        .unwrap();
    let mut second = make(&scene, ClusterSpec::new("small").with_name("second"))
        .await
        .unwrap();
    second.name = first.id.to_string();
    second.revision = second.revision.next();
    let commit = Commit::new().write(Write::PutCluster(Box::new(second.clone())));
    scene.store.commit(commit).await.unwrap();
    let found = scene
        .magnum
        .cluster(&scene.cx, first.id.to_string())
        .await
        .unwrap();
    assert_eq!(found.id, first.id);
    assert_eq!(
        scene.magnum.cluster(&scene.cx, second.id).await.unwrap().id,
        second.id
    );
}

#[tokio::test(start_paused = true)]
async fn the_policy_is_asked_before_anything_is_looked_up() {
    let scene = Scene::new(1).await;
    let calls = scene.cloud.requests().len();
    let spec = TemplateSpec {
        public: true,
        image_id: "nowhere".into(),
        ..kubernetes()
    };
    let error = scene.magnum.create_template(&scene.cx, spec).await.unwrap_err();
    assert_eq!(
        error.kind(),
        ErrorKind::Forbidden,
        "not the image that does not exist"
    );
    assert_eq!(
        scene.cloud.requests().len(),
        calls,
        "nothing was asked of the cloud"
    );
}

#[tokio::test(start_paused = true)]
async fn a_failed_creation_is_begun_anew_in_its_own_project_only() {
    let scene = Scene::new(1).await;
    scene.template().await;
    scene.refuse(Some(http::Method::POST), "/orchestration", 403);
    let made = make(&scene, named()).await.unwrap();
    scene.settle().await;
    let failed = scene.cluster(made.id).await.unwrap();
    assert_eq!(failed.status, ClusterStatus::CREATE_FAILED);
    assert_eq!(scene.leftovers().total(), 0, "{}", scene.leftovers());
    scene.cloud.clear_faults();
    // Trust and stack would be made in the administrator's project, under the administrator's roles.
    let admin = RequestContext::new("root", "another-project").with_roles(["admin"]);
    let error = scene.magnum.retry_cluster(&admin, made.id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    assert_eq!(scene.cluster(made.id).await.unwrap(), failed);
    scene.magnum.retry_cluster(&scene.cx, made.id).await.unwrap();
    scene.settle().await;
    let made = scene.cluster(made.id).await.unwrap();
    assert_eq!(
        made.status,
        ClusterStatus::CREATE_COMPLETE,
        "{:?}",
        made.status_reason
    );
}

#[tokio::test(start_paused = true)]
async fn whoever_acts_under_a_trust_may_report_health_and_nothing_else() {
    let scene = Scene::new(1).await;
    scene.template().await;
    let made = make(&scene, named()).await.unwrap();
    // To Keystone it is the owner, with the owner's roles.
    let node = scene.cx.clone().with_roles(["admin"]).with_trust("trust-id");
    let error = scene.magnum.cluster(&node, made.id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    let deleted = scene
        .magnum
        .delete_cluster(&node, made.id, DeleteOptions::default())
        .await;
    assert_eq!(deleted.unwrap_err().kind(), ErrorKind::Forbidden);
    let signed = scene.magnum.ca_sign(&node, made.id, "").await;
    assert_eq!(signed.unwrap_err().kind(), ErrorKind::Forbidden);
    let health = Patch::new().replace("/health_status", "UNHEALTHY");
    let told = scene
        .magnum
        .update_cluster(&node, made.id, &health, UpdateOptions::default())
        .await
        .unwrap();
    assert_eq!(told.health.status, Some(HealthStatus::Unhealthy));
}

#[tokio::test(start_paused = true)]
async fn an_administrators_names_are_those_of_the_own_project() {
    let scene = Scene::new(1).await;
    scene.template().await;
    let made = make(&scene, named()).await.unwrap();
    let admin = RequestContext::new("root", "another-project").with_roles(["admin"]);
    let error = scene.magnum.cluster(&admin, "mycluster").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(
        scene.magnum.cluster(&admin, made.id).await.unwrap(),
        made,
        "by UUID all are theirs"
    );
}
