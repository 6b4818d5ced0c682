//! The rule that paging is stable while rows come and go.

use std::collections::BTreeSet;
use std::sync::Arc;

use uuid::Uuid;

use super::choice::Choice;
use super::fixtures::{Corner, instant};
use super::listed::{DIRECTIONS, Kind, ORDERS, Row, after};
use crate::model::ClusterStatus;
use crate::ports::{Commit, Query, SortDirection, SortKey, Store};

/// Whatever is inserted and removed between pages, in every order: a row that is there from beginning to end comes
/// exactly once, none comes twice, and pages go on in their order.
///
/// Each number chooses rows, page size, and what happens between the pages. With numbers from a property test a
/// row that is lost shrinks to its shortest cause.
///
/// # Panics
/// When the rule is broken.
pub async fn pages_are_stable(store: Arc<dyn Store>, choices: &[u64]) {
    for choice in choices {
        for (kind, key) in ORDERS {
            for direction in DIRECTIONS {
                let mut list = Changing {
                    corner: Corner::of(Arc::clone(&store)),
                    choice: Choice(*choice),
                    kind,
                    rows: Vec::new(),
                };
                list.page_through(key, direction).await;
            }
        }
    }
}

/// A project's rows of one kind, while they come and go.
struct Changing {
    corner: Corner,
    choice: Choice,
    kind: Kind,
    /// Those that are there.
    rows: Vec<Row>,
}

impl Changing {
    async fn page_through(&mut self, key: SortKey, direction: SortDirection) {
        let what = format!("{:?} by {key:?}, {direction:?}", self.kind);
        for _ in 0..self.choice.of(12) {
            self.insert().await;
        }
        let mut staying: BTreeSet<Uuid> = self.rows.iter().map(Row::id).collect();
        let mut changes_left = 12;
        let mut query = Query {
            limit: 1 + u32::try_from(self.choice.of(4)).unwrap(),
            ..self.corner.ordered(key, direction)
        };
        let mut seen: Vec<Row> = Vec::new();
        loop {
            let page = self.corner.list(self.kind, query.clone()).await.unwrap();
            let Some(last) = page.last() else { break };
            query.marker = Some(after(last, key));
            let last = last.id();
            for row in page {
                let follows = seen.last().is_none_or(|before| {
                    let (before, next) = (before.position(key), row.position(key));
                    match direction {
                        SortDirection::Ascending => before < next,
                        SortDirection::Descending => before > next,
                    }
                });
                assert!(follows, "{what}: {row:?} comes after {:?}", seen.last());
                seen.push(row);
            }
            for _ in 0..self.choice.of(4).min(changes_left) {
                changes_left -= 1;
                match self.choice.of(3) {
                    0 => self.insert().await,
                    1 => self.delete(last, &mut staying).await,
                    _ if self.rows.is_empty() => {}
                    _ => {
                        let chosen = self.choice.of(u64::try_from(self.rows.len()).unwrap());
                        let chosen = self.rows[usize::try_from(chosen).unwrap()].id();
                        self.delete(chosen, &mut staying).await;
                    }
                }
            }
        }
        let seen: BTreeSet<Uuid> = seen.iter().map(Row::id).collect();
        let lost: Vec<_> = staying.difference(&seen).collect();
        assert!(lost.is_empty(), "{what}: {lost:?} are lost");
    }

    async fn insert(&mut self) {
        let name = self.choice.among(&["", "a", "A", "b", "é", "a\u{0}", "a\u{1}"]);
        let at = instant(self.choice.of(4).cast_signed());
        let row = match self.kind {
            Kind::Clusters => {
                let mut cluster = self.corner.cluster();
                name.clone_into(&mut cluster.name);
                cluster.created_at = at;
                cluster.status = self.choice.among(&[
                    ClusterStatus::CREATE_COMPLETE,
                    ClusterStatus::CREATE_FAILED,
                    ClusterStatus::UPDATE_COMPLETE,
                ]);
                Row::from(cluster)
            }
            Kind::Templates => {
                let mut template = self.corner.template();
                name.clone_into(&mut template.name);
                template.created_at = at;
                Row::from(template)
            }
        };
        self.corner
            .commit(Commit::new().write(row.insert()))
            .await
            .unwrap();
        self.rows.push(row);
    }

    async fn delete(&mut self, id: Uuid, staying: &mut BTreeSet<Uuid>) {
        if let Some(place) = self.rows.iter().position(|row| row.id() == id) {
            let row = self.rows.swap_remove(place);
            self.corner
                .commit(Commit::new().write(row.delete()))
                .await
                .unwrap();
            staying.remove(&id);
        }
    }
}
