//! Rows to try a store with.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use crate::model::{
    CertificateNote, Cluster, ClusterId, ClusterStatus, ClusterTemplate, DiscoveryMember, DiscoveryRegistry,
    DriverRef, Event, EventId, FailureCode, Fault, Health, Labels, LedgerEntry, LedgerId, NodeCredential,
    Noted, OnCreateFailure, Operation, OperationId, OperationKind, OperationState, Outcome, Owned, Pool,
    PoolRole, Progress, Revision, Rotation, RotationStage, SealedToken, Step, TemplateId, TemplateSpec,
};
use crate::ports::{CertRef, Claim, Commit, Condition, KeyPair, Lease, Sealed, Store, Write};
use crate::{ErrorKind, Result};

/// A lease that outlasts every rule.
pub(super) const LONG: Duration = Duration::from_secs(3600);
/// A lease to wait for the end of.
pub(super) const SHORT: Duration = Duration::from_millis(100);

/// A project and a cloud that only one rule uses.
#[derive(Debug)]
pub(super) struct Corner {
    pub(super) store: Arc<dyn Store>,
    pub(super) project: String,
    pub(super) cloud: String,
}

impl Corner {
    pub(super) fn of(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            project: format!("project-{}", Uuid::new_v4()),
            cloud: format!("cloud-{}", Uuid::new_v4()),
        }
    }

    pub(super) fn template(&self) -> ClusterTemplate {
        let name = "small".to_owned();
        ClusterTemplate {
            id: TemplateId(Uuid::new_v4()),
            name: name.clone(),
            project_id: self.project.clone(),
            user_id: "alice".to_owned(),
            cluster_distro: "ubuntu".to_owned(),
            spec: TemplateSpec::new("docker", "image", "public").with_name(name),
            created_at: instant(1),
            updated_at: None,
            revision: Revision(1),
        }
    }

    /// A cluster of no template that exists, being made.
    pub(super) fn cluster(&self) -> Cluster {
        let pool = |name: &str, role| Pool {
            name: name.to_owned(),
            role,
            count: 1,
            flavor_id: "m1.small".to_owned(),
            addresses: vec!["10.0.0.4".to_owned(), "2001:db8::4".to_owned()],
        };
        let reference = CertRef {
            backend: "x509keypair".to_owned(),
            reference: Uuid::new_v4().to_string(),
        };
        Cluster {
            id: ClusterId(Uuid::new_v4()),
            name: "mycluster".to_owned(),
            cloud: self.cloud.clone(),
            project_id: self.project.clone(),
            user_id: "alice".to_owned(),
            cluster_template_id: TemplateId(Uuid::new_v4()),
            template: TemplateSpec::new("docker", "image", "public").with_label("key", "value"),
            cluster_distro: "ubuntu".to_owned(),
            driver: DriverRef {
                name: "docker_ubuntu".to_owned(),
                version: "1".to_owned(),
            },
            keypair: Some("testkey".to_owned()),
            create_timeout: 60,
            discovery_url: None,
            discovery_made: false,
            template_labels: Labels::new(),
            on_create_failure: OnCreateFailure::Keep,
            health: Health::default(),
            pools: vec![pool("master", PoolRole::Master), pool("worker", PoolRole::Worker)],
            status: ClusterStatus::CREATE_IN_PROGRESS,
            status_reason: None,
            fault: Some(Fault::new(FailureCode::Quota, "Quota exceeded")),
            progress: Progress { done: 1, total: 2 },
            stack_id: Some("stack".to_owned()),
            api_address: None,
            coe_version: None,
            container_version: None,
            ca_cert: Some(reference.clone()),
            authorities: std::collections::BTreeMap::new(),
            magnum_cert: None,
            certificates_version: 3,
            rotation: Some(Rotation {
                number: 2,
                stage: RotationStage::Announced,
                others: [("ca".to_owned(), reference.clone())].into(),
                failed: Some(OperationKind::RotateAuthorities { finish: false }),
            }),
            node_credentials: vec![NodeCredential {
                role: PoolRole::Master,
                sealed: Sealed("sealed too".to_owned()),
            }],
            generation: 1,
            created_at: instant(2),
            updated_at: None,
            revision: Revision(1),
        }
    }

    /// Makes a cluster, due at once.
    pub(super) async fn make_cluster(&self) -> Cluster {
        let cluster = self.cluster();
        self.insert(&cluster).await;
        cluster
    }

    pub(super) async fn insert(&self, cluster: &Cluster) {
        let write = Write::InsertCluster(Box::new(cluster.clone()));
        self.commit(Commit::new().write(write))
            .await
            .expect("a new cluster is inserted");
    }

    pub(super) async fn commit(&self, commit: Commit) -> Result<()> {
        self.store.commit(commit).await
    }

    pub(super) fn claim(&self, owner: &str, duration: Duration) -> Claim {
        Claim {
            owner: owner.to_owned(),
            clouds: vec!["elsewhere".to_owned(), self.cloud.clone()],
            drivers: vec!["docker_ubuntu".to_owned(), "other".to_owned()],
            limit: 100,
            duration,
        }
    }

    pub(super) async fn leases(&self, owner: &str, duration: Duration) -> Vec<Lease> {
        let claim = self.claim(owner, duration);
        self.store.claim(claim).await.expect("a claim is answered")
    }

    /// Claims the one cluster that is due.
    pub(super) async fn lease(&self, owner: &str, duration: Duration) -> Lease {
        let mut leases = self.leases(owner, duration).await;
        assert_eq!(leases.len(), 1, "one cluster is due: {leases:?}");
        leases.remove(0)
    }

    /// The time now, by the store's clock: that at which a cluster that was just made is due.
    pub(super) async fn now(&self) -> Timestamp {
        let elsewhere = Self::of(Arc::clone(&self.store));
        elsewhere.make_cluster().await;
        let due = self.store.next_due(&elsewhere.claim("clock", LONG)).await;
        due.expect("next_due is answered").expect("a new cluster is due")
    }
}

