//! Queries that two stores must answer alike.

use super::super::choice::Choice;
use super::super::fixtures::instant;
use super::super::listed::DIRECTIONS;
use super::Pair;
use crate::model::ClusterStatus;
use crate::ports::{Marker, Position, Query, SortKey};

impl Pair {
    /// A query of the project's rows: any order, any filter, after any row or its place.
    pub(super) fn query(&self, choice: &mut Choice) -> Query {
        let some = |choice: &mut Choice| choice.of(3) == 0;
        let sort_key = choice.among(&[SortKey::Created, SortKey::Name, SortKey::Status]);
        let id = self.id(u128::from(1 + choice.of(2)), choice.of(4));
        let name = format!("name {}", choice.of(2));
        Query {
            name: some(choice).then(|| name.clone()),
            status: some(choice).then_some(ClusterStatus::DELETE_IN_PROGRESS),
            cluster_template_id: some(choice).then(|| self.template_id(choice)),
            coe: some(choice).then(|| choice.among(&["docker", "kubernetes"]).to_owned()),
            public: some(choice).then(|| choice.of(2) == 0),
            hidden: some(choice).then(|| choice.of(2) == 0),
            sort_key,
            direction: choice.among(&DIRECTIONS),
            marker: match choice.of(6) {
                0 => Some(Marker::Row(id)),
                1 => Some(Marker::Position(Position::Name(name, id))),
                2 => Some(Marker::Position(Position::Created(
                    instant(choice.of(3).cast_signed()),
                    id,
                ))),
                3 => Some(Marker::Position(Position::Status(
                    "CREATE_IN_PROGRESS".to_owned(),
                    id,
                ))),
                _ => None,
            },
            limit: u32::try_from(choice.of(4)).unwrap(),
            ..Query::project(&self.left.project)
        }
    }
}
