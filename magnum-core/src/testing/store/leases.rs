//! Rules of leases: who works on what, for how long, and what comes next.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::fixtures::{Corner, LONG, SHORT, changed, instant, put, refused};
use crate::ErrorKind;
use crate::model::{ClusterId, ClusterStatus};
use crate::ports::{Commit, Lease, Store, Write};

async fn due(corner: &Corner, cluster: ClusterId, at: Timestamp) {
    let commit = Commit::new().write(Write::Due(cluster, at));
    corner.commit(commit).await.expect("a due time is accepted");
}

async fn next_due(corner: &Corner) -> Option<Timestamp> {
    let claim = corner.claim("anyone", LONG);
    corner.store.next_due(&claim).await.expect("next_due is answered")
}

/// `seconds` after now, to the millisecond.
async fn later(corner: &Corner, seconds: i64) -> Timestamp {
    let now = corner.now().await.as_millisecond();
    Timestamp::from_millisecond(now + seconds * 1000).expect("within range")
}

fn ids(leases: &[Lease]) -> Vec<ClusterId> {
    leases.iter().map(|lease| lease.cluster_id).collect()
}

/// A cluster whose lease is held is given to nobody, not even to its holder again, until the lease
/// is given back or expires.
///
/// # Panics
/// When the rule is broken.
pub async fn a_held_lease_is_not_claimed<W: AsyncFn(Duration)>(store: Arc<dyn Store>, wait: &W) {
    let corner = Corner::of(store);
    let cluster = corner.make_cluster().await;
    let held = corner.lease("one", LONG).await;
    assert_eq!((held.cluster_id, held.owner.as_str()), (cluster.id, "one"));
    assert!(
        held.left <= LONG && held.left > LONG / 2,
        "what is left is told: {:?}",
        held.left
    );
    due(&corner, cluster.id, instant(1)).await;
    for owner in ["one", "two"] {
        assert_eq!(
            corner.leases(owner, LONG).await,
            [],
            "a held lease is not given to {owner}"
        );
    }
    corner.store.release(&held, None).await.unwrap();
    let short = corner.lease("two", SHORT).await;
    assert!(short.epoch > held.epoch, "the epoch grows with every claim");
    wait(SHORT * 2).await;
    let expired = corner.lease("three", LONG).await;
    assert!(expired.epoch > short.epoch, "the epoch grows with every claim");
}

/// Once its lease has expired, was given back, or was given to another, an owner can neither commit
/// nor renew, and its giving back changes nothing.
///
/// # Panics
/// When the rule is broken.
pub async fn a_former_owner_cannot_commit<W: AsyncFn(Duration)>(store: Arc<dyn Store>, wait: &W) {
    let corner = Corner::of(store);
    let cluster = corner.make_cluster().await;
    let former = corner.lease("one", SHORT).await;
    wait(SHORT * 2).await;
    let write = |lease: &Lease| Commit::under(lease).write(put(&changed(&cluster)));
    let store = &corner.store;
    refused(
        corner.commit(write(&former)).await,
        ErrorKind::Stale,
        "a commit under an expired lease",
    );
    let renewed = store.renew(&former, LONG).await.map(|_| ());
    refused(renewed, ErrorKind::Stale, "renewing an expired lease");
    store.release(&former, None).await.expect("no error");

    let current = corner.lease("two", LONG).await;
    refused(
        corner.commit(write(&former)).await,
        ErrorKind::Stale,
        "a commit of a former owner",
    );
    let renewed = store.renew(&former, LONG).await.map(|_| ());
    refused(renewed, ErrorKind::Stale, "renewing another's lease");
    store.release(&former, Some(instant(1))).await.expect("no error");
    assert_eq!(
        corner.leases("three", LONG).await,
        [],
        "a former owner gives nothing back"
    );
    corner.commit(write(&current)).await.expect("the owner commits");

    store.release(&current, Some(instant(1))).await.unwrap();
    refused(
        corner.commit(Commit::under(&current)).await,
        ErrorKind::Stale,
        "a commit after giving back",
    );
    let again = corner.lease("two", LONG).await;
    let old = corner.commit(Commit::under(&current)).await;
    refused(
        old,
        ErrorKind::Stale,
        "a commit under the same owner's older epoch",
    );
    corner
        .commit(Commit::under(&again))
        .await
        .expect("the newest epoch commits");
}

