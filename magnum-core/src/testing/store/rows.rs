//! Rules of rows: what is written is read, and what may stand beside what.

use std::sync::Arc;

use uuid::Uuid;

use super::fixtures::{
    Corner, LONG, changed, event, instant, key_pair, ledger_entry, note, operation, put, put_registry,
    refused, registry,
};
use crate::ErrorKind;
use crate::model::{CertificateNote, OperationState, Owned, Tombstone};
use crate::ports::{Commit, Idempotent, Sealed, Store, Write};

/// What is inserted under a key that is taken is refused with `Conflict`, and what is there stays.
///
/// # Panics
/// When the rule is broken.
pub async fn keys_that_are_taken_are_refused(store: Arc<dyn Store>) {
    let corner = Corner::of(store);
    let template = corner.template();
    let cluster = corner.cluster();
    let pair = key_pair("name");
    let told = event(&cluster);
    let answered = Idempotent {
        project: corner.project.clone(),
        key: "key".to_owned(),
        request: "hash".to_owned(),
        cluster_id: cluster.id,
    };
    let inserts = [
        Write::InsertTemplate(Box::new(template)),
        Write::InsertCluster(Box::new(cluster)),
        Write::PutKeyPair(Box::new(pair)),
        Write::PutEvent(Box::new(told.clone())),
        Write::PutIdempotent(Box::new(answered.clone())),
    ];
    for insert in inserts {
        corner
            .commit(Commit::new().write(insert.clone()))
            .await
            .expect("the key is free");
        let again = Commit::new().write(insert.clone());
        refused(
            corner.commit(again).await,
            ErrorKind::Conflict,
            &format!("{insert:?}, again"),
        );
    }
    let elsewhere = Idempotent {
        project: format!("{}-too", corner.project),
        ..answered.clone()
    };
    let write = Write::PutIdempotent(Box::new(elsewhere));
    corner
        .commit(Commit::new().write(write))
        .await
        .expect("keys are each project's own");
    let stored = corner.store.idempotent(&corner.project, "key").await.unwrap();
    assert_eq!(stored, Some(answered));
    assert_eq!(
        corner.store.idempotent(&corner.project, "KEY").await.unwrap(),
        None
    );

    let hash = Uuid::new_v4().to_string();
    for text in ["first", "second"] {
        let (hash, text) = (hash.clone(), text.to_owned());
        corner
            .commit(Commit::new().write(Write::PutBlob { hash, text }))
            .await
            .unwrap();
    }
    let stored = corner.store.blob(&hash).await.unwrap();
    assert_eq!(stored.as_deref(), Some("first"), "a blob that is there stays");
    corner.store.acknowledge(vec![told.id]).await.unwrap();
}

/// A sealed key is replaced where its certificate is, and nowhere else.
///
/// # Panics
/// When the rule is broken.
pub async fn a_key_is_sealed_anew_in_its_place(store: Arc<dyn Store>) {
    let corner = Corner::of(store);
    let pairs = [key_pair(&corner.project), key_pair(&corner.project)];
    let anew = Sealed("sealed anew".to_owned());
    let put = Commit::new().write(Write::PutKeyPair(Box::new(pairs[0].clone())));
    let reseal = |id| Write::ResealKeyPair(id, anew.clone());
    let commit = put.write(reseal(pairs[0].id)).write(reseal(pairs[1].id));
    corner.commit(commit).await.unwrap();
    let mut expected = pairs[0].clone();
    expected.private_key = anew.clone();
    let stored = corner.store.key_pair(pairs[0].id).await.unwrap();
    assert_eq!(stored, Some(expected));
    assert_eq!(
        corner.store.key_pair(pairs[1].id).await.unwrap(),
        None,
        "none was there"
    );
}

