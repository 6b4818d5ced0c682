//! Writes of a commit, on the store in memory: all, or none.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::state::{Row, State};
use crate::model::{
    Cluster, ClusterTemplate, DiscoveryRegistry, LedgerEntry, LedgerId, Operation, OperationState,
};
use crate::ports::Write;
use crate::store::refusal;
use crate::{Error, Result};

/// Puts one row back as it was.
type Undo = Box<dyn FnOnce(&mut State)>;

impl State {
    /// Makes the writes in order. When one is refused, those before it are taken back.
    pub(super) fn write_all(&mut self, writes: Vec<Write>, now: Timestamp) -> Result<()> {
        let mut undo = Vec::new();
        for write in writes {
            if let Err(refused) = self.write(write, now, &mut undo) {
                for step in undo.into_iter().rev() {
                    step(self);
                }
                return Err(refused);
            }
        }
        Ok(())
    }

    fn write(&mut self, write: Write, now: Timestamp, undo: &mut Vec<Undo>) -> Result<()> {
        match write {
            Write::InsertTemplate(template) => {
                let taken = self.templates.contains_key(&template.id);
                refuse_if(taken, || refusal::exists("cluster template"))?;
                set(self, undo, |s| &mut s.templates, template.id, Some(*template));
            }
            Write::PutTemplate(template) => self.put_template(*template, undo)?,
            Write::DeleteTemplate(id, revision) => {
                let stored = self.templates.get(&id).map(|stored| stored.revision);
                refuse_if(stored != Some(revision), || {
                    refusal::stale("cluster template", id)
                })?;
                set(self, undo, |s| &mut s.templates, id, None);
            }
            Write::InsertCluster(cluster) => {
                let taken = self.clusters.contains_key(&cluster.id);
                refuse_if(taken, || refusal::exists("cluster"))?;
                let id = cluster.id;
                let row = Row {
                    cluster: *cluster,
                    due: Some(now),
                    lease: None,
                    epoch: 0,
                };
                set(self, undo, |s| &mut s.clusters, id, Some(row));
            }
            Write::PutCluster(cluster) => self.put_cluster(*cluster, undo)?,
            Write::DeleteCluster(id) => {
                set(self, undo, |s| &mut s.discoveries, id, None);
                for about in self.noted(id) {
                    set(self, undo, |s| &mut s.notes, (id, about), None);
                }
                set(self, undo, |s| &mut s.clusters, id, None);
            }
            Write::Due(id, due) => {
                if let Some(row) = self.clusters.get(&id) {
                    let row = Row {
                        due: Some(row.due.map_or(due, |before| before.min(due))),
                        ..row.clone()
                    };
                    set(self, undo, |s| &mut s.clusters, id, Some(row));
                }
            }
            Write::PutOperation(operation) => self.put_operation(*operation, undo)?,
            Write::PutLedger(entry) => self.put_ledger(*entry, undo),
            Write::DeleteLedger(id) => self.delete_ledger(id, undo),
            Write::PutIdempotent(row) => {
                let key = (row.project.clone(), row.key.clone());
                let taken = self.idempotent.contains_key(&key);
                refuse_if(taken, || refusal::exists("idempotency key"))?;
                set(self, undo, |s| &mut s.idempotent, key, Some(*row));
            }
            Write::PutKeyPair(pair) => {
                let taken = self.key_pairs.contains_key(&pair.id);
                refuse_if(taken, || refusal::exists("certificate"))?;
                set(self, undo, |s| &mut s.key_pairs, pair.id, Some(*pair));
            }
            Write::ResealKeyPair(id, private_key) => {
                if let Some(pair) = self.key_pairs.get(&id) {
                    let pair = crate::ports::KeyPair {
                        private_key,
                        ..pair.clone()
                    };
                    set(self, undo, |s| &mut s.key_pairs, id, Some(pair));
                }
            }
            Write::DeleteKeyPair(id) => set(self, undo, |s| &mut s.key_pairs, id, None),
            Write::PutBlob { hash, text } => {
                if !self.blobs.contains_key(&hash) {
                    set(self, undo, |s| &mut s.blobs, hash, Some(text));
                }
            }
            Write::InsertQuota(quota) => {
                let key = (quota.project_id.clone(), quota.resource);
                let taken = self.quotas.contains_key(&key);
                refuse_if(taken, || refusal::exists("quota"))?;
                set(self, undo, |s| &mut s.quotas, key, Some(quota));
            }
            Write::PutQuota(quota) => {
                let key = (quota.project_id.clone(), quota.resource);
                let absent = !self.quotas.contains_key(&key);
                refuse_if(absent, || refusal::no_quota(&quota.project_id))?;
                set(self, undo, |s| &mut s.quotas, key, Some(quota));
            }
            Write::DeleteQuota(project, resource) => {
                let key = (project, resource);
                let absent = !self.quotas.contains_key(&key);
                refuse_if(absent, || refusal::no_quota(&key.0))?;
                set(self, undo, |s| &mut s.quotas, key, None);
            }
            Write::PutDiscovery(registry) => self.put_discovery(*registry, undo)?,
            Write::PutCertificateNote(note) => {
                let id = note.cluster_id;
                let gone = !self.clusters.contains_key(&id);
                refuse_if(gone, || refusal::stale("cluster", id))?;
                set(self, undo, |s| &mut s.notes, (id, note.about()), Some(*note));
            }
            Write::DeleteCertificateNote(id, about) => set(self, undo, |s| &mut s.notes, (id, about), None),
            Write::PutEvent(event) => {
                let taken = self.events.iter().any(|pending| pending.id == event.id);
                refuse_if(taken, || refusal::exists("event"))?;
                self.events.push(*event);
                undo.push(Box::new(|state| {
                    state.events.pop();
                }));
            }
            Write::PutTombstone(tombstone) => {
                let id = tombstone.cluster_id;
                set(self, undo, |s| &mut s.tombstones, id, Some(*tombstone));
            }
        }
        Ok(())
    }