/// A renewed lease lasts as long as was asked for, from now on, also when that is shorter.
///
/// # Panics
/// When the rule is broken.
pub async fn a_lease_is_renewed_by_its_holder<W: AsyncFn(Duration)>(store: Arc<dyn Store>, wait: &W) {
    let corner = Corner::of(store);
    corner.make_cluster().await;
    let lease = corner.lease("one", LONG).await;
    let longer = corner.store.renew(&lease, LONG * 3).await.unwrap();
    assert_eq!((longer.cluster_id, longer.epoch), (lease.cluster_id, lease.epoch));
    assert!(
        longer.left > LONG * 2 && longer.left <= LONG * 3,
        "what is left is told"
    );
    let expiry = next_due(&corner).await.expect("due when the lease expires");
    assert!(
        expiry > later(&corner, 7200).await,
        "the lease lasts longer: {expiry}"
    );
    corner
        .commit(Commit::under(&lease))
        .await
        .expect("both values stand for the one lease");

    corner.store.renew(&longer, SHORT).await.unwrap();
    wait(SHORT * 2).await;
    refused(
        corner.commit(Commit::under(&longer)).await,
        ErrorKind::Stale,
        "a commit after a shorter renewal",
    );
    let renewed = corner.store.renew(&longer, LONG).await.map(|_| ());
    refused(renewed, ErrorKind::Stale, "renewing it too late");
}

/// A cluster is due at the earliest time asked for since it was claimed, whoever asked.
///
/// # Panics
/// When the rule is broken.
pub async fn a_due_time_set_under_a_lease_survives(store: Arc<dyn Store>) {
    let corner = Corner::of(store);
    let cluster = corner.make_cluster().await;
    let id = cluster.id;
    let (soon, late) = (later(&corner, 1000).await, later(&corner, 5000).await);

    let lease = corner.lease("one", LONG).await;
    due(&corner, id, late).await;
    due(&corner, id, soon).await;
    corner
        .commit(Commit::new().write(put(&changed(&cluster))))
        .await
        .unwrap();
    corner.store.release(&lease, Some(late)).await.unwrap();
    assert_eq!(
        next_due(&corner).await,
        Some(soon),
        "what was committed meanwhile is earlier and wins"
    );
    due(&corner, id, late).await;
    assert_eq!(
        next_due(&corner).await,
        Some(soon),
        "a later time changes nothing"
    );
    assert_eq!(corner.leases("one", LONG).await, [], "it is not due yet");

    due(&corner, id, instant(1)).await;
    let lease = corner.lease("one", LONG).await;
    corner.store.release(&lease, None).await.unwrap();
    assert_eq!(next_due(&corner).await, None, "the claim used the due time up");
    assert_eq!(
        corner.leases("one", LONG).await,
        [],
        "it waits until something is committed"
    );

    due(&corner, id, instant(1)).await;
    let lease = corner.lease("one", LONG).await;
    due(&corner, id, late).await;
    corner.store.release(&lease, Some(soon)).await.unwrap();
    assert_eq!(
        next_due(&corner).await,
        Some(soon),
        "the owner's time is earlier and wins"
    );

    due(&corner, id, instant(1)).await;
    let lease = corner.lease("one", LONG).await;
    due(&corner, id, instant(1)).await;
    corner.store.release(&lease, None).await.unwrap();
    corner.lease("two", LONG).await;
}

