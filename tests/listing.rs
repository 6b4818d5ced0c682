//! Lists: what is in them, in which order, and how they go on.
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
use uuid::Uuid;

/// A scene with a cluster of each name, made in this order, a second apart.
async fn clusters(names: &[&str]) -> Scene {
    let scene = Scene::new(1).await;
    scene.template().await;
    let made = scene.accept(1).await;
    let remove = Commit::new().write(Write::DeleteCluster(made.id));
    scene.store.commit(remove).await.unwrap();
    for (place, name) in (0..).zip(names) {
        put(&scene, &made, name, place, |_| {}).await;
    }
    scene
}

/// Keeps another cluster like this one.
async fn put(
    scene: &Scene,
    like: &Cluster,
    name: &str,
    second: i64,
    change: impl FnOnce(&mut Cluster),
) -> Cluster {
    let mut cluster = like.clone();
    cluster.id = ClusterId(Uuid::new_v4());
    cluster.name = name.to_owned();
    cluster.created_at = jiff::Timestamp::from_second(1_800_000_000 + second).unwrap();
    change(&mut cluster);
    let insert = Commit::new().write(Write::InsertCluster(Box::new(cluster.clone())));
    scene.store.commit(insert).await.unwrap();
    cluster
}

async fn any(scene: &Scene) -> Cluster {
    scene.store.clusters(Query::all()).await.unwrap().remove(0)
}

fn names(page: &Page<Cluster>) -> Vec<&str> {
    page.iter().map(|cluster| cluster.name.as_str()).collect()
}

fn admin() -> RequestContext {
    RequestContext::new("root", "operators").with_roles(["admin"])
}

fn stranger() -> RequestContext {
    RequestContext::new("mallory", "elsewhere").with_roles(["member"])
}

async fn list(scene: &Scene, options: ListOptions) -> Page<Cluster> {
    scene.magnum.list_clusters(&scene.cx, options).await.unwrap()
}

async fn refused(scene: &Scene, options: ListOptions) -> Error {
    let page = scene.magnum.list_clusters(&scene.cx, options).await;
    page.expect_err("the request is refused")
}

#[tokio::test(start_paused = true)]
async fn pages_add_up_to_the_list_and_the_last_has_no_next() {
    let scene = clusters(&["d", "b", "a", "c"]).await;
    for (options, wanted) in [
        (ListOptions::default(), ["d", "b", "a", "c"]),
        (
            ListOptions::default().with_sort_key(SortKey::Name),
            ["a", "b", "c", "d"],
        ),
        (
            ListOptions::default().with_direction(SortDirection::Descending),
            ["c", "a", "b", "d"],
        ),
    ] {
        for limit in 1..=5 {
            let mut options = options.clone().with_limit(limit);
            let mut listed = Vec::new();
            loop {
                let page = list(&scene, options.clone()).await;
                assert!(!page.is_empty(), "a marker never leads to an empty page");
                assert!(page.len() <= limit as usize);
                listed.extend(names(&page).into_iter().map(ToOwned::to_owned));
                assert!(listed.len() <= wanted.len(), "rows come twice");
                let Some(next) = page.next else { break };
                options = options.with_marker(next.to_string().parse().unwrap());
            }
            assert_eq!(listed, wanted, "pages of {limit}");
        }
    }
    let nothing = list(&scene, ListOptions::default().with_name("nobody")).await;
    assert_eq!((nothing.items.len(), nothing.next), (0, None));
}

#[tokio::test(start_paused = true)]
async fn paging_goes_on_when_the_last_row_is_gone() {
    let scene = clusters(&["a", "b", "c", "d"]).await;
    let options = ListOptions::default().with_sort_key(SortKey::Name).with_limit(2);
    let first = list(&scene, options.clone()).await;
    for cluster in &first {
        let delete = Commit::new().write(Write::DeleteCluster(cluster.id));
        scene.store.commit(delete).await.unwrap();
    }
    let like = any(&scene).await;
    put(&scene, &like, "aa", 9, |_| {}).await;
    put(&scene, &like, "bb", 9, |_| {}).await;
    let rest = options.with_marker(first.next.unwrap()).with_limit(9);
    assert_eq!(names(&list(&scene, rest).await), ["bb", "c", "d"]);
}

