//! Interruptions: every call of the conductor through a port can be made to fail, to lose its answer, or to be
//! the last thing that its process does.

use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use magnum::*;
use tokio::sync::Notify;
use uuid::Uuid;

/// What happens to the call that is struck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It fails and has had no effect.
    NotDone,
    /// It has its effect, and its answer is lost.
    AnswerLost,
    /// The process dies just before it.
    CrashBefore,
    /// The process dies just after it.
    CrashAfter,
}

impl Outcome {
    pub const ALL: [Self; 4] = [
        Self::NotDone,
        Self::AnswerLost,
        Self::CrashBefore,
        Self::CrashAfter,
    ];
}

/// Counts calls while it is armed, and strikes one.
#[derive(Debug, Default)]
pub struct Interrupter {
    armed: AtomicBool,
    count: AtomicU64,
    plan: Mutex<Option<(u64, Outcome)>>,
    calls: Mutex<Vec<String>>,
    changes_only: AtomicBool,
    pub crashed: Notify,
}

impl Interrupter {
    pub fn arm(&self, plan: Option<(u64, Outcome)>) {
        self.count.store(0, Ordering::SeqCst);
        self.calls.lock().unwrap().clear();
        *self.plan.lock().unwrap() = plan;
        self.armed.store(true, Ordering::SeqCst);
    }

    /// As `arm`, but calls that only read do not count and are never struck.
    pub fn arm_changes(&self, plan: Option<(u64, Outcome)>) {
        self.changes_only.store(true, Ordering::SeqCst);
        self.arm(plan);
    }

    pub fn disarm(&self) {
        self.armed.store(false, Ordering::SeqCst);
    }

    /// The calls since it was armed.
    pub fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }

    async fn around<T, E>(
        &self,
        name: impl Into<String>,
        lost: impl Fn(bool) -> E,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let name = name.into();
        let read_only = self.changes_only.load(Ordering::SeqCst) && !changes(&name);
        if !self.armed.load(Ordering::SeqCst) || read_only {
            return call.await;
        }
        // Gives a place to be dropped at before and after each call.
        tokio::task::yield_now().await;
        let index = self.count.fetch_add(1, Ordering::SeqCst);
        self.calls.lock().unwrap().push(name);
        let struck = *self.plan.lock().unwrap();
        let answer = match struck {
            Some((at, outcome)) if at == index => match outcome {
                Outcome::NotDone => Err(lost(false)),
                Outcome::AnswerLost => {
                    let _ = call.await;
                    Err(lost(true))
                }
                Outcome::CrashBefore => self.die().await,
                Outcome::CrashAfter => {
                    let _ = call.await;
                    self.die().await
                }
            },
            _ => call.await,
        };
        tokio::task::yield_now().await;
        answer
    }

    async fn die<T>(&self) -> T {
        self.crashed.notify_one();
        std::future::pending().await
    }
}

/// Whether a call changes something that outlives the process. Logins and leases are made anew anyway.
fn changes(name: &str) -> bool {
    let write = ["POST ", "PATCH ", "PUT ", "DELETE "]
        .iter()
        .any(|method| name.starts_with(method));
    (write && !name.ends_with("/auth/tokens")) || (name.starts_with("store.commit") && name != PROGRESS)
}

/// Changes of a create: trustee, trust, two certificates, stack (each intended, made, recorded), the steps between
/// them, and the end. How far the cloud is, is recorded as well, but how often is a matter of timing: not counted.
pub const CREATE_CHANGES: u64 = 18;
/// Changes of a delete: the steps, the stack, its row, two certificates with their rows, trust, trustee, and the end.
pub const DELETE_CHANGES: u64 = 13;

/// A commit that shows only how far the cloud is; how often that happens is a matter of timing.
const PROGRESS: &str = "store.commit progress";

fn commit_name(commit: &Commit) -> String {
    let mut parts = Vec::new();
    for write in &commit.writes {
        match write {
            Write::PutOperation(operation)
                if operation.state == OperationState::Active
                    && operation.step == Step::Observe
                    && commit.conditions.iter().any(|c| matches!(c, Condition::Lease(_))) =>
            {
                parts.push("observe".to_owned());
            }
            Write::PutOperation(operation) => {
                parts.push(format!("operation {:?} {}", operation.state, operation.step));
            }
            Write::PutLedger(entry) => {
                let known = if entry.owned.exists() {
                    "exists"
                } else {
                    "intended"
                };
                parts.push(format!("ledger {known}: {}", entry.owned.describe()));
            }
            Write::DeleteLedger(_) => parts.push("ledger row gone".to_owned()),
            Write::PutKeyPair(_) => parts.push("key pair".to_owned()),
            Write::ResealKeyPair(..) => parts.push("key pair sealed anew".to_owned()),
            Write::DeleteKeyPair(_) => parts.push("key pair gone".to_owned()),
            Write::PutDiscovery(_) => parts.push("discovery".to_owned()),
            Write::PutCertificateNote(note) => parts.push(format!("note {}", note.about())),
            Write::DeleteCertificateNote(..) => parts.push("note gone".to_owned()),
            Write::DeleteCluster(_) => parts.push("cluster gone".to_owned()),
            _ => {}
        }
    }
    if parts == ["observe"] {
        return PROGRESS.to_owned();
    }
    format!("store.commit {}", parts.join(", "))
}

/// A transport whose calls can be struck.
#[derive(Debug)]
pub struct InterruptedTransport<T>(pub T, pub Arc<Interrupter>);