/// `next_due` is now for what can be claimed, the lease's expiry for what is leased, and counts only
/// what the worker can do.
///
/// # Panics
/// When the rule is broken.
pub async fn next_due_tells_when_to_come_back<W: AsyncFn(Duration)>(store: Arc<dyn Store>, wait: &W) {
    let corner = Corner::of(store);
    assert_eq!(next_due(&corner).await, None, "nothing waits");
    let cluster = corner.make_cluster().await;
    let before = corner.now().await;
    let now = next_due(&corner).await.expect("a new cluster is due at once");
    assert!(now >= before, "now, not when it became due: {now}, {before}");
    let mut elsewhere = corner.claim("one", LONG);
    elsewhere.clouds = vec!["elsewhere".to_owned()];
    assert_eq!(
        corner.store.next_due(&elsewhere).await.unwrap(),
        None,
        "it is on another cloud"
    );
    let mut without = corner.claim("one", LONG);
    without.drivers.clear();
    assert_eq!(
        corner.store.next_due(&without).await.unwrap(),
        None,
        "it needs another driver"
    );
    let mut removed = changed(&cluster);
    removed.status = ClusterStatus::DELETE_IN_PROGRESS;
    corner.commit(Commit::new().write(put(&removed))).await.unwrap();
    assert!(
        corner.store.next_due(&without).await.unwrap().is_some(),
        "any worker can delete"
    );

    let lease = corner.lease("one", LONG).await;
    let expiry = next_due(&corner)
        .await
        .expect("a leased cluster is due when the lease expires");
    assert!(expiry > later(&corner, 1800).await, "{expiry}");
    corner.store.renew(&lease, SHORT).await.unwrap();
    wait(SHORT * 2).await;
    let before = corner.now().await;
    let now = next_due(&corner).await.expect("the lease has expired");
    assert!(now >= before && now < later(&corner, 1800).await);
}

/// A claim gives only clusters of its clouds, and of its drivers unless they are being deleted, and
/// not more than asked for.
///
/// # Panics
/// When the rule is broken.
pub async fn a_claim_takes_what_it_can_do(store: Arc<dyn Store>) {
    let corner = Corner::of(store);
    let foreign = Corner::of(Arc::clone(&corner.store));
    foreign.make_cluster().await;
    let mut unknown = corner.cluster();
    unknown.driver.name = "gone".to_owned();
    corner.insert(&unknown).await;
    assert_eq!(
        corner.leases("one", LONG).await,
        [],
        "another cloud, another driver"
    );

    let mut deleted = corner.cluster();
    deleted.driver.name = "gone".to_owned();
    deleted.status = ClusterStatus::DELETE_FAILED;
    corner.insert(&deleted).await;
    let known = corner.make_cluster().await;
    let with = |clouds: &[&str], drivers: &[&str], limit| {
        let mut claim = corner.claim("one", LONG);
        claim.clouds = clouds.iter().map(|&cloud| cloud.to_owned()).collect();
        claim.drivers = drivers.iter().map(|&driver| driver.to_owned()).collect();
        claim.limit = limit;
        claim
    };
    let cloud = corner.cloud.as_str();
    let claim = async |claim| corner.store.claim(claim).await.unwrap();
    assert_eq!(
        claim(with(&[], &["docker_ubuntu"], 9)).await,
        [],
        "no clouds, no clusters"
    );
    assert_eq!(
        claim(with(&[cloud], &["docker_ubuntu"], 0)).await,
        [],
        "none were asked for"
    );
    assert_eq!(
        ids(&claim(with(&[cloud], &[], 9)).await),
        [deleted.id],
        "what is being deleted needs no driver"
    );
    let twice = with(&[cloud, cloud], &["docker_ubuntu", "docker_ubuntu"], 9);
    assert_eq!(ids(&claim(twice).await), [known.id], "its driver is there");
}

/// Claims give the longest due first, within their limit, across several claims.
///
/// # Panics
/// When the rule is broken.
pub async fn the_longest_due_comes_first(store: Arc<dyn Store>) {
    let corner = Corner::of(store);
    let mut wanted = Vec::new();
    for second in [4, 1, 5, 3, 2] {
        let cluster = corner.make_cluster().await;
        due(&corner, cluster.id, instant(second)).await;
        wanted.push((second, cluster.id));
    }
    wanted.sort_unstable();
    let mut given = Vec::new();
    for expected in [2, 2, 1, 0] {
        let mut claim = corner.claim("one", LONG);
        claim.limit = 2;
        let leases = corner.store.claim(claim).await.unwrap();
        assert_eq!(
            leases.len(),
            expected,
            "no more than asked for, no less than there are"
        );
        given.extend(ids(&leases));
    }
    let wanted: Vec<_> = wanted.into_iter().map(|(_, id)| id).collect();
    assert_eq!(given, wanted, "in the order of their due times");
}
