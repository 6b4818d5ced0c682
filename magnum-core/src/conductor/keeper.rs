//! A cluster's stacks, kept in the ledger: intend, act, record.

mod cluster_made;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;

use super::fence::Fence;
use super::owner;
use crate::model::{
    Action, Cluster, LedgerEntry, LedgerId, Owned, Phase, UserToken, VolumePolicy, tagged_generation,
};
use crate::ports::{
    Adoptable, Auth, Commit, LoadBalancer, NetworkPort, Orchestrator, Parameters, Stack, StackCreate,
    StackDefinition, StackKeeper, StackRef, StackResource, StackUpdate, TrustMode, Volume, Write,
};
use crate::service::Inner;
use crate::{Error, ErrorKind, Result, Retry};

/// How deep nested stacks are looked into; the drivers' templates nest three levels at most.
const NESTED_DEPTH: u32 = 5;

/// What a driver reaches through [`crate::StackHandle`].
#[derive(Debug)]
pub(crate) struct Keeper {
    inner: Arc<Inner>,
    cluster: Arc<Cluster>,
    ledger: Mutex<Vec<LedgerEntry>>,
    writing: Option<Writing>,
    /// What the cluster's identity was not allowed to look for.
    unseen: Mutex<Option<String>>,
}

/// What a keeper needs to change things.
#[derive(Clone, Debug)]
pub(super) struct Writing {
    pub(super) fence: Arc<Fence>,
    /// The caller's token, while a create is under way.
    pub(super) token: Option<UserToken>,
    /// How long the orchestrator may take.
    pub(super) timeout: Duration,
    /// What becomes of the volumes that are adopted.
    pub(super) volumes: VolumePolicy,
}

impl Keeper {
    /// A keeper that can only read.
    pub(crate) async fn reading(inner: Arc<Inner>, cluster: Arc<Cluster>) -> Result<Self> {
        let ledger = inner.store.ledger(cluster.id).await?;
        Ok(Self::of(inner, cluster, ledger))
    }

    /// A keeper that can only read, for a cluster that has this ledger.
    pub(crate) fn of(inner: Arc<Inner>, cluster: Arc<Cluster>, ledger: Vec<LedgerEntry>) -> Self {
        Self {
            inner,
            cluster,
            ledger: Mutex::new(ledger),
            writing: None,
            unseen: Mutex::default(),
        }
    }

    /// A keeper for the owner of the cluster's lease.
    pub(super) fn writing(
        inner: Arc<Inner>,
        cluster: Arc<Cluster>,
        ledger: Vec<LedgerEntry>,
        writing: Writing,
    ) -> Self {
        Self {
            inner,
            cluster,
            ledger: Mutex::new(ledger),
            writing: Some(writing),
            unseen: Mutex::default(),
        }
    }

    fn orchestrator(&self) -> Result<&Arc<dyn Orchestrator>> {
        Ok(&self.inner.cloud(&self.cluster.cloud)?.orchestrator)
    }

    fn writer(&self) -> Result<&Writing> {
        self.writing
            .as_ref()
            .ok_or_else(|| Error::internal("this context can only read"))
    }