#[async_trait]
impl<T: HttpTransport> HttpTransport for InterruptedTransport<T> {
    async fn send(
        &self,
        request: http::Request<Bytes>,
        profile: &TlsProfile,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let name = format!("{} {}", request.method(), request.uri().path());
        let lost = |sent| TransportError {
            sent,
            message: "connection reset".into(),
        };
        self.1.around(name, lost, self.0.send(request, profile)).await
    }
}

/// A store whose calls can be struck. A method more in the trait does not compile until it is here, too.
#[derive(Debug)]
pub struct InterruptedStore(pub Arc<dyn Store>, pub Arc<Interrupter>);

macro_rules! struck {
    ($self:ident, $name:literal, $call:expr) => {{
        let lost = |_| {
            Error::new(
                ErrorKind::Unavailable,
                concat!("the store's answer to ", $name, " was lost"),
            )
        };
        $self.1.around(concat!("store.", $name), lost, $call).await
    }};
}

#[async_trait]
impl Store for InterruptedStore {
    async fn commit(&self, commit: Commit) -> Result<()> {
        let name = commit_name(&commit);
        let lost = |_| Error::new(ErrorKind::Unavailable, "the store's answer to commit was lost");
        self.1.around(name, lost, self.0.commit(commit)).await
    }
    async fn template(&self, id: TemplateId) -> Result<Option<ClusterTemplate>> {
        struck!(self, "template", self.0.template(id))
    }
    async fn templates(&self, query: Query) -> Result<Vec<ClusterTemplate>> {
        struck!(self, "templates", self.0.templates(query))
    }
    async fn cluster(&self, id: ClusterId) -> Result<Option<Cluster>> {
        struck!(self, "cluster", self.0.cluster(id))
    }
    async fn clusters(&self, query: Query) -> Result<Vec<Cluster>> {
        struck!(self, "clusters", self.0.clusters(query))
    }
    async fn active_operation(&self, cluster: ClusterId) -> Result<Option<Operation>> {
        struck!(self, "active_operation", self.0.active_operation(cluster))
    }
    async fn operation(&self, id: OperationId) -> Result<Option<Operation>> {
        struck!(self, "operation", self.0.operation(id))
    }
    async fn ledger(&self, cluster: ClusterId) -> Result<Vec<LedgerEntry>> {
        struck!(self, "ledger", self.0.ledger(cluster))
    }
    async fn idempotent(&self, project: &str, key: &str) -> Result<Option<Idempotent>> {
        struck!(self, "idempotent", self.0.idempotent(project, key))
    }
    async fn key_pair(&self, id: Uuid) -> Result<Option<KeyPair>> {
        struck!(self, "key_pair", self.0.key_pair(id))
    }
    async fn key_pairs(&self, name: &str) -> Result<Vec<KeyPair>> {
        struck!(self, "key_pairs", self.0.key_pairs(name))
    }
    async fn blob(&self, hash: &str) -> Result<Option<String>> {
        struck!(self, "blob", self.0.blob(hash))
    }
    async fn quota(&self, project: &str, resource: QuotaResource) -> Result<Option<Quota>> {
        struck!(self, "quota", self.0.quota(project, resource))
    }
    async fn quotas(&self, query: QuotaQuery) -> Result<Vec<Quota>> {
        struck!(self, "quotas", self.0.quotas(query))
    }
    async fn stats(&self, project: Option<&str>) -> Result<Stats> {
        struck!(self, "stats", self.0.stats(project))
    }

    async fn discovery(&self, cluster: ClusterId) -> Result<Option<DiscoveryRegistry>> {
        struck!(self, "discovery", self.0.discovery(cluster))
    }
    async fn certificate_notes(&self, cluster: ClusterId, about: &str) -> Result<Vec<CertificateNote>> {
        struck!(
            self,
            "certificate_notes",
            self.0.certificate_notes(cluster, about)
        )
    }
    async fn tombstone(&self, cluster: ClusterId) -> Result<Option<Tombstone>> {
        struck!(self, "tombstone", self.0.tombstone(cluster))
    }
    async fn claim(&self, claim: Claim) -> Result<Vec<Lease>> {
        struck!(self, "claim", self.0.claim(claim))
    }
    async fn renew(&self, lease: &Lease, duration: Duration) -> Result<Lease> {
        struck!(self, "renew", self.0.renew(lease, duration))
    }
    async fn release(&self, lease: &Lease, due: Option<jiff::Timestamp>) -> Result<()> {
        struck!(self, "release", self.0.release(lease, due))
    }
    async fn next_due(&self, claim: &Claim) -> Result<Option<jiff::Timestamp>> {
        struck!(self, "next_due", self.0.next_due(claim))
    }
    async fn pending_events(&self, limit: u32) -> Result<Vec<Event>> {
        struck!(self, "pending_events", self.0.pending_events(limit))
    }
    async fn acknowledge(&self, events: Vec<EventId>) -> Result<()> {
        struck!(self, "acknowledge", self.0.acknowledge(events))
    }
}

/// A notifier whose calls can be struck.
#[derive(Debug)]
pub struct InterruptedNotifier(pub Arc<dyn Notifier>, pub Arc<Interrupter>);

#[async_trait]
impl Notifier for InterruptedNotifier {
    async fn notify(&self, event: &Event) -> Result<()> {
        let lost = |_| Error::new(ErrorKind::Unavailable, "the notification's answer was lost");
        self.1.around("notify", lost, self.0.notify(event)).await
    }
}