/// Everything that can be written is read back as it was written, right after the commit.
///
/// # Panics
/// When the rule is broken.
pub async fn a_commit_is_seen_by_the_next_read(store: Arc<dyn Store>) {
    let corner = Corner::of(store);
    let store = &corner.store;
    let template = corner.template();
    let cluster = corner.cluster();
    let active = operation(cluster.id);
    let entries = [3, 1, 2].map(|sequence| ledger_entry(cluster.id, sequence));
    let pairs = [key_pair(&corner.project), key_pair(&corner.project)];
    let grave = Tombstone {
        cluster_id: cluster.id,
        name: cluster.name.clone(),
        project_id: cluster.project_id.clone(),
        leftovers: vec!["stack a".to_owned()],
        at: instant(5),
    };
    let mut commit = Commit::new()
        .write(Write::InsertTemplate(Box::new(template.clone())))
        .write(Write::InsertCluster(Box::new(cluster.clone())))
        .write(Write::PutOperation(Box::new(active.clone())))
        .write(put_registry(&registry(cluster.id)))
        .write(Write::PutTombstone(Box::new(grave.clone())));
    for entry in &entries {
        commit = commit.write(Write::PutLedger(Box::new(entry.clone())));
    }
    for pair in &pairs {
        commit = commit.write(Write::PutKeyPair(Box::new(pair.clone())));
    }
    corner.commit(commit).await.unwrap();

    assert_eq!(store.template(template.id).await.unwrap(), Some(template.clone()));
    assert_eq!(store.cluster(cluster.id).await.unwrap(), Some(cluster.clone()));
    assert_eq!(
        store.active_operation(cluster.id).await.unwrap(),
        Some(active.clone())
    );
    assert_eq!(store.operation(active.id).await.unwrap(), Some(active.clone()));
    assert_eq!(store.tombstone(cluster.id).await.unwrap(), Some(grave.clone()));
    let stored = store.discovery(cluster.id).await.unwrap();
    assert_eq!(stored, Some(registry(cluster.id)));
    let sequences = store
        .ledger(cluster.id)
        .await
        .unwrap()
        .into_iter()
        .map(|entry| entry.sequence);
    assert_eq!(
        sequences.collect::<Vec<_>>(),
        [1, 2, 3],
        "the ledger comes in its order"
    );
    assert_eq!(
        store.key_pair(pairs[0].id).await.unwrap().as_ref(),
        Some(&pairs[0])
    );
    assert_eq!(store.key_pairs(&corner.project).await.unwrap().len(), 2);

    let mut after = changed(&cluster);
    after.name = "renamed".to_owned();
    after.pools.swap(0, 1);
    after.pools[1].addresses.clear();
    after.pools[0].count = 7;
    let mut ended = active.clone();
    ended.state = OperationState::Done;
    ended.token = None;
    let mut exists = entries[0].clone();
    exists.owned = Owned::Trust {
        trustee_id: "trustee".to_owned(),
        id: Some("id".to_owned()),
        former: None,
    };
    let last = Tombstone {
        leftovers: Vec::new(),
        ..grave
    };
    let commit = Commit::new()
        .write(put(&after))
        .write(Write::PutOperation(Box::new(ended.clone())))
        .write(Write::PutLedger(Box::new(exists.clone())))
        .write(Write::DeleteLedger(entries[1].id))
        .write(Write::DeleteLedger(entries[1].id))
        .write(Write::DeleteKeyPair(pairs[0].id))
        .write(Write::DeleteKeyPair(pairs[0].id))
        .write(Write::PutTombstone(Box::new(last.clone())));
    corner
        .commit(commit)
        .await
        .expect("removing what is gone is no error");
    assert_eq!(
        store.cluster(cluster.id).await.unwrap(),
        Some(after),
        "pools keep their order"
    );
    assert_eq!(
        store.active_operation(cluster.id).await.unwrap(),
        None,
        "an ended operation is not active"
    );
    assert_eq!(
        store.operation(active.id).await.unwrap(),
        Some(ended),
        "but it is kept"
    );
    assert_eq!(
        store.ledger(cluster.id).await.unwrap(),
        [entries[2].clone(), exists]
    );
    assert_eq!(store.key_pair(pairs[0].id).await.unwrap(), None);
    assert_eq!(
        store.key_pairs(&corner.project).await.unwrap(),
        [pairs[1].clone()]
    );
    assert_eq!(store.tombstone(cluster.id).await.unwrap(), Some(last));
}

/// A cluster has one active operation; another is refused with `Busy` until the first has ended.
///
/// # Panics
/// When the rule is broken.
pub async fn one_operation_is_active(store: Arc<dyn Store>) {
    let corner = Corner::of(store);
    let cluster = corner.make_cluster().await;
    let write = |operation: &_| Write::PutOperation(Box::new(Clone::clone(operation)));
    let mut first = operation(cluster.id);
    let second = operation(cluster.id);
    corner.commit(Commit::new().write(write(&first))).await.unwrap();
    first.attempt = 1;
    corner
        .commit(Commit::new().write(write(&first)))
        .await
        .expect("the active one may change");
    let both = corner.commit(Commit::new().write(write(&second))).await;
    refused(both, ErrorKind::Busy, "a second active operation");

    first.state = OperationState::Superseded;
    let takeover = Commit::new().write(write(&first)).write(write(&second));
    corner
        .commit(takeover)
        .await
        .expect("one ends and another begins in one commit");
    let active = corner.store.active_operation(cluster.id).await.unwrap();
    assert_eq!(active, Some(second));
}

