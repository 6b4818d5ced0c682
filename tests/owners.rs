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

#[tokio::test(start_paused = true)]
async fn when_the_owner_is_gone_a_colleague_scales_under_a_trust_of_theirs() {
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
    let grown = scene.cluster(id).await.unwrap();
    assert_eq!(grown.status, ClusterStatus::UPDATE_COMPLETE, "{:?}", grown.fault);
    assert_eq!(trusts(&scene), 1);
    let trust = scene
        .store
        .ledger(id)
        .await
        .unwrap()
        .into_iter()
        .find_map(|entry| match entry.owned {
            Owned::Trust { id, former, .. } => Some((id, former)),
            _ => None,
        });
    let (now, former) = trust.unwrap();
    assert!(now.is_some() && former.is_some() && now != former);
    // From then on nobody's token is needed.
    let mut tokenless = other.clone();
    tokenless.token = None;
    scene
        .magnum
        .delete_cluster(&tokenless, id, DeleteOptions::default())
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
    assert!(fault.message.contains("a token that can give trusts"), "{fault}");
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

/// Nobody gives a trust in another project, and no token outlives its operation.
#[tokio::test(start_paused = true)]
async fn tokens_are_kept_for_members_only_and_wiped() {
    let scene = Scene::new(1).await;
    let id = cluster(&scene).await;
    let sealed = async |cx: &RequestContext| {
        scene
            .magnum
            .scale_cluster(cx, id, 2, UpdateOptions::default())
            .await
            .unwrap();
        let operation = scene.store.active_operation(id).await.unwrap().unwrap();
        let kept = operation.token.is_some();
        scene.settle().await;
        let ended = scene.store.operation(operation.id).await.unwrap().unwrap();
        assert_eq!(ended.token, None);
        scene
            .magnum
            .scale_cluster(&scene.cx, id, 1, UpdateOptions::default())
            .await
            .unwrap();
        scene.settle().await;
        kept
    };
    assert!(sealed(&scene.cx).await);
    let admin = RequestContext::new("root", "elsewhere").with_roles(["admin"]);
    assert!(!sealed(&admin).await);
    let operations = async {
        scene
            .magnum
            .delete_cluster(&scene.cx, id, DeleteOptions::default())
            .await
            .unwrap();
        scene.store.active_operation(id).await.unwrap().unwrap()
    };
    let delete = operations.await;
    assert!(delete.token.is_some());
    scene.settle().await;
    assert_eq!(
        scene.store.operation(delete.id).await.unwrap().unwrap().token,
        None
    );
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