#[tokio::test(start_paused = true)]
async fn a_uuid_is_a_marker_while_the_caller_knows_its_row() {
    let scene = clusters(&["a", "b", "c"]).await;
    let all = list(&scene, ListOptions::default()).await;
    let after = |id: Uuid| ListOptions::default().with_marker(id.to_string().parse().unwrap());
    assert_eq!(names(&list(&scene, after(all[0].id.0)).await), ["b", "c"]);
    assert_eq!(list(&scene, after(all[2].id.0)).await.next, None);
    let others = put(&scene, &all[0], "other", 1, |cluster| {
        cluster.project_id = "other".to_owned()
    })
    .await;
    for unknown in [Uuid::new_v4(), others.id.0] {
        let error = refused(&scene, after(unknown)).await;
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_forged_marker_shows_nothing_that_is_not_the_callers() {
    let scene = clusters(&["a", "b"]).await;
    let like = any(&scene).await;
    put(&scene, &like, "secret", 1, |cluster| {
        cluster.project_id = "other".to_owned()
    })
    .await;
    let by_name = || ListOptions::default().with_sort_key(SortKey::Name);
    for (text, wanted) in [
        ("", &["a", "b"][..]),
        ("a' OR 1=1 --", &["b"]),
        ("rrr", &[]),
        ("\u{0}%", &["a", "b"]),
    ] {
        let forged = Marker::Position(Position::Name(text.to_owned(), Uuid::max()));
        let forged = forged.to_string().parse().unwrap();
        assert_eq!(
            names(&list(&scene, by_name().with_marker(forged)).await),
            wanted,
            "{text:?}"
        );
    }
    let of_others = [
        Position::Created(like.created_at, like.id.0),
        Position::Project("a".to_owned()),
    ];
    for position in of_others {
        let error = refused(&scene, by_name().with_marker(Marker::Position(position))).await;
        assert_eq!(error.problems()[0].field, "marker");
    }
    for bad in ["", "p.", "p.!", "1", "'; DROP TABLE magnum_clusters; --", "p.bm8"] {
        let error = bad.parse::<Marker>().unwrap_err();
        assert_eq!(error.problems()[0].field, "marker", "{bad}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_limit_is_at_least_one_and_at_most_a_thousand() {
    let scene = clusters(&["a"]).await;
    let like = any(&scene).await;
    let mut commit = Commit::new();
    for _ in 0..1000 {
        let mut cluster = like.clone();
        cluster.id = ClusterId(Uuid::new_v4());
        commit = commit.write(Write::InsertCluster(Box::new(cluster)));
    }
    scene.store.commit(commit).await.unwrap();
    for options in [
        ListOptions::default(),
        ListOptions::default().with_limit(1000),
        ListOptions::default().with_limit(1001),
        ListOptions::default().with_limit(u32::MAX),
    ] {
        let page = list(&scene, options.clone()).await;
        assert_eq!(page.len(), 1000, "{options:?}");
        let last = list(&scene, options.with_marker(page.next.unwrap())).await;
        assert_eq!((last.len(), last.next), (1, None));
    }
    let error = refused(&scene, ListOptions::default().with_limit(0)).await;
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(error.problems()[0].field, "limit");
}

#[tokio::test(start_paused = true)]
async fn filters_stay_in_force_on_every_page() {
    let scene = clusters(&["a"]).await;
    let like = any(&scene).await;
    let template = TemplateId(Uuid::new_v4());
    for (second, name) in (1..).zip(["f1", "f2", "f3", "g"]) {
        put(&scene, &like, name, second, |cluster| {
            cluster.status = ClusterStatus::CREATE_FAILED;
            if name != "g" {
                cluster.cluster_template_id = template;
            }
        })
        .await;
    }
    let failed = ListOptions::default().with_status(ClusterStatus::CREATE_FAILED);
    let both = failed.clone().with_cluster_template(template).with_limit(2);
    let first = list(&scene, both.clone()).await;
    assert_eq!(names(&first), ["f1", "f2"]);
    let last = list(&scene, both.with_marker(first.next.clone().unwrap())).await;
    assert_eq!((names(&last), &last.next), (vec!["f3"], &None));
    assert_eq!(names(&list(&scene, failed.with_name("g")).await), ["g"]);
    // OpenStack's clients go on from a row, which may have changed meanwhile.
    let created = ListOptions::default().with_status(like.status);
    let after_failed = created.with_marker(Marker::Row(first[0].id.0));
    assert!(list(&scene, after_failed).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_a_list_cannot_be_told_by_is_named() {
    let scene = Scene::new(1).await;
    let (magnum, cx) = (&scene.magnum, &scene.cx);
    let templates = ListOptions::default()
        .with_status(ClusterStatus::CREATE_FAILED)
        .with_cluster_template(TemplateId(Uuid::nil()))
        .with_sort_key(SortKey::Status)
        .with_limit(0);
    let error = magnum.list_templates(cx, templates).await.unwrap_err();
    let fields = |error: &Error| -> Vec<String> {
        error
            .problems()
            .iter()
            .map(|problem| problem.field.clone())
            .collect()
    };
    assert_eq!(
        fields(&error),
        ["status", "cluster_template_id", "sort_key", "limit"]
    );
    let clusters = ListOptions::default()
        .with_coe("docker")
        .with_public(true)
        .with_hidden(false);
    let error = magnum.list_clusters(cx, clusters).await.unwrap_err();
    assert_eq!(fields(&error), ["coe", "public", "hidden"]);
}

#[tokio::test(start_paused = true)]
async fn other_projects_are_listed_only_to_those_who_see_all() {
    let scene = clusters(&["own"]).await;
    let like = any(&scene).await;
    put(&scene, &like, "other", 1, |cluster| {
        cluster.project_id = "other".to_owned()
    })
    .await;
    let magnum = &scene.magnum;
    assert_eq!(names(&list(&scene, ListOptions::default()).await), ["own"]);
    let mine = ListOptions::default().with_project(&scene.cx.project_id);
    assert_eq!(names(&list(&scene, mine.clone()).await), ["own"]);
    let (all, others) = (
        ListOptions::default().with_all_projects(),
        ListOptions::default().with_project("other"),
    );
    for options in [all.clone(), others.clone()] {
        let error = refused(&scene, options.clone()).await;
        assert_eq!(error.kind(), ErrorKind::Forbidden, "{options:?}");
        let error = magnum.list_templates(&scene.cx, options).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Forbidden);
    }
    let error = magnum.list_clusters(&stranger(), mine).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    let seen = async |options| magnum.list_clusters(&admin(), options).await.unwrap();
    assert!(
        seen(ListOptions::default()).await.is_empty(),
        "an administrator's own project has none"
    );
    assert_eq!(names(&seen(all).await), ["own", "other"]);
    assert_eq!(names(&seen(others).await), ["other"]);
}

#[tokio::test(start_paused = true)]
async fn lists_of_templates_leave_out_what_others_have_hidden() {
    let scene = Scene::new(1).await;
    let like = scene.template().await;
    let put = async |name: &str, project: &str, public, hidden| {
        let mut template = like.clone();
        template.id = TemplateId(Uuid::new_v4());
        template.name = name.to_owned();
        template.project_id = project.to_owned();
        template.spec.public = public;
        template.spec.hidden = hidden;
        let insert = Write::InsertTemplate(Box::new(template.clone()));
        scene.store.commit(Commit::new().write(insert)).await.unwrap();
        template
    };
    let own = scene.cx.project_id.as_str();
    put("own hidden", own, false, true).await;
    put("shown", "other", true, false).await;
    let hidden = put("hidden", "other", true, true).await;
    put("private", "other", false, false).await;
    let seen = async |cx: &RequestContext, options: ListOptions| -> Vec<String> {
        let options = options.with_sort_key(SortKey::Name);
        let page = scene.magnum.list_templates(cx, options).await.unwrap();
        page.into_iter().map(|template| template.name).collect()
    };
    let cx = &scene.cx;
    let any = ListOptions::default;
    assert_eq!(seen(cx, any()).await, ["own hidden", "shown", "small"]);
    assert_eq!(seen(cx, any().with_project(own)).await, ["own hidden", "small"]);
    assert_eq!(seen(cx, any().with_hidden(true)).await, ["own hidden"]);
    assert_eq!(seen(cx, any().with_public(true)).await, ["shown"]);
    assert_eq!(
        seen(cx, any().with_public(false).with_hidden(false)).await,
        ["small"]
    );
    assert_eq!(
        seen(cx, any().with_coe("docker").with_limit(1)).await,
        ["own hidden"]
    );
    assert!(seen(cx, any().with_coe("kubernetes")).await.is_empty());
    assert!(
        seen(cx, any().with_name("hidden")).await.is_empty(),
        "nor by a list's name"
    );
    let by_name = scene.magnum.template(cx, "hidden").await.unwrap();
    assert_eq!(by_name.id, hidden.id, "who knows the name finds it");
    assert_eq!(scene.magnum.template(cx, hidden.id).await.unwrap().id, hidden.id);

    let everything = seen(&admin(), any().with_all_projects()).await;
    assert_eq!(everything, ["hidden", "own hidden", "private", "shown", "small"]);
    assert_eq!(seen(&admin(), any()).await, ["shown"], "its own project has none");
    let others = seen(&admin(), any().with_project("other")).await;
    assert_eq!(others, ["hidden", "private", "shown"]);
}

#[tokio::test(start_paused = true)]
async fn a_name_of_several_is_a_conflict() {
    let scene = clusters(&["same", "same", "one"]).await;
    let error = scene.magnum.cluster(&scene.cx, "same").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(scene.magnum.cluster(&scene.cx, "one").await.is_ok());
}
