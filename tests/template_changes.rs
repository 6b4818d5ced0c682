//! Rules of changing cluster templates: how, what, and when.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test program: it has no users, and a panic is its verdict"
)]

mod support;

use std::collections::BTreeSet;

use magnum::*;
use support::scene::Scene;

fn kubernetes() -> TemplateSpec {
    TemplateSpec::new("kubernetes", "fedora-atomic", "public")
        .with_keypair("testkey")
        .with_name("small")
}

fn fields(error: &Error) -> BTreeSet<String> {
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error:?}");
    error.problems().iter().map(|p| p.field.clone()).collect()
}

fn admin(scene: &Scene) -> RequestContext {
    scene.cx.clone().with_roles(["admin"])
}

async fn with_cluster(scene: &Scene) -> ClusterTemplate {
    let template = scene.template().await;
    scene.accept(1).await;
    template
}

#[tokio::test(start_paused = true)]
async fn a_patch_is_checked_like_a_new_template_and_changes_all_or_nothing() {
    let scene = Scene::new(1).await;
    let made = scene
        .magnum
        .create_template(&scene.cx, kubernetes())
        .await
        .unwrap();
    let patch = Patch::new()
        .replace("/flavor_id", "m1.medium")
        .replace("/dns_nameserver", "nowhere")
        .replace("/network_driver", "calico");
    let error = scene
        .magnum
        .update_template(&scene.cx, made.id, &patch)
        .await
        .unwrap_err();
    assert_eq!(fields(&error), ["dns_nameserver".to_owned()].into());
    assert_eq!(scene.magnum.template(&scene.cx, made.id).await.unwrap(), made);

    let patch = Patch::new()
        .replace("/flavor_id", "m1.medium")
        .add("/labels/flannel_backend", "vxlan")
        .add("/http_proxy", "http://proxy:3128")
        .remove("/dns_nameserver");
    let changed = scene
        .magnum
        .update_template(&scene.cx, made.id, &patch)
        .await
        .unwrap();
    assert_eq!(changed.spec.flavor_id.as_deref(), Some("m1.medium"));
    assert_eq!(changed.spec.labels["flannel_backend"], "vxlan");
    assert_eq!(
        changed.spec.dns_nameserver.as_deref(),
        Some("8.8.8.8"),
        "removed is the default"
    );
    assert!(changed.updated_at.is_some());
    assert_eq!(scene.magnum.template(&scene.cx, made.id).await.unwrap(), changed);
}

#[tokio::test(start_paused = true)]
async fn what_a_template_always_has_cannot_be_removed() {
    let scene = Scene::new(1).await;
    let made = scene
        .magnum
        .create_template(&scene.cx, kubernetes())
        .await
        .unwrap();
    for attribute in [
        "coe",
        "image_id",
        "external_network_id",
        "network_driver",
        "tls_disabled",
        "public",
        "hidden",
        "server_type",
        "registry_enabled",
        "cluster_distro",
        "uuid",
        "project_id",
        "nonsense",
    ] {
        let patch = Patch::new().remove(attribute);
        let error = scene
            .magnum
            .update_template(&scene.cx, made.id, &patch)
            .await
            .unwrap_err();
        assert_eq!(fields(&error), [attribute.to_owned()].into());
    }
    assert_eq!(scene.magnum.template(&scene.cx, made.id).await.unwrap(), made);
}

#[tokio::test(start_paused = true)]
async fn the_distribution_follows_the_image() {
    let scene = Scene::new(1).await;
    let made = scene
        .magnum
        .create_template(&scene.cx, kubernetes())
        .await
        .unwrap();
    let patch = Patch::new()
        .replace("/image_id", "ubuntu")
        .replace("/coe", "docker")
        .replace("/network_driver", "docker")
        .remove("/docker_storage_driver")
        .remove("/docker_volume_size")
        .remove("/master_lb_enabled");
    let changed = scene
        .magnum
        .update_template(&scene.cx, made.id, &patch)
        .await
        .unwrap();
    assert_eq!(changed.cluster_distro, "ubuntu");
}