/// Deleting a cluster takes its lease and its pools; its operations and events stay.
///
/// # Panics
/// When the rule is broken.
pub async fn what_a_deleted_cluster_leaves(store: Arc<dyn Store>) {
    let corner = Corner::of(store);
    let cluster = corner.make_cluster().await;
    let lease = corner.lease("one", LONG).await;
    let (active, told) = (operation(cluster.id), event(&cluster));
    let commit = Commit::under(&lease)
        .write(Write::PutOperation(Box::new(active.clone())))
        .write(Write::PutEvent(Box::new(told.clone())))
        .write(Write::DeleteCluster(cluster.id));
    corner.commit(commit).await.unwrap();

    assert_eq!(corner.store.cluster(cluster.id).await.unwrap(), None);
    assert_eq!(corner.store.operation(active.id).await.unwrap(), Some(active));
    assert!(
        corner
            .store
            .pending_events(u32::MAX)
            .await
            .unwrap()
            .contains(&told)
    );
    let renewed = corner.store.renew(&lease, LONG).await.map(|_| ());
    refused(renewed, ErrorKind::Stale, "renewing the lease of what is gone");
    refused(
        corner.commit(Commit::under(&lease)).await,
        ErrorKind::Stale,
        "a commit under it",
    );
    corner
        .store
        .release(&lease, Some(instant(1)))
        .await
        .expect("giving it back is no error");
    let more = Commit::new()
        .write(Write::DeleteCluster(cluster.id))
        .write(Write::Due(cluster.id, instant(1)));
    corner
        .commit(more)
        .await
        .expect("deleting what is gone, and making it due, is no error");
    assert_eq!(
        corner.store.next_due(&corner.claim("two", LONG)).await.unwrap(),
        None
    );
    corner.store.acknowledge(vec![told.id]).await.unwrap();
}

/// A discovery registry is put only beside its cluster, at the revision that its writer read, and the commit that
/// removes the cluster removes it as well.
///
/// # Panics
/// When the rule is broken.
pub async fn a_registry_goes_with_its_cluster(store: Arc<dyn Store>) {
    let corner = Corner::of(store);
    let absent = registry(corner.cluster().id);
    refused(
        corner.commit(Commit::new().write(put_registry(&absent))).await,
        ErrorKind::Stale,
        "a registry of no cluster",
    );
    let (cluster, other) = (corner.make_cluster().await, corner.make_cluster().await);
    let first = registry(cluster.id);
    let mut second = registry(cluster.id);
    second.revision = second.revision.next();
    second.members.clear();
    for (registry, accepted) in [
        (&second, false),
        (&first, true),
        (&first, false),
        (&second, true),
        (&second, false),
    ] {
        let put = corner.commit(Commit::new().write(put_registry(registry))).await;
        if accepted {
            put.expect("the next revision");
        } else {
            refused(
                put,
                ErrorKind::Stale,
                "a registry whose writer read another revision",
            );
        }
    }
    let mut elsewhere = registry(other.id);
    elsewhere.token = "other".to_owned();
    corner
        .commit(Commit::new().write(put_registry(&elsewhere)))
        .await
        .expect("each cluster has its own");
    corner
        .commit(Commit::new().write(put(&changed(&cluster))))
        .await
        .unwrap();
    let stored = corner.store.discovery(cluster.id).await.unwrap();
    assert_eq!(stored, Some(second), "it stays when its cluster changes");

    let gone = Commit::new().write(Write::DeleteCluster(cluster.id));
    corner.commit(gone).await.unwrap();
    assert_eq!(corner.store.discovery(cluster.id).await.unwrap(), None);
    assert_eq!(corner.store.discovery(other.id).await.unwrap(), Some(elsewhere));
    refused(
        corner.commit(Commit::new().write(put_registry(&first))).await,
        ErrorKind::Stale,
        "a registry of a cluster that is gone",
    );
}

/// A newer note takes the place of the one about the same, and all of them go with their cluster.
///
/// # Panics
/// When the rule is broken.
pub async fn notes_go_with_their_cluster(store: Arc<dyn Store>) {
    let corner = Corner::of(store);
    let put = |note: &CertificateNote| Commit::new().write(Write::PutCertificateNote(Box::new(note.clone())));
    refused(
        corner.commit(put(&note(corner.cluster().id, "0", 1))).await,
        ErrorKind::Stale,
        "a note of no cluster",
    );
    let (cluster, other) = (corner.make_cluster().await, corner.make_cluster().await);
    let (first, second) = (note(cluster.id, "1", 1), note(cluster.id, "0", 1));
    let (newer, elsewhere) = (note(cluster.id, "1", 2), note(other.id, "1", 3));
    for note in [&first, &second, &newer, &elsewhere] {
        corner.commit(put(note)).await.expect("its cluster is there");
    }
    let noted = async |id| corner.store.certificate_notes(id, "").await.unwrap();
    assert_eq!(
        noted(cluster.id).await,
        [second.clone(), newer.clone()],
        "by what they are about"
    );
    let begun = async |about: &str| corner.store.certificate_notes(cluster.id, about).await.unwrap();
    assert_eq!(begun("taken/worker/0").await, std::slice::from_ref(&second));
    assert_eq!(begun("taken/worker/").await.len(), 2);
    assert_eq!(begun("taken/worker/00").await, []);
    assert_eq!(begun("taken/master/").await, []);
    for _ in 0..2 {
        let drop = Write::DeleteCertificateNote(cluster.id, second.about());
        corner
            .commit(Commit::new().write(drop))
            .await
            .expect("gone is what it should be");
        assert_eq!(noted(cluster.id).await, std::slice::from_ref(&newer));
    }
    let gone = Commit::new().write(Write::DeleteCluster(cluster.id));
    corner.commit(gone).await.unwrap();
    assert_eq!(noted(cluster.id).await, []);
    assert_eq!(noted(other.id).await, [elsewhere]);
}
