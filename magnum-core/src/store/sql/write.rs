//! Writes of a commit, within one transaction.

use async_trait::async_trait;
use serde::Serialize;
use sqlx::AnyConnection;

use super::condition::check;
use super::dialect::Dialect;
use super::failure::{Failure, taken, unreadable};
use super::lease::make_due;
use super::statement::Statement;
use super::transaction::Work;
use super::{cluster_rows, quota_rows};
use crate::Result;
use crate::model::{
    CertificateNote, ClusterId, ClusterTemplate, DiscoveryRegistry, Event, EventId, LedgerEntry, Operation,
    OperationState, Revision, TemplateId, Tombstone,
};
use crate::ports::{Commit, Idempotent, KeyPair, Write};
use crate::store::refusal;

#[async_trait]
impl Work for Commit {
    type Output = ();

    async fn run(&self, dialect: Dialect, connection: &mut AnyConnection) -> Result<(), Failure> {
        for condition in &self.conditions {
            check(dialect, connection, condition).await?;
        }
        let mut writer = Writer { dialect, connection };
        for write in &self.writes {
            writer.write(write).await?;
        }
        Ok(())
    }
}

/// Events that were delivered and can go.
pub(super) struct Acknowledgement(pub(super) Vec<EventId>);

#[async_trait]
impl Work for Acknowledgement {
    type Output = ();

    async fn run(&self, dialect: Dialect, connection: &mut AnyConnection) -> Result<(), Failure> {
        for events in self.0.chunks(500) {
            let delete = Statement::new(dialect, "DELETE FROM magnum_events WHERE id IN ");
            delete
                .list(events, |list, event| list.id(event.0))
                .run(connection)
                .await?;
        }
        Ok(())
    }
}

struct Writer<'a> {
    dialect: Dialect,
    connection: &'a mut AnyConnection,
}