    fn identity(&self) -> Result<Auth> {
        let ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner).clone();
        owner::required(&self.inner, &self.cluster, &ledger)
    }

    fn entry(&self, role: &str) -> Option<LedgerEntry> {
        let ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        let of_role =
            |entry: &&LedgerEntry| matches!(&entry.owned, Owned::Stack { role: r, .. } if r == role);
        ledger.iter().find(of_role).cloned()
    }

    async fn record(&self, entry: LedgerEntry) -> Result<()> {
        let lease = self.writer()?.fence.lease();
        self.inner
            .store
            .commit(Commit::under(&lease).write(Write::PutLedger(Box::new(entry.clone()))))
            .await?;
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        match ledger.iter_mut().find(|known| known.id == entry.id) {
            Some(known) => *known = entry,
            None => ledger.push(entry),
        }
        Ok(())
    }

    /// Whether a stack of our name is ours: its tag holds our UUID.
    fn recognise(&self, stack: &Stack) -> Result<StackRef> {
        if tagged_generation(&stack.tags, self.cluster.id).is_some() {
            return Ok(stack.stack.clone());
        }
        let message = format!(
            "a stack named {} exists that is not this cluster's",
            stack.stack.name
        );
        Err(Error::new(ErrorKind::Conflict, message).with_resource(stack.stack.name.clone()))
    }

    async fn find(&self, name: &str) -> Result<Option<Stack>> {
        let orchestrator = self.orchestrator()?;
        let identity = self.identity()?;
        owner::under(
            &self.inner,
            &identity,
            "stack.find",
            orchestrator.find(&identity, name),
        )
        .await
    }

    async fn fetch(&self, stack: &StackRef) -> Result<Option<Stack>> {
        let orchestrator = self.orchestrator()?;
        let identity = self.identity()?;
        owner::under(
            &self.inner,
            &identity,
            "stack.get",
            orchestrator.get(&identity, stack),
        )
        .await
    }

    /// A stack that is recorded, or intended and there after all.
    async fn known(&self, role: &str) -> Result<Option<StackRef>> {
        let Some(mut entry) = self.entry(role) else {
            return Ok(None);
        };
        let Owned::Stack { name, stack, .. } = &mut entry.owned else {
            return Ok(None);
        };
        if let Some(stack) = stack {
            return Ok(Some(stack.clone()));
        }
        let Some(found) = self.find(name).await? else {
            return Ok(None);
        };
        let Ok(found) = self.recognise(&found) else {
            // Somebody else's stack has the name: ours was never made, and theirs is not touched.
            return Ok(None);
        };
        *stack = Some(found.clone());
        if self.writing.is_some() {
            self.record(entry).await?;
        }
        Ok(Some(found))
    }

    async fn intend(&self, role: &str, definition: &StackDefinition) -> Result<LedgerEntry> {
        let text = serde_json::to_string(&definition.template).map_err(|e| Error::internal(e.to_string()))?;
        let hash = Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes()).to_string();
        let sequence =
            super::work::next_sequence(&self.ledger.lock().unwrap_or_else(PoisonError::into_inner));
        let entry = LedgerEntry {
            id: LedgerId(self.inner.ids.uuid()),
            cluster_id: self.cluster.id,
            sequence,
            owned: Owned::Stack {
                role: role.to_owned(),
                name: stack_name(&self.cluster, role),
                template: hash.clone(),
                stack: None,
                asked_at: Some(self.inner.clock.now()),
            },
        };
        let lease = self.writer()?.fence.lease();
        let commit = Commit::under(&lease)
            .write(Write::PutBlob { hash, text })
            .write(Write::PutLedger(Box::new(entry.clone())));
        self.inner.store.commit(commit).await?;
        self.ledger
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(entry.clone());
        Ok(entry)
    }
}

#[async_trait]
impl StackKeeper for Keeper {
    async fn ensure(&self, role: &str, definition: StackDefinition) -> Result<StackRef> {
        if let Some(known) = self.known(role).await? {
            return Ok(known);
        }
        let writer = self.writer()?.clone();
        let auth = match (&self.inner.cloud(&self.cluster.cloud)?.trust, writer.token) {
            (TrustMode::None, _) => Auth::Service,
            (TrustMode::Trust(_), Some(token)) => Auth::Token(token),
            (TrustMode::Trust(_), None) => {
                let message = "the caller's token has expired or is gone, and only it can make the stack";
                return Err(Error::new(ErrorKind::Unauthorized, message));
            }
        };
        let mut entry = match self.entry(role) {
            Some(mut entry) => {
                if let Owned::Stack { asked_at, .. } = &mut entry.owned {
                    *asked_at = Some(self.inner.clock.now());
                }
                self.record(entry.clone()).await?;
                entry
            }
            None => self.intend(role, &definition).await?,
        };
        let Owned::Stack {
            name,
            stack,
            asked_at,
            ..
        } = &mut entry.owned
        else {
            return Err(Error::internal("the ledger entry is no stack"));
        };
        let create = StackCreate {
            name: name.clone(),
            template: definition.template,
            parameters: definition.parameters,
            timeout: writer.timeout,
            tags: vec![self.cluster.stack_tag()],
        };
        let call = self.orchestrator()?.create(&auth, create);
        let made = match writer.fence.write("stack.create", call).await {
            Err(error) if error.kind() == ErrorKind::Conflict => match self.find(name).await? {
                Some(found) => self.recognise(&found)?,
                None => return Err(error.with_retry(Retry::Later)),
            },
            Err(error) => {
                if error.retry() != Retry::Unknown {
                    // It was surely not made, so nobody need wait for it.
                    *asked_at = None;
                    self.record(entry).await?;
                }
                return Err(error);
            }
            Ok(made) => made,
        };
        *stack = Some(made.clone());
        *asked_at = None;
        self.record(entry).await?;
        Ok(made)
    }

