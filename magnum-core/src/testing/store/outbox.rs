//! Rules of the outbox.

use std::sync::Arc;

use super::fixtures::{Corner, event};
use crate::model::Event;
use crate::ports::{Commit, Store, Write};

async fn pending(corner: &Corner) -> Vec<Event> {
    let all = corner.store.pending_events(u32::MAX).await.unwrap();
    all.into_iter()
        .filter(|event| event.project_id == corner.project)
        .collect()
}

/// Events come in the order of their commits, as often as asked for, until they are acknowledged.
///
/// # Panics
/// When the rule is broken.
pub async fn events_stay_until_acknowledged(store: Arc<dyn Store>) {
    let corner = Corner::of(store);
    let cluster = corner.cluster();
    let mut told = Vec::new();
    for _ in 0..3 {
        let events = [event(&cluster), event(&cluster)];
        let put = |event: &Event| Write::PutEvent(Box::new(event.clone()));
        let commit = Commit::new().write(put(&events[0])).write(put(&events[1]));
        corner.commit(commit).await.unwrap();
        told.extend(events);
    }
    assert_eq!(pending(&corner).await, told);
    assert_eq!(pending(&corner).await, told, "reading removes nothing");
    assert_eq!(
        corner.store.pending_events(1).await.unwrap().len(),
        1,
        "no more than asked for"
    );
    assert_eq!(corner.store.pending_events(0).await.unwrap(), []);
    corner
        .store
        .acknowledge(vec![told[0].id, told[5].id, told[3].id])
        .await
        .unwrap();
    corner
        .store
        .acknowledge(vec![told[0].id])
        .await
        .expect("acknowledging twice is no error");
    corner
        .store
        .acknowledge(Vec::new())
        .await
        .expect("nor is acknowledging nothing");
    let left = [told[1].clone(), told[2].clone(), told[4].clone()];
    assert_eq!(pending(&corner).await, left);
    let another = event(&cluster);
    let commit = Commit::new().write(Write::PutEvent(Box::new(another.clone())));
    corner.commit(commit).await.unwrap();
    assert_eq!(
        pending(&corner).await.last(),
        Some(&another),
        "later commits come later"
    );
    let ids = pending(&corner).await.into_iter().map(|event| event.id).collect();
    corner.store.acknowledge(ids).await.unwrap();
    assert_eq!(pending(&corner).await, []);
}