    fn put_template(&mut self, template: ClusterTemplate, undo: &mut Vec<Undo>) -> Result<()> {
        let stored = self
            .templates
            .get(&template.id)
            .map(|stored| stored.revision.next());
        refuse_if(stored != Some(template.revision), || {
            refusal::stale("cluster template", template.id)
        })?;
        set(self, undo, |s| &mut s.templates, template.id, Some(template));
        Ok(())
    }

    fn put_cluster(&mut self, cluster: Cluster, undo: &mut Vec<Undo>) -> Result<()> {
        let id = cluster.id;
        let stored = self.clusters.get(&id);
        let stored = stored.filter(|row| row.cluster.revision.next() == cluster.revision);
        let stored = stored.ok_or_else(|| refusal::stale("cluster", id))?;
        let row = Row {
            cluster,
            due: stored.due,
            lease: stored.lease.clone(),
            epoch: stored.epoch,
        };
        set(self, undo, |s| &mut s.clusters, id, Some(row));
        Ok(())
    }

    /// What is noted of a cluster's certificates, by what it is about.
    fn noted(&self, cluster: crate::model::ClusterId) -> Vec<String> {
        let from = self.notes.range((cluster, String::new())..);
        from.take_while(|((id, _), _)| *id == cluster)
            .map(|((_, about), _)| about.clone())
            .collect()
    }

    fn put_discovery(&mut self, registry: DiscoveryRegistry, undo: &mut Vec<Undo>) -> Result<()> {
        let id = registry.cluster_id;
        let stored = self.discoveries.get(&id).map(|stored| stored.revision);
        let fits = stored.unwrap_or_default().next() == registry.revision && self.clusters.contains_key(&id);
        refuse_if(!fits, || refusal::stale("the discovery registry of cluster", id))?;
        set(self, undo, |s| &mut s.discoveries, id, Some(registry));
        Ok(())
    }

    fn put_operation(&mut self, operation: Operation, undo: &mut Vec<Undo>) -> Result<()> {
        let (id, cluster) = (operation.id, operation.cluster_id);
        let active = self.active.get(&cluster).copied();
        let begins = operation.state == OperationState::Active;
        refuse_if(begins && active.is_some_and(|active| active != id), || {
            refusal::busy(cluster)
        })?;
        if let Some(before) = self.operations.get(&id).map(|before| before.cluster_id)
            && self.active.get(&before) == Some(&id)
        {
            set(self, undo, |s| &mut s.active, before, None);
        }
        if begins {
            set(self, undo, |s| &mut s.active, cluster, Some(id));
        }
        set(self, undo, |s| &mut s.operations, id, Some(operation));
        Ok(())
    }

    fn put_ledger(&mut self, entry: LedgerEntry, undo: &mut Vec<Undo>) {
        self.delete_ledger(entry.id, undo);
        let (id, cluster) = (entry.id, entry.cluster_id);
        set(self, undo, |s| &mut s.ledger, id, Some(entry));
        self.ledger_of.entry(cluster).or_default().insert(id);
        undo.push(Box::new(move |state| state.unlist(cluster, id)));
    }

    fn delete_ledger(&mut self, id: LedgerId, undo: &mut Vec<Undo>) {
        let Some(cluster) = self.ledger.get(&id).map(|entry| entry.cluster_id) else {
            return;
        };
        set(self, undo, |s| &mut s.ledger, id, None);
        self.unlist(cluster, id);
        undo.push(Box::new(move |state| {
            state.ledger_of.entry(cluster).or_default().insert(id);
        }));
    }

    /// Takes a ledger entry off its cluster's list.
    fn unlist(&mut self, cluster: crate::model::ClusterId, id: LedgerId) {
        if let Some(ids) = self.ledger_of.get_mut(&cluster) {
            ids.remove(&id);
            if ids.is_empty() {
                self.ledger_of.remove(&cluster);
            }
        }
    }
}

/// Sets or removes a row and notes how to put back what was there.
fn set<K, V>(
    state: &mut State,
    undo: &mut Vec<Undo>,
    table: fn(&mut State) -> &mut BTreeMap<K, V>,
    key: K,
    value: Option<V>,
) where
    K: Ord + Clone + 'static,
    V: 'static,
{
    let before = replace(table(state), key.clone(), value);
    undo.push(Box::new(move |state| {
        replace(table(state), key, before);
    }));
}

fn replace<K: Ord, V>(table: &mut BTreeMap<K, V>, key: K, value: Option<V>) -> Option<V> {
    match value {
        Some(value) => table.insert(key, value),
        None => table.remove(&key),
    }
}

fn refuse_if(refused: bool, why: impl FnOnce() -> Error) -> Result<()> {
    if refused { Err(why()) } else { Ok(()) }
}