#[tokio::test(start_paused = true)]
async fn only_what_changed_is_looked_up() {
    let scene = Scene::new(1).await;
    let made = scene
        .magnum
        .create_template(&scene.cx, kubernetes())
        .await
        .unwrap();
    scene.refuse(None, "/network", 503);
    let patch = Patch::new().replace("/flavor_id", "m1.medium");
    scene
        .magnum
        .update_template(&scene.cx, made.id, &patch)
        .await
        .unwrap();
    let patch = Patch::new().replace("/external_network_id", "elsewhere");
    let error = scene
        .magnum
        .update_template(&scene.cx, made.id, &patch)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}

#[tokio::test(start_paused = true)]
async fn a_template_in_use_stays_as_it_is_but_for_name_tags_hidden_and_publishing() {
    let scene = Scene::new(1).await;
    let template = with_cluster(&scene).await;
    let error = scene
        .magnum
        .delete_template(&scene.cx, template.id)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    let patch = Patch::new().replace("/flavor_id", "m1.medium");
    let error = scene
        .magnum
        .update_template(&scene.cx, template.id, &patch)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(
        scene.magnum.template(&scene.cx, template.id).await.unwrap(),
        template
    );

    let patch = Patch::new()
        .replace("/name", "renamed")
        .replace("/tags", "a,b")
        .replace("/hidden", true)
        .replace("/public", true);
    scene
        .magnum
        .update_template(&admin(&scene), template.id, &patch)
        .await
        .unwrap();
    let patch = Patch::new().replace("/public", false);
    let error = scene
        .magnum
        .update_template(&admin(&scene), template.id, &patch)
        .await
        .unwrap_err();
    assert_eq!(
        error.kind(),
        ErrorKind::Conflict,
        "somebody's cluster may be made after it"
    );

    let cluster = scene.magnum.cluster(&scene.cx, "mycluster").await.unwrap();
    scene.delete(cluster.id).await;
    let patch = Patch::new()
        .replace("/public", false)
        .replace("/flavor_id", "m1.medium");
    scene
        .magnum
        .update_template(&admin(&scene), template.id, &patch)
        .await
        .unwrap();
    scene
        .magnum
        .delete_template(&scene.cx, template.id)
        .await
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_patch_that_changes_nothing_is_accepted_also_in_use() {
    let scene = Scene::new(1).await;
    let template = with_cluster(&scene).await;
    for patch in [Patch::new(), Patch::new().replace("/flavor_id", "m1.small")] {
        let same = scene
            .magnum
            .update_template(&scene.cx, template.id, &patch)
            .await
            .unwrap();
        assert_eq!(same, template);
    }
}

#[tokio::test(start_paused = true)]
async fn of_two_racing_updates_of_a_template_one_wins_and_none_is_lost_silently() {
    let scene = Scene::new(1).await;
    let made = scene
        .magnum
        .create_template(&scene.cx, kubernetes())
        .await
        .unwrap();
    let update = async |flavor: &str| {
        let patch = Patch::new().replace("/flavor_id", flavor);
        scene.magnum.update_template(&scene.cx, made.id, &patch).await
    };
    let (one, other) = futures::join!(update("m1.medium"), update("m1.tiny"));
    let now = scene.magnum.template(&scene.cx, made.id).await.unwrap();
    match (one, other) {
        (Ok(winner), Err(loser)) | (Err(loser), Ok(winner)) => {
            assert_eq!(loser.kind(), ErrorKind::Stale);
            assert_eq!(now, winner);
        }
        (Ok(_), Ok(_)) => assert_eq!(now.revision, Revision(made.revision.0 + 2), "one after the other"),
        both => panic!("{both:?}"),
    }
}
