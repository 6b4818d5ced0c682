//! The rule that text is text: whatever a tenant writes comes back byte for byte.

use std::sync::Arc;

use uuid::Uuid;

use super::fixtures::{Corner, LONG, changed, event, key_pair, put, put_registry, registry};
use super::quotas::quota;
use crate::model::{FailureCode, Fault, Tombstone};
use crate::ports::{Commit, Idempotent, Query, Store, Write};

/// Names and everything else that tenants give come back byte for byte, are found by exactly
/// themselves, and are never taken for anything else.
///
/// # Panics
/// When the rule is broken.
pub async fn hostile_text_comes_back(store: Arc<dyn Store>) {
    let long = "é\u{0}'".repeat(40_000);
    let texts = [
        "",
        " ",
        "a",
        "A",
        "a ",
        " a",
        "a\u{0}",
        "\u{0}a",
        "\u{0}",
        "\\0",
        "\\u0000",
        "\\",
        "\\\\",
        "'; DROP TABLE magnum_clusters; --",
        "\"",
        "`",
        "%",
        "_",
        "?",
        "$1",
        ":a",
        "{0}",
        "\u{e9}",
        "e\u{301}",
        "ß",
        "SS",
        "ı",
        "İ",
        "日本語",
        "👩‍👩‍👧‍👧",
        "\u{202e}abc",
        "\u{feff}",
        "\u{ffff}",
        "\u{10ffff}",
        "line\nline\r\n\ttab",
        "\u{7f}\u{1}\u{1b}[31m",
        "null",
        "[]",
        "1",
        &long,
    ];
    for text in texts {
        text_comes_back(&store, text).await;
    }
    names_are_told_apart(&store, &texts).await;
}

/// Writes `text` everywhere that text can be written, and reads it back.
///
/// # Panics
/// When it is not found or not the same.
pub async fn text_comes_back(store: &Arc<dyn Store>, text: &str) {
    let mut corner = Corner::of(Arc::clone(store));
    for owned in [&mut corner.project, &mut corner.cloud] {
        owned.push_str(text);
    }
    let mut template = corner.template();
    template.name = text.to_owned();
    template.spec.labels.insert(text.to_owned(), text.to_owned());
    let mut cluster = corner.cluster();
    cluster.name = text.to_owned();
    cluster.driver.name = text.to_owned();
    cluster.status_reason = Some(text.to_owned());
    cluster.fault = Some(Fault::new(FailureCode::Internal, text));
    for pool in &mut cluster.pools {
        pool.flavor_id = text.to_owned();
        pool.addresses = vec![text.to_owned(), String::new()];
    }
    cluster.pools[1].name = format!("worker {text}");
    let mut told = event(&cluster);
    told.reason = Some(text.to_owned());
    let mut pair = key_pair(&corner.project);
    pair.certificate = text.to_owned();
    pair.private_key.0 = text.to_owned();
    pair.intermediates = Some(text.to_owned());
    let answered = Idempotent {
        project: corner.project.clone(),
        key: text.to_owned(),
        request: text.to_owned(),
        cluster_id: cluster.id,
    };
    let grave = Tombstone {
        cluster_id: cluster.id,
        name: text.to_owned(),
        project_id: corner.project.clone(),
        leftovers: vec![text.to_owned()],
        at: cluster.created_at,
    };
    let granted = quota(&corner.project, 2);
    let mut registered = registry(cluster.id);
    registered.token = text.to_owned();
    registered.members[0].id = text.to_owned();
    registered.members[0].value = text.to_owned();
    let hash = Uuid::new_v4().to_string();
    let commit = Commit::new()
        .write(Write::InsertTemplate(Box::new(template.clone())))
        .write(Write::InsertCluster(Box::new(cluster.clone())))
        .write(Write::PutEvent(Box::new(told.clone())))
        .write(Write::PutKeyPair(Box::new(pair.clone())))
        .write(Write::PutIdempotent(Box::new(answered.clone())))
        .write(Write::PutTombstone(Box::new(grave.clone())))
        .write(Write::InsertQuota(granted.clone()))
        .write(put_registry(&registered))
        .write(Write::PutBlob {
            hash: hash.clone(),
            text: text.to_owned(),
        });
    corner.commit(commit).await.unwrap();

    let by_name = Query::project(&corner.project).named(text);
    assert_eq!(store.template(template.id).await.unwrap(), Some(template.clone()));
    assert_eq!(store.templates(by_name.clone()).await.unwrap(), [template]);
    assert_eq!(store.cluster(cluster.id).await.unwrap(), Some(cluster.clone()));
    assert_eq!(store.clusters(by_name).await.unwrap(), [cluster.clone()]);
    assert!(store.pending_events(u32::MAX).await.unwrap().contains(&told));
    assert_eq!(store.key_pair(pair.id).await.unwrap().as_ref(), Some(&pair));
    assert_eq!(store.key_pairs(&pair.name).await.unwrap(), [pair.clone()]);
    assert_eq!(
        store.idempotent(&corner.project, text).await.unwrap(),
        Some(answered)
    );
    assert_eq!(store.tombstone(cluster.id).await.unwrap(), Some(grave));
    let stored = store.quota(&corner.project, granted.resource).await.unwrap();
    assert_eq!(stored, Some(granted));
    assert_eq!(store.stats(Some(&corner.project)).await.unwrap().clusters, 1);
    assert_eq!(store.discovery(cluster.id).await.unwrap(), Some(registered));
    assert_eq!(store.blob(&hash).await.unwrap().as_deref(), Some(text));

    let mut claim = corner.claim(text, LONG);
    claim.drivers.push(text.to_owned());
    let leases = store.claim(claim).await.unwrap();
    assert_eq!(leases.len(), 1, "cloud and driver are found by their names");
    assert_eq!(leases[0].owner, text);
    let commit = Commit::under(&leases[0]).write(put(&changed(&cluster)));
    corner
        .commit(commit)
        .await
        .expect("the owner is known by its name");
    store.acknowledge(vec![told.id]).await.unwrap();
}

/// No name is found by another's.
async fn names_are_told_apart(store: &Arc<dyn Store>, names: &[&str]) {
    let corner = Corner::of(Arc::clone(store));
    let mut commit = Commit::new();
    for name in names {
        let mut cluster = corner.cluster();
        (*name).clone_into(&mut cluster.name);
        commit = commit.write(Write::InsertCluster(Box::new(cluster)));
    }
    corner.commit(commit).await.unwrap();
    for name in names {
        let query = Query::project(&corner.project).named(*name);
        let found = store.clusters(query).await.unwrap();
        assert_eq!(found.len(), 1, "only {name:?} is {name:?}");
    }
}