impl Writer<'_> {
    async fn write(&mut self, write: &Write) -> Result<(), Failure> {
        match write {
            Write::InsertTemplate(template) => self.insert_template(template).await,
            Write::PutTemplate(template) => self.put_template(template).await,
            Write::DeleteTemplate(id, revision) => self.delete_template(*id, *revision).await,
            Write::InsertCluster(cluster) => {
                cluster_rows::insert(self.dialect, self.connection, cluster).await
            }
            Write::PutCluster(cluster) => cluster_rows::replace(self.dialect, self.connection, cluster).await,
            // The pools and the discovery registry go with it.
            Write::DeleteCluster(id) => self.delete("magnum_clusters", id.0).await,
            Write::Due(id, due) => make_due(self.dialect, self.connection, *id, *due).await,
            Write::PutOperation(operation) => self.put_operation(operation).await,
            Write::PutLedger(entry) => self.put_ledger(entry).await,
            Write::DeleteLedger(id) => self.delete("magnum_ledger", id.0).await,
            Write::PutIdempotent(answered) => self.put_idempotent(answered).await,
            Write::PutKeyPair(pair) => self.put_key_pair(pair).await,
            Write::ResealKeyPair(id, sealed) => {
                let update = self
                    .say("UPDATE magnum_key_pairs SET private_key = ")
                    .text(&sealed.0)
                    .sql(" WHERE id = ")
                    .id(*id);
                update.run(self.connection).await?;
                Ok(())
            }
            Write::DeleteKeyPair(id) => self.delete("magnum_key_pairs", *id).await,
            Write::PutBlob { hash, text } => self.put_blob(hash, text).await,
            Write::InsertQuota(quota) => quota_rows::insert(self.dialect, self.connection, quota).await,
            Write::PutQuota(quota) => quota_rows::replace(self.dialect, self.connection, quota).await,
            Write::DeleteQuota(project, resource) => {
                quota_rows::delete(self.dialect, self.connection, project, *resource).await
            }
            Write::PutDiscovery(registry) => self.put_discovery(registry).await,
            Write::PutCertificateNote(note) => self.put_note(note).await,
            Write::DeleteCertificateNote(id, about) => self.delete_note(*id, about).await,
            Write::PutEvent(event) => self.put_event(event).await,
            Write::PutTombstone(tombstone) => self.put_tombstone(tombstone).await,
        }
    }

    fn say(&self, sql: &str) -> Statement {
        Statement::new(self.dialect, sql)
    }

    async fn delete(&mut self, table: &str, id: uuid::Uuid) -> Result<(), Failure> {
        let delete = self.say("DELETE FROM ").sql(table).sql(" WHERE id = ").id(id);
        delete.run(self.connection).await?;
        Ok(())
    }

    async fn insert_template(&mut self, template: &ClusterTemplate) -> Result<(), Failure> {
        let columns = "INSERT INTO magnum_templates (id, project_id, name, created, coe, public, hidden, revision, body) VALUES (";
        let insert = self
            .say(columns)
            .id(template.id.0)
            .sql(", ")
            .text(&template.project_id)
            .sql(", ")
            .text(&template.name)
            .sql(", ")
            .number(template.created_at.as_microsecond())
            .sql(", ")
            .text(&template.spec.coe)
            .sql(", ")
            .flag(template.spec.public)
            .sql(", ")
            .flag(template.spec.hidden)
            .sql(", ")
            .number(template.revision.0)
            .sql(", ")
            .json(json(template)?)
            .sql(")");
        self.insert(insert, "cluster template").await
    }

    async fn put_template(&mut self, template: &ClusterTemplate) -> Result<(), Failure> {
        let update = self
            .say("UPDATE magnum_templates SET project_id = ")
            .text(&template.project_id)
            .sql(", name = ")
            .text(&template.name)
            .sql(", created = ")
            .number(template.created_at.as_microsecond())
            .sql(", coe = ")
            .text(&template.spec.coe)
            .sql(", public = ")
            .flag(template.spec.public)
            .sql(", hidden = ")
            .flag(template.spec.hidden)
            .sql(", body = ")
            .json(json(template)?)
            .sql(", revision = ")
            .number(template.revision.0);
        let before = Revision(template.revision.0.saturating_sub(1));
        self.at_revision(update, template.id, before).await
    }

    async fn delete_template(&mut self, id: TemplateId, revision: Revision) -> Result<(), Failure> {
        self.at_revision(self.say("DELETE FROM magnum_templates"), id, revision)
            .await
    }

    /// Changes a template that is at this revision.
    async fn at_revision(&mut self, change: Statement, id: TemplateId, at: Revision) -> Result<(), Failure> {
        let change = change
            .sql(" WHERE id = ")
            .id(id.0)
            .sql(" AND revision = ")
            .number(at.0);
        match change.run(self.connection).await? {
            0 => Err(refusal::stale("cluster template", id).into()),
            _ => Ok(()),
        }
    }

    async fn insert(&mut self, insert: Statement, what: &str) -> Result<(), Failure> {
        let inserted = insert.run(self.connection).await;
        inserted
            .map(|_| ())
            .map_err(|error| taken(error, || refusal::exists(what)))
    }

    /// Whether a row was there to be changed.
    async fn updates(&mut self, update: Statement) -> Result<bool, sqlx::Error> {
        Ok(update.run(self.connection).await? > 0)
    }

    async fn put_operation(&mut self, operation: &Operation) -> Result<(), Failure> {
        let cluster = operation.cluster_id;
        let state = word(operation.state)?;
        let active_on = (operation.state == OperationState::Active).then_some(cluster.0);
        let body = json(operation)?;
        let update = self
            .say("UPDATE magnum_operations SET cluster_id = ")
            .id(cluster.0)
            .sql(", state = ")
            .text(&state)
            .sql(", active_on = ")
            .optional_id(active_on)
            .sql(", body = ")
            .json(body.clone())
            .sql(" WHERE id = ")
            .id(operation.id.0);
        // What is unique besides the id is the cluster that an operation is active on.
        let busy = |error| taken(error, || refusal::busy(cluster));
        if self.updates(update).await.map_err(busy)? {
            return Ok(());
        }
        let insert = self
            .say("INSERT INTO magnum_operations (id, cluster_id, state, active_on, body) VALUES (")
            .id(operation.id.0)
            .sql(", ")
            .id(cluster.0)
            .sql(", ")
            .text(&state)
            .sql(", ")
            .optional_id(active_on)
            .sql(", ")
            .json(body)
            .sql(")");
        insert.run(self.connection).await.map(|_| ()).map_err(busy)
    }

    async fn put_ledger(&mut self, entry: &LedgerEntry) -> Result<(), Failure> {
        let (cluster, sequence, body) = (entry.cluster_id.0, i64::from(entry.sequence), json(entry)?);
        let update = self
            .say("UPDATE magnum_ledger SET cluster_id = ")
            .id(cluster)
            .sql(", sequence = ")
            .number(sequence)
            .sql(", body = ")
            .json(body.clone())
            .sql(" WHERE id = ")
            .id(entry.id.0);
        if self.updates(update).await? {
            return Ok(());
        }
        let insert = self
            .say("INSERT INTO magnum_ledger (id, cluster_id, sequence, body) VALUES (")
            .id(entry.id.0)
            .sql(", ")
            .id(cluster)
            .sql(", ")
            .number(sequence)
            .sql(", ")
            .json(body)
            .sql(")");
        self.insert(insert, "ledger entry").await
    }

    async fn put_idempotent(&mut self, answered: &Idempotent) -> Result<(), Failure> {
        let columns =
            "INSERT INTO magnum_idempotency (project_id, idempotency_key, request, cluster_id) VALUES (";
        let insert = self
            .say(columns)
            .text(&answered.project)
            .sql(", ")
            .text(&answered.key)
            .sql(", ")
            .text(&answered.request)
            .sql(", ")
            .id(answered.cluster_id.0)
            .sql(")");
        self.insert(insert, "idempotency key").await
    }

    async fn put_key_pair(&mut self, pair: &KeyPair) -> Result<(), Failure> {
        let columns =
            "INSERT INTO magnum_key_pairs (id, name, certificate, private_key, intermediates) VALUES (";
        let insert = self
            .say(columns)
            .id(pair.id)
            .sql(", ")
            .text(&pair.name)
            .sql(", ")
            .text(&pair.certificate)
            .sql(", ")
            .text(&pair.private_key.0)
            .sql(", ")
            .optional_text(pair.intermediates.as_deref())
            .sql(")");
        self.insert(insert, "certificate").await
    }

    async fn put_blob(&mut self, hash: &str, text: &str) -> Result<(), Failure> {
        let ask = self.say("SELECT hash FROM magnum_blobs WHERE hash = ").text(hash);
        if ask.finds(self.connection).await? {
            return Ok(());
        }
        let insert = self.say("INSERT INTO magnum_blobs (hash, content) VALUES (");
        let insert = insert.text(hash).sql(", ").text(text).sql(")");
        self.insert(insert, "blob").await
    }

    async fn put_discovery(&mut self, registry: &DiscoveryRegistry) -> Result<(), Failure> {
        let (cluster, revision) = (registry.cluster_id.0, registry.revision.0);
        let stale = || refusal::stale("the discovery registry of cluster", cluster);
        let update = self
            .say("UPDATE magnum_discoveries SET body = ")
            .json(json(registry)?)
            .sql(", revision = ")
            .number(revision)
            .sql(" WHERE cluster_id = ")
            .id(cluster)
            .sql(" AND revision = ")
            .number(revision.saturating_sub(1));
        if self.updates(update).await? {
            return Ok(());
        }
        let there = self.say("SELECT id FROM magnum_clusters WHERE id = ").id(cluster);
        if registry.revision != Revision(1) || !there.finds(self.connection).await? {
            return Err(stale().into());
        }
        let insert = self
            .say("INSERT INTO magnum_discoveries (cluster_id, revision, body) VALUES (")
            .id(cluster)
            .sql(", ")
            .number(revision)
            .sql(", ")
            .json(json(registry)?)
            .sql(")");
        let inserted = insert.run(self.connection).await;
        inserted.map(|_| ()).map_err(|error| taken(error, stale))
    }

    async fn put_note(&mut self, note: &CertificateNote) -> Result<(), Failure> {
        let (cluster, about) = (note.cluster_id, note.about());
        let there = self
            .say("SELECT id FROM magnum_clusters WHERE id = ")
            .id(cluster.0);
        if !there.finds(self.connection).await? {
            return Err(refusal::stale("cluster", cluster).into());
        }
        self.delete_note(cluster, &about).await?;
        let insert = self
            .say("INSERT INTO magnum_certificate_notes (cluster_id, about, body) VALUES (")
            .id(cluster.0)
            .sql(", ")
            .text(&about)
            .sql(", ")
            .json(json(note)?)
            .sql(")");
        self.insert(insert, "note of a certificate").await
    }

    async fn delete_note(&mut self, cluster: ClusterId, about: &str) -> Result<(), Failure> {
        let delete = self
            .say("DELETE FROM magnum_certificate_notes WHERE cluster_id = ")
            .id(cluster.0)
            .sql(" AND about = ")
            .text(about);
        delete.run(self.connection).await?;
        Ok(())
    }

    /// Numbers events as they are committed: writers see each other's last number.
    async fn put_event(&mut self, event: &Event) -> Result<(), Failure> {
        let insert = self
            .say("INSERT INTO magnum_events (seq, id, body) SELECT COALESCE(MAX(seq), 0) + 1, ")
            .id(event.id.0)
            .sql(", ")
            .json(json(event)?)
            .sql(" FROM magnum_events");
        self.insert(insert, "event").await
    }

    async fn put_tombstone(&mut self, tombstone: &Tombstone) -> Result<(), Failure> {
        let (cluster, body) = (tombstone.cluster_id.0, json(tombstone)?);
        let update = self
            .say("UPDATE magnum_tombstones SET project_id = ")
            .text(&tombstone.project_id)
            .sql(", body = ")
            .json(body.clone())
            .sql(" WHERE cluster_id = ")
            .id(cluster);
        if self.updates(update).await? {
            return Ok(());
        }
        let insert = self
            .say("INSERT INTO magnum_tombstones (cluster_id, project_id, body) VALUES (")
            .id(cluster)
            .sql(", ")
            .text(&tombstone.project_id)
            .sql(", ")
            .json(body)
            .sql(")");
        self.insert(insert, "tombstone").await
    }
}

fn json<T: Serialize>(row: &T) -> Result<String, Failure> {
    serde_json::to_string(row).map_err(|error| unreadable("row", error).into())
}

/// The state as the body spells it.
fn word(state: OperationState) -> Result<String, Failure> {
    Ok(json(&state)?.trim_matches('"').to_owned())
}