/// A time long ago.
pub(super) fn instant(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).expect("within range")
}

pub(super) fn changed(cluster: &Cluster) -> Cluster {
    let mut cluster = cluster.clone();
    cluster.revision = cluster.revision.next();
    cluster
}

pub(super) fn put(cluster: &Cluster) -> Write {
    Write::PutCluster(Box::new(cluster.clone()))
}

pub(super) fn operation(cluster: ClusterId) -> Operation {
    Operation {
        id: OperationId(Uuid::new_v4()),
        cluster_id: cluster,
        kind: OperationKind::Create,
        state: OperationState::Active,
        step: Step::Trust,
        deadline: instant(9),
        attempt: 0,
        rounds: 0,
        not_before: instant(3),
        generation: 1,
        user_id: "alice".to_owned(),
        token: Some(SealedToken {
            sealed: Sealed("sealed token".to_owned()),
            expires_at: instant(8),
        }),
        fault: None,
        unseen: None,
        created_at: instant(3),
        ended_at: None,
    }
}

pub(super) fn ledger_entry(cluster: ClusterId, sequence: u32) -> LedgerEntry {
    LedgerEntry {
        id: LedgerId(Uuid::new_v4()),
        cluster_id: cluster,
        sequence,
        owned: Owned::Trust {
            trustee_id: "trustee".to_owned(),
            id: None,
            former: None,
        },
    }
}

pub(super) fn registry(cluster: ClusterId) -> DiscoveryRegistry {
    DiscoveryRegistry {
        cluster_id: cluster,
        token: "token".to_owned(),
        size: 3,
        members: vec![DiscoveryMember {
            id: "1".to_owned(),
            value: "one=http://10.0.0.4:2380".to_owned(),
        }],
        revision: Revision(1),
    }
}

pub(super) fn put_registry(registry: &DiscoveryRegistry) -> Write {
    Write::PutDiscovery(Box::new(registry.clone()))
}

pub(super) fn event(cluster: &Cluster) -> Event {
    Event {
        id: EventId(Uuid::new_v4()),
        cluster_id: cluster.id,
        cluster_name: cluster.name.clone(),
        project_id: cluster.project_id.clone(),
        user_id: cluster.user_id.clone(),
        operation: "create".to_owned(),
        outcome: Outcome::Pending,
        status: cluster.status,
        reason: None,
        at: instant(4),
    }
}

/// What a node of a cluster says: two of them differ by the member.
pub(super) fn note(cluster: ClusterId, member: &str, version: u64) -> CertificateNote {
    CertificateNote {
        cluster_id: cluster,
        noted: Noted::Taken {
            role: PoolRole::Worker,
            member: member.to_owned(),
            version,
            at: instant(0),
        },
    }
}

pub(super) fn key_pair(name: &str) -> KeyPair {
    KeyPair {
        id: Uuid::new_v4(),
        name: name.to_owned(),
        certificate: "certificate".to_owned(),
        private_key: Sealed("sealed key".to_owned()),
        intermediates: None,
    }
}

/// A commit that must be refused with this kind.
#[track_caller]
pub(super) fn refused(result: Result<()>, kind: ErrorKind, what: &str) {
    match result {
        Ok(()) => panic!("{what} must be {kind}, but was accepted"),
        Err(error) => assert_eq!(error.kind(), kind, "{what}: {error:?}"),
    }
}

pub(super) fn require(condition: Condition) -> Commit {
    Commit::new().require(condition)
}

/// Makes clusters on a cloud, due at once, and returns their ids: for tests of claims by several processes.
///
/// # Panics
/// When the store refuses them.
pub async fn some_clusters(store: &Arc<dyn Store>, cloud: &str, count: usize) -> Vec<ClusterId> {
    let mut corner = Corner::of(Arc::clone(store));
    cloud.clone_into(&mut corner.cloud);
    let mut commit = Commit::new();
    let mut ids = Vec::new();
    for _ in 0..count {
        let cluster = corner.cluster();
        ids.push(cluster.id);
        commit = commit.write(Write::InsertCluster(Box::new(cluster)));
    }
    corner.commit(commit).await.expect("new clusters are inserted");
    ids
}
