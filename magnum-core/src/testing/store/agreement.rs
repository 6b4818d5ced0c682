//! Two stores given the same work must answer the same.

mod queries;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::choice::Choice;
use super::fixtures::{
    Corner, LONG, event, instant, key_pair, ledger_entry, note, operation, put_registry, registry, require,
};
use super::quotas::quota;
use crate::model::{
    Cluster, ClusterId, ClusterStatus, ClusterTemplate, EventId, LedgerId, OperationId, OperationState,
    Quota, QuotaResource, Revision, TemplateId,
};
use crate::ports::{Claim, Commit, Condition, Idempotent, Lease, Query, Sealed, Store, Write};
use crate::{ErrorKind, Result};

/// Gives both stores the work that `choices` spells, and compares every answer and all that can be read.
///
/// Each number picks one step among a handful of rows, so that random numbers meet themselves: commits
/// of every write under every condition, mostly with the right revision; claims, renewals, releases;
/// acknowledgements. With numbers from a property test a disagreement shrinks to its shortest cause.
///
/// # Panics
/// When the stores disagree.
pub async fn stores_agree(left: Arc<dyn Store>, right: Arc<dyn Store>, choices: &[u64]) {
    let mut pair = Pair::of(left, right);
    for (place, &choice) in choices.iter().enumerate() {
        let mut choice = Choice(choice);
        match choice.of(8) {
            0..=4 => pair.commit(&mut choice, place).await,
            5 => pair.claim(&mut choice, place).await,
            6 => pair.lease(&mut choice, place).await,
            _ => pair.acknowledge(&mut choice).await,
        }
        if place % 4 == 3 || place + 1 == choices.len() {
            pair.compare(&mut choice, place).await;
        }
    }
}

struct Pair {
    left: Corner,
    right: Arc<dyn Store>,
    salt: Uuid,
    /// Leases that both stores gave, also former ones.
    leases: Vec<(Lease, Lease)>,
}

impl Pair {
    fn of(left: Arc<dyn Store>, right: Arc<dyn Store>) -> Self {
        Self {
            left: Corner::of(left),
            right,
            salt: Uuid::new_v4(),
            leases: Vec::new(),
        }
    }

    /// The same identifier for the same choice, of this pair only.
    fn id(&self, kind: u128, choice: u64) -> Uuid {
        Uuid::from_u128(self.salt.as_u128() ^ (kind << 64) ^ u128::from(choice))
    }

    fn cluster_id(&self, choice: &mut Choice) -> ClusterId {
        ClusterId(self.id(1, choice.of(4)))
    }

    fn template_id(&self, choice: &mut Choice) -> TemplateId {
        TemplateId(self.id(2, choice.of(3)))
    }

    async fn template(&self, choice: &mut Choice) -> ClusterTemplate {
        let mut template = self.left.template();
        template.id = self.template_id(choice);
        template.name = format!("name {}", choice.of(2));
        template.spec.public = choice.of(2) == 0;
        template.spec.hidden = choice.of(2) == 0;
        choice
            .among(&["docker", "kubernetes"])
            .clone_into(&mut template.spec.coe);
        template.created_at = instant(choice.of(3).cast_signed());
        let stored = self.left.store.template(template.id).await.unwrap();
        template.revision = revision(stored.map(|stored| stored.revision), choice);
        template
    }

    async fn cluster(&self, choice: &mut Choice) -> Cluster {
        let mut cluster = self.left.cluster();
        cluster.id = self.cluster_id(choice);
        cluster.cluster_template_id = self.template_id(choice);
        cluster.name = format!("name {}", choice.of(2));
        cluster.driver.name = ["docker_ubuntu", "gone"][usize::from(choice.of(4) == 0)].to_owned();
        cluster.created_at = instant(choice.of(3).cast_signed());
        cluster.ca_cert = None;
        for pool in &mut cluster.pools {
            pool.count = u32::try_from(choice.of(3)).unwrap();
        }
        let pools = usize::try_from(choice.of(4)).unwrap();
        cluster.pools.truncate(pools);
        if choice.of(3) == 0 {
            cluster.status = ClusterStatus::DELETE_IN_PROGRESS;
        }
        let stored = self.left.store.cluster(cluster.id).await.unwrap();
        cluster.revision = revision(stored.map(|stored| stored.revision), choice);
        cluster
    }

    fn quota(&self, choice: &mut Choice) -> Quota {
        quota(&self.left.project, u32::try_from(choice.of(4)).unwrap())
    }

    fn lease_of(&self, choice: &mut Choice) -> Option<(Lease, Lease)> {
        let count = u64::try_from(self.leases.len()).unwrap();
        let chosen = choice.of(count.max(1));
        self.leases.get(usize::try_from(chosen).unwrap()).cloned()
    }

