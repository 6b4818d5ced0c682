//! Quotas of projects, and what they count.
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

fn admin() -> RequestContext {
    RequestContext::new("root", "operators").with_roles(["admin"])
}

/// A scene whose projects may have this many clusters by default, with a template.
async fn scene(default_limit: u32) -> Scene {
    let mut settings = Settings::default();
    settings.clusters_per_project = default_limit;
    let scene = Scene::with(1, settings).await;
    scene.template().await;
    scene
}

async fn create(scene: &Scene) -> Result<Cluster> {
    let spec = ClusterSpec::new("small");
    scene
        .magnum
        .create_cluster(&scene.cx, spec, CreateOptions::default())
        .await
}

#[tokio::test(start_paused = true)]
async fn a_project_without_a_quota_has_the_hosts_default() {
    let scene = scene(1).await;
    let quota = scene.magnum.quota(&scene.cx, &scene.cx.project_id).await.unwrap();
    assert_eq!((quota.hard_limit, quota.created_at), (1, None));
    assert_eq!(quota.project_id, scene.cx.project_id);
    assert_eq!(quota.resource, QuotaResource::Cluster);
    create(&scene).await.unwrap();
    let error = create(&scene).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Quota);
    assert_eq!(error.to_string(), "the project may have 1 clusters and has 1");
}

#[tokio::test(start_paused = true)]
async fn a_projects_quota_counts_instead_of_the_default() {
    let scene = scene(1).await;
    let (magnum, project) = (&scene.magnum, scene.cx.project_id.as_str());
    let made = magnum.create_quota(&admin(), project, 2).await.unwrap();
    assert_eq!(made.created_at, Some(scene.clock.now()));
    assert_eq!(magnum.quota(&scene.cx, project).await.unwrap(), made);
    create(&scene).await.unwrap();
    create(&scene).await.unwrap();
    assert_eq!(create(&scene).await.unwrap_err().kind(), ErrorKind::Quota);

    magnum.update_quota(&admin(), project, 3).await.unwrap();
    create(&scene).await.unwrap();
    let lowered = magnum.update_quota(&admin(), project, 1).await.unwrap();
    assert_eq!(lowered.created_at, made.created_at);
    assert!(lowered.updated_at.is_some());
    let error = create(&scene).await.unwrap_err();
    assert_eq!(error.to_string(), "the project may have 1 clusters and has 3");

    magnum.delete_quota(&admin(), project).await.unwrap();
    let error = create(&scene).await.unwrap_err();
    assert_eq!(error.to_string(), "the project may have 1 clusters and has 3");
    assert_eq!(magnum.quota(&scene.cx, project).await.unwrap().created_at, None);
}

#[tokio::test(start_paused = true)]
async fn with_a_quota_of_none_no_cluster_can_be_made() {
    let scene = scene(20).await;
    let project = scene.cx.project_id.as_str();
    scene.magnum.create_quota(&admin(), project, 0).await.unwrap();
    let error = create(&scene).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Quota);
    assert_eq!(error.http_status(), 403);
    assert_eq!(scene.store.clusters(Query::all()).await.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn failed_clusters_count() {
    let scene = scene(1).await;
    let mut failed = create(&scene).await.unwrap();
    failed.status = ClusterStatus::CREATE_FAILED;
    failed.revision = failed.revision.next();
    let put = Commit::new().write(Write::PutCluster(Box::new(failed)));
    scene.store.commit(put).await.unwrap();
    assert_eq!(create(&scene).await.unwrap_err().kind(), ErrorKind::Quota);
}

#[tokio::test(start_paused = true)]
async fn a_second_quota_is_a_conflict_and_an_absent_one_is_not_found() {
    let scene = scene(20).await;
    let magnum = &scene.magnum;
    for result in [
        magnum.update_quota(&admin(), "project", 3).await.map(|_| ()),
        magnum.delete_quota(&admin(), "project").await,
    ] {
        assert_eq!(result.unwrap_err().kind(), ErrorKind::NotFound);
    }
    magnum.create_quota(&admin(), "project", 3).await.unwrap();
    let error = magnum.create_quota(&admin(), "project", 4).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(magnum.quota(&admin(), "project").await.unwrap().hard_limit, 3);
    for bad in ["", "line\nline", &"x".repeat(256)] {
        let error = magnum.create_quota(&admin(), bad, 4).await.unwrap_err();
        assert_eq!(error.problems()[0].field, "project_id");
    }
}

#[tokio::test(start_paused = true)]
async fn quotas_are_the_administrators_and_ones_own_may_be_read() {
    let scene = scene(20).await;
    let (magnum, cx) = (&scene.magnum, &scene.cx);
    let own = cx.project_id.as_str();
    assert!(magnum.quota(cx, own).await.is_ok());
    for result in [
        magnum.quota(cx, "other").await.map(|_| ()),
        magnum.quotas(cx, ListOptions::default()).await.map(|_| ()),
        magnum.create_quota(cx, own, 99).await.map(|_| ()),
        magnum.update_quota(cx, own, 99).await.map(|_| ()),
        magnum.delete_quota(cx, own).await,
    ] {
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Forbidden);
    }
    assert_eq!(
        magnum.quota(cx, own).await.unwrap().created_at,
        None,
        "nothing was recorded"
    );
}