    async fn change(&self, role: &str, parameters: Parameters) -> Result<()> {
        let gone = || Error::new(ErrorKind::NotFound, "the cluster's stack is gone");
        let stack = self.known(role).await?.ok_or_else(gone)?;
        let seen = self.fetch(&stack).await?.ok_or_else(gone)?;
        let arrived = tagged_generation(&seen.tags, self.cluster.id) == Some(self.cluster.generation);
        if arrived && seen.action == Some(Action::Update) && seen.phase != Phase::Failed {
            return Ok(());
        }
        if seen.phase == Phase::InProgress {
            let message = format!("the stack is busy: {}", seen.reason);
            return Err(Error::new(ErrorKind::Busy, message));
        }
        let writer = self.writer()?;
        let change = StackUpdate {
            parameters,
            timeout: writer.timeout,
            tags: vec![self.cluster.stack_tag()],
        };
        let orchestrator = self.orchestrator()?;
        let identity = self.identity()?;
        let call = owner::under(
            &self.inner,
            &identity,
            "stack.update",
            orchestrator.update(&identity, &stack, change),
        );
        match writer.fence.write("stack.update", call).await {
            // Somebody changes the stack in Heat right now: it will have ended some time.
            Err(error) if error.kind() == ErrorKind::Conflict => Err(error.with_retry(Retry::Later)),
            other => other,
        }
    }

    async fn remove(&self, role: &str) -> Result<()> {
        let Some(stack) = self.known(role).await? else {
            return Ok(());
        };
        let Some(seen) = self.fetch(&stack).await? else {
            return Ok(());
        };
        if seen.action == Some(Action::Delete) && seen.phase == Phase::InProgress {
            return Ok(());
        }
        let orchestrator = self.orchestrator()?;
        let identity = self.identity()?;
        let call = owner::under(
            &self.inner,
            &identity,
            "stack.delete",
            orchestrator.delete(&identity, &stack),
        );
        match self.writer()?.fence.write("stack.delete", call).await {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) if error.kind() == ErrorKind::Conflict => Err(error.with_retry(Retry::Later)),
            other => other,
        }
    }

    async fn get(&self, role: &str) -> Result<Option<Stack>> {
        match self.known(role).await? {
            Some(stack) => self.fetch(&stack).await,
            None => Ok(None),
        }
    }

    async fn resources(&self, role: &str) -> Result<Vec<StackResource>> {
        let Some(stack) = self.known(role).await? else {
            return Ok(Vec::new());
        };
        let orchestrator = self.orchestrator()?;
        let identity = self.identity()?;
        let call = orchestrator.resources(&identity, &stack, NESTED_DEPTH);
        match owner::under(&self.inner, &identity, "stack.resources", call).await {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            other => other,
        }
    }

    async fn resource(&self, listed: &StackResource) -> Result<Option<StackResource>> {
        let orchestrator = self.orchestrator()?;
        let identity = self.identity()?;
        owner::under(
            &self.inner,
            &identity,
            "stack.resource",
            orchestrator.resource(&identity, &listed.stack, &listed.name),
        )
        .await
    }

    async fn load_balancers(&self, vip_subnets: &[String]) -> Result<Vec<LoadBalancer>> {
        self.visible_load_balancers(vip_subnets).await
    }

    async fn members(&self, load_balancer: &str) -> Result<Vec<String>> {
        self.visible_members(load_balancer).await
    }

    async fn volumes(&self) -> Result<Vec<Volume>> {
        self.visible_volumes().await
    }

    async fn adopt(&self, thing: Adoptable) -> Result<()> {
        self.adopt_thing(thing).await
    }

    async fn ports(&self, networks: &[String], subnets: &[String]) -> Result<Vec<NetworkPort>> {
        self.visible_ports(networks, subnets).await
    }

    async fn server_name(&self, id: &str) -> Result<Option<String>> {
        self.visible_server_name(id).await
    }
}

/// A stack's name: what a person recognises, then what makes it unique and ours.
fn stack_name(cluster: &Cluster, role: &str) -> String {
    let readable = cluster.readable_name();
    let unique = cluster.id.0.simple();
    match role {
        "main" => format!("{readable}-{unique}"),
        other => format!("{readable}-{other}-{unique}"),
    }
}