    fn condition(&self, choice: &mut Choice) -> Condition {
        let project = self.left.project.clone();
        match choice.of(6) {
            0 => Condition::TemplateUnused(self.template_id(choice)),
            1 => {
                let revision = Revision(choice.of(4).cast_signed());
                Condition::Template(self.template_id(choice), revision)
            }
            2 => Condition::Idle(self.cluster_id(choice)),
            3 => Condition::ClustersBelow {
                project,
                default_limit: u32::try_from(choice.of(4)).unwrap(),
            },
            4 => Condition::TemplateNameFree {
                project,
                name: format!("name {}", choice.of(2)),
            },
            _ => Condition::ClusterNameFree {
                project,
                name: format!("name {}", choice.of(2)),
            },
        }
    }

    async fn write(&self, choice: &mut Choice) -> Write {
        match choice.of(28) {
            0 => Write::InsertTemplate(Box::new(self.template(choice).await)),
            1 => Write::PutTemplate(Box::new(self.template(choice).await)),
            2 => Write::DeleteTemplate(self.template_id(choice), Revision(choice.of(3).cast_signed())),
            3..=5 => Write::InsertCluster(Box::new(self.cluster(choice).await)),
            6 | 7 => Write::PutCluster(Box::new(self.cluster(choice).await)),
            8 => Write::DeleteCluster(self.cluster_id(choice)),
            9 => Write::Due(self.cluster_id(choice), due(choice)),
            10 | 11 => {
                let mut operation = operation(self.cluster_id(choice));
                operation.id = OperationId(self.id(3, choice.of(3)));
                operation.state =
                    [OperationState::Active, OperationState::Done][usize::from(choice.of(2) == 0)];
                Write::PutOperation(Box::new(operation))
            }
            12 => {
                let sequence = u32::try_from(choice.of(3)).unwrap();
                let mut entry = ledger_entry(self.cluster_id(choice), sequence);
                entry.id = LedgerId(self.id(4, choice.of(3)));
                Write::PutLedger(Box::new(entry))
            }
            13 => Write::DeleteLedger(LedgerId(self.id(4, choice.of(3)))),
            14 => Write::PutIdempotent(Box::new(Idempotent {
                project: self.left.project.clone(),
                key: format!("key {}", choice.of(2)),
                request: "hash".to_owned(),
                cluster_id: self.cluster_id(choice),
            })),
            15 => {
                let mut pair = key_pair(&self.left.project);
                pair.id = self.id(5, choice.of(2));
                Write::PutKeyPair(Box::new(pair))
            }
            16 => Write::DeleteKeyPair(self.id(5, choice.of(2))),
            17 => Write::InsertQuota(self.quota(choice)),
            18 => Write::PutQuota(self.quota(choice)),
            19 => Write::DeleteQuota(self.left.project.clone(), QuotaResource::Cluster),
            20 | 21 => {
                let mut registry = registry(self.cluster_id(choice));
                let stored = self.left.store.discovery(registry.cluster_id).await.unwrap();
                registry.revision = revision(stored.map(|stored| stored.revision), choice);
                put_registry(&registry)
            }
            22..=24 => {
                let note = note(self.cluster_id(choice), &choice.of(2).to_string(), choice.of(3));
                Write::PutCertificateNote(Box::new(note))
            }
            26 => Write::ResealKeyPair(self.id(5, choice.of(2)), Sealed(format!("anew {}", choice.of(2)))),
            25 => {
                let about = note(self.cluster_id(choice), &choice.of(2).to_string(), 0).about();
                Write::DeleteCertificateNote(self.cluster_id(choice), about)
            }
            _ => {
                let mut event = event(&self.cluster(choice).await);
                event.id = EventId(self.id(6, choice.of(4)));
                Write::PutEvent(Box::new(event))
            }
        }
    }

    async fn commit(&mut self, choice: &mut Choice, place: usize) {
        let mut commit = match choice.of(4) {
            0 => require(self.condition(choice)),
            _ => Commit::new(),
        };
        for _ in 0..=choice.of(3) {
            commit = commit.write(self.write(choice).await);
        }
        let (mut left, mut right) = (commit.clone(), commit.clone());
        if choice.of(3) == 0
            && let Some((ours, theirs)) = self.lease_of(choice)
        {
            left = left.require(Condition::Lease(ours));
            right = right.require(Condition::Lease(theirs));
        }
        let results = (self.left.store.commit(left).await, self.right.commit(right).await);
        assert_eq!(
            kind(&results.0),
            kind(&results.1),
            "step {place}: {results:?} of {commit:?}"
        );
    }

    async fn claim(&mut self, choice: &mut Choice, place: usize) {
        let claim = self.whole(choice);
        let mut left = self.left.store.claim(claim.clone()).await.unwrap();
        let mut right = self.right.claim(claim).await.unwrap();
        // Clusters that were made at once are due in the same millisecond or not, as it happens.
        for leases in [&mut left, &mut right] {
            leases.sort_by_key(|lease| lease.cluster_id);
        }
        let names = |leases: &[Lease]| -> Vec<_> {
            leases
                .iter()
                .map(|lease| (lease.cluster_id, lease.epoch))
                .collect()
        };
        assert_eq!(names(&left), names(&right), "step {place}: a claim");
        self.leases.extend(left.into_iter().zip(right));
    }