#[tokio::test(start_paused = true)]
async fn quotas_are_listed_by_project_page_by_page() {
    let scene = scene(20).await;
    let magnum = &scene.magnum;
    for project in ["c", "a", "operators", "b"] {
        magnum.create_quota(&admin(), project, 1).await.unwrap();
    }
    let list = async |options| magnum.quotas(&admin(), options).await;
    let projects =
        |page: &Page<Quota>| -> Vec<String> { page.iter().map(|quota| quota.project_id.clone()).collect() };
    let own = list(ListOptions::default()).await.unwrap();
    assert_eq!(projects(&own), ["operators"]);
    let one = list(ListOptions::default().with_project("b")).await.unwrap();
    assert_eq!(projects(&one), ["b"]);

    let all = || ListOptions::default().with_all_projects();
    let first = list(all().with_limit(2)).await.unwrap();
    assert_eq!(projects(&first), ["a", "b"]);
    magnum.delete_quota(&admin(), "b").await.unwrap();
    let next: Marker = first.next.unwrap().to_string().parse().unwrap();
    let last = list(all().with_limit(2).with_marker(next)).await.unwrap();
    assert_eq!(
        (projects(&last), &last.next),
        (vec!["c".to_owned(), "operators".to_owned()], &None)
    );
    let backwards = list(all().with_direction(SortDirection::Descending))
        .await
        .unwrap();
    assert_eq!(projects(&backwards), ["operators", "c", "a"]);

    let a_row = Marker::Row(uuid::Uuid::new_v4());
    for (options, field) in [
        (all().with_marker(a_row), "marker"),
        (all().with_limit(0), "limit"),
        (all().with_sort_key(SortKey::Name), "sort_key"),
        (all().with_name("a"), "name"),
    ] {
        let error = list(options).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert_eq!(error.problems()[0].field, field);
    }
}

#[tokio::test(start_paused = true)]
async fn statistics_are_ones_own_projects_or_the_administrators() {
    let scene = scene(20).await;
    let magnum = &scene.magnum;
    let made = scene.accept(3).await;
    let mut other = made.clone();
    other.id = ClusterId(uuid::Uuid::new_v4());
    other.project_id = "other".to_owned();
    let insert = Commit::new().write(Write::InsertCluster(Box::new(other.clone())));
    scene.store.commit(insert).await.unwrap();
    let servers: u64 = made.pools.iter().map(|pool| u64::from(pool.count)).sum();
    assert_eq!(servers, u64::from(made.master_count() + 3));
    let one = Stats {
        clusters: 1,
        nodes: servers,
    };
    let cx = &scene.cx;
    assert_eq!(magnum.stats(cx, None).await.unwrap(), one);
    assert_eq!(magnum.stats(cx, Some(&cx.project_id)).await.unwrap(), one);
    let error = magnum.stats(cx, Some("other")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    assert_eq!(magnum.stats(&admin(), Some("other")).await.unwrap(), one);
    assert_eq!(
        magnum.stats(&admin(), Some("nobody")).await.unwrap(),
        Stats::default()
    );
    let all = magnum.stats(&admin(), None).await.unwrap();
    assert_eq!(
        all,
        Stats {
            clusters: 2,
            nodes: 2 * servers
        }
    );
}
