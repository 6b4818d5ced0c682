//! Owners who lose their rights, or are gone, while their clusters live on.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test program: it has no users, and a panic is its verdict"
)]

mod support;

use std::sync::Arc;

use magnum::openstack::{Credentials, DomainRef, Named};
use magnum::*;
use support::scene::{Scene, openstack};

/// Another member of the owner's project.
async fn colleague(scene: &Scene, roles: &[&str]) -> RequestContext {
    scene
        .cloud
        .add_user("colleague", "secret", &scene.cx.project_id, roles)
        .unwrap();
    logged_in(
        scene,
        Credentials::password(Named::new("colleague", DomainRef::id("default")), "secret"),
    )
    .await
}

async fn logged_in(scene: &Scene, credentials: Credentials) -> RequestContext {
    let login = openstack(&scene.cloud, &scene.clock, Arc::new(scene.cloud.transport()));
    let scoped = credentials.in_project(Named::id(&scene.cx.project_id));
    RequestContext::from_token(login.login(scoped).await.unwrap())
}

async fn cluster(scene: &Scene) -> ClusterId {
    scene.template().await;
    let id = scene.accept(1).await.id;
    scene.settle().await;
    id
}

fn trusts(scene: &Scene) -> usize {
    scene.leftovers().trusts.len()
}

#[tokio::test(start_paused = true)]
async fn when_the_owner_is_gone_a_colleague_deletes_to_nothing() {
    for how in ["role", "disabled", "gone"] {
        let scene = Scene::new(1).await;
        let id = cluster(&scene).await;
        let other = colleague(&scene, &["member", "reader"]).await;
        let (owner, project) = (&scene.cx.user_id, &scene.cx.project_id);
        match how {
            "role" => scene.cloud.revoke_role(owner, project, "member"),
            "disabled" => scene.cloud.set_user_enabled(owner, false),
            _ => scene.cloud.remove_user(owner).unwrap(),
        }
        scene
            .magnum
            .delete_cluster(&other, id, DeleteOptions::default())
            .await
            .unwrap();
        scene.settle().await;
        let left = scene.cluster(id).await.map(|cluster| cluster.status_reason);
        assert_eq!(left, None, "{how}");
        assert_eq!(scene.leftovers().total(), 0, "{how}: {}", scene.leftovers());
    }
}

/// Heat changes no stack whose owner is gone, so a change ends with the reason, and the cluster stays as it is.
#[tokio::test(start_paused = true)]
async fn when_the_owner_is_gone_a_change_ends_with_the_reason() {
    let scene = Scene::new(1).await;
    let id = cluster(&scene).await;
    let other = colleague(&scene, &["member", "reader"]).await;
    scene.cloud.remove_user(&scene.cx.user_id).unwrap();
    scene
        .magnum
        .scale_cluster(&other, id, 2, UpdateOptions::default())
        .await
        .unwrap();
    scene.settle().await;
    let failed = scene.cluster(id).await.unwrap();
    assert_eq!(failed.status, ClusterStatus::UPDATE_FAILED);
    let fault = failed.fault.unwrap();
    assert_eq!(fault.code, FailureCode::Authorization);
    assert!(
        fault.message.contains("a member of its project can delete it"),
        "{fault}"
    );
    scene
        .magnum
        .delete_cluster(&other, id, DeleteOptions::default())
        .await
        .unwrap();
    scene.settle().await;
    assert!(scene.cluster(id).await.is_none());
    assert_eq!(scene.leftovers().total(), 0, "{}", scene.leftovers());
}

/// Without somebody who can give another trust it ends with the reason, and what is given back is used again.
#[tokio::test(start_paused = true)]
async fn without_a_colleague_it_ends_with_the_reason() {
    let scene = Scene::new(1).await;
    let id = cluster(&scene).await;
    let (owner, project) = (scene.cx.user_id.clone(), scene.cx.project_id.clone());
    scene.cloud.revoke_role(&owner, &project, "member");
    let mut tokenless = scene.cx.clone();
    tokenless.token = None;
    scene
        .magnum
        .delete_cluster(&tokenless, id, DeleteOptions::default())
        .await
        .unwrap();
    scene.settle().await;
    let stuck = scene.cluster(id).await.unwrap();
    assert_eq!(stuck.status, ClusterStatus::DELETE_FAILED);
    let fault = stuck.fault.unwrap();
    assert_eq!(fault.code, FailureCode::Authorization);
    assert!(
        fault.message.contains("with a token that can give trusts"),
        "{fault}"
    );
    assert_eq!(trusts(&scene), 2, "the refused one, and Heat's own");
    scene.cloud.grant_role(&owner, &project, "member");
    scene
        .magnum
        .delete_cluster(&tokenless, id, DeleteOptions::default())
        .await
        .unwrap();
    scene.settle().await;
    assert!(scene.cluster(id).await.is_none());
    assert_eq!(scene.leftovers().total(), 0, "{}", scene.leftovers());
}

/// Nobody gives a trust in another project, no token is kept that will not be used, and none outlives its operation.
#[tokio::test(start_paused = true)]
async fn tokens_are_kept_for_removals_by_members_and_wiped() {
    for (who, kept) in [("owner", true), ("admin", false), ("trust", false)] {
        let scene = Scene::new(1).await;
        let id = cluster(&scene).await;
        scene
            .magnum
            .scale_cluster(&scene.cx, id, 2, UpdateOptions::default())
            .await
            .unwrap();
        let scaling = scene.store.active_operation(id).await.unwrap().unwrap();
        assert_eq!(scaling.token, None);
        scene.settle().await;
        let cx = match who {
            "owner" => scene.cx.clone(),
            "admin" => RequestContext::new("root", "elsewhere").with_roles(["admin"]),
            _ => RequestContext {
                token: scene.cx.token.clone(),
                ..RequestContext::new("root", "elsewhere").with_roles(["admin"])
            },
        };
        scene
            .magnum
            .delete_cluster(&cx, id, DeleteOptions::default())
            .await
            .unwrap();
        let delete = scene.store.active_operation(id).await.unwrap().unwrap();
        assert_eq!(delete.token.is_some(), kept, "{who}");
        scene.settle().await;
        let ended = scene.store.operation(delete.id).await.unwrap().unwrap();
        assert_eq!(ended.token, None, "{who}");
    }
}

/// A login that cannot give trusts is refused before anything is recorded.
#[tokio::test(start_paused = true)]
async fn a_login_that_cannot_give_trusts_is_refused_at_once() {
    let scene = Scene::new(1).await;
    scene.template().await;
    let (id, secret) = scene.cloud.add_application_credential(
        &scene.cx.user_id,
        &scene.cx.project_id,
        &["member", "reader"],
    );
    let login = openstack(&scene.cloud, &scene.clock, Arc::new(scene.cloud.transport()));
    let token = login
        .login(Credentials::application_credential(&id, secret.expose()))
        .await
        .unwrap();
    let cx = RequestContext::from_token(token);
    let spec = ClusterSpec::new("small").with_name("mycluster");
    let error = scene
        .magnum
        .create_cluster(&cx, spec, CreateOptions::default())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    assert!(error.to_string().contains("application credential"), "{error}");
    assert!(
        scene
            .magnum
            .list_clusters(&scene.cx, ListOptions::default())
            .await
            .unwrap()
            .items
            .is_empty()
    );
    assert_eq!(scene.leftovers().total(), 0, "{}", scene.leftovers());
}