    /// A claim of all that one of two workers can do, for long, or so short that it is over at once.
    fn whole(&self, choice: &mut Choice) -> Claim {
        let length = [LONG, std::time::Duration::ZERO][usize::from(choice.of(3) == 0)];
        self.left.claim(&format!("owner {}", choice.of(2)), length)
    }

    async fn lease(&mut self, choice: &mut Choice, place: usize) {
        let Some((ours, theirs)) = self.lease_of(choice) else {
            return;
        };
        let results = if choice.of(3) == 0 {
            let length = [LONG, LONG * 2][usize::from(choice.of(2) == 0)];
            let left = self.left.store.renew(&ours, length).await.map(|_| ());
            (left, self.right.renew(&theirs, length).await.map(|_| ()))
        } else {
            let due = (choice.of(3) > 0).then(|| due(choice));
            let left = self.left.store.release(&ours, due).await;
            (left, self.right.release(&theirs, due).await)
        };
        assert_eq!(
            kind(&results.0),
            kind(&results.1),
            "step {place}: {results:?} of {ours:?}"
        );
    }

    async fn acknowledge(&mut self, choice: &mut Choice) {
        let events = [
            EventId(self.id(6, choice.of(4))),
            EventId(self.id(6, choice.of(4))),
        ];
        self.left.store.acknowledge(events.to_vec()).await.unwrap();
        self.right.acknowledge(events.to_vec()).await.unwrap();
    }

    async fn compare(&self, choice: &mut Choice, place: usize) {
        let (left, right, project) = (&self.left.store, &self.right, &self.left.project);
        let query = || Query {
            limit: 3,
            ..Query::project(project)
        };
        macro_rules! same {
            ($($call:tt)*) => {
                assert_eq!(
                    left.$($call)*.await.unwrap(),
                    right.$($call)*.await.unwrap(),
                    "step {place}: {}",
                    stringify!($($call)*)
                )
            };
        }
        same!(templates(query()));
        same!(clusters(query()));
        for _ in 0..4 {
            let asked = self.query(choice);
            let clusters = (
                left.clusters(asked.clone()).await,
                right.clusters(asked.clone()).await,
            );
            assert_eq!(
                answer(clusters.0),
                answer(clusters.1),
                "step {place}: clusters, {asked:?}"
            );
            let templates = (
                left.templates(asked.clone()).await,
                right.templates(asked.clone()).await,
            );
            assert_eq!(
                answer(templates.0),
                answer(templates.1),
                "step {place}: templates, {asked:?}"
            );
        }
        same!(quota(project, QuotaResource::Cluster));
        same!(stats(Some(project)));
        same!(key_pairs(project));
        for choice in 0..4 {
            let cluster = ClusterId(self.id(1, choice));
            same!(cluster(cluster));
            same!(active_operation(cluster));
            same!(ledger(cluster));
            same!(discovery(cluster));
            same!(certificate_notes(cluster, ""));
            same!(certificate_notes(cluster, "taken/worker/1"));
            same!(operation(OperationId(self.id(3, choice))));
        }
        for key in ["key 0", "key 1"] {
            same!(idempotent(project, key));
        }
        let ours = |events: Vec<crate::model::Event>| -> Vec<_> {
            events
                .into_iter()
                .filter(|event| event.project_id == *project)
                .collect()
        };
        let pending = (
            left.pending_events(u32::MAX).await,
            right.pending_events(u32::MAX).await,
        );
        assert_eq!(
            ours(pending.0.unwrap()),
            ours(pending.1.unwrap()),
            "step {place}: events"
        );
        let claim = self.left.claim("anyone", LONG);
        let due = (
            left.next_due(&claim).await.unwrap(),
            right.next_due(&claim).await.unwrap(),
        );
        let close = match due {
            (Some(left), Some(right)) => left.duration_since(right).abs() < SignedDuration::from_mins(5),
            (left, right) => left == right,
        };
        assert!(close, "step {place}: next due at {due:?}");
    }
}

/// Long over, or not for long.
fn due(choice: &mut Choice) -> Timestamp {
    let second = [1, 2_400_000_000, 2_500_000_000][usize::try_from(choice.of(3)).unwrap()];
    instant(second)
}

/// The one that is needed, mostly.
fn revision(stored: Option<Revision>, choice: &mut Choice) -> Revision {
    match choice.of(5) {
        0 => Revision(choice.of(4).cast_signed()),
        _ => stored.map_or(Revision(1), Revision::next),
    }
}

fn kind(result: &Result<()>) -> Option<ErrorKind> {
    result.as_ref().err().map(crate::Error::kind)
}

/// What was found, or why nothing was.
fn answer<T>(result: Result<Vec<T>>) -> Result<Vec<T>, ErrorKind> {
    result.map_err(|error| error.kind())
}
