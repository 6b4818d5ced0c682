//! The life of a cluster as one function: what a request, and what is seen of its infrastructure, make of its status.

use super::{Action, ClusterStatus, Phase};
use crate::ports::InfrastructureState;

/// What somebody asks of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Request {
    /// Another number of nodes, or another value of an attribute.
    Change,
    /// To try again what failed.
    Retry,
    /// To go.
    Delete,
}

impl Request {
    #[cfg(test)]
    const ALL: [Self; 3] = [Self::Change, Self::Retry, Self::Delete];
}

/// What an operation in progress does with what it sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Seen {
    /// It is under way: look again later.
    UnderWay,
    /// All of it is there.
    Done,
    /// It failed in the cloud, and the cloud says why.
    Failed,
    /// The cloud does not show it, or shows what was before: ask for it again.
    NotArrived,
    /// Somebody removed what the cluster was made of, or began to.
    RemovedOutside,
    /// What was to be removed is gone.
    Gone,
    /// The cloud could not remove it.
    RemovalFailed,
}

impl ClusterStatus {
    /// Whether a cluster of this status takes this request.
    ///
    /// | Status | Change | Retry | Delete |
    /// | --- | --- | --- | --- |
    /// | an action in progress | no: busy | no: busy | yes: it takes over |
    /// | an action complete, but for `DELETE` | yes | no: nothing failed | yes |
    /// | `UPDATE_FAILED`, `ROLLBACK_FAILED` | yes | yes | yes |
    /// | `CREATE_FAILED` | no: it is not whole | yes | yes |
    /// | any other action failed, all of `DELETE` | no | no | yes |
    #[must_use]
    pub fn takes(self, request: Request) -> bool {
        let mendable =
            self.phase == Phase::Failed && matches!(self.action, Action::Update | Action::Rollback);
        match request {
            Request::Delete => true,
            Request::Change => mendable || (self.phase == Phase::Complete && self.action != Action::Delete),
            Request::Retry => mendable || self == Self::CREATE_FAILED,
        }
    }

    /// What becomes of a cluster in progress when this is seen. `arrived` says whether what is seen shows the change
    /// that was accepted last; without it a result may be an earlier one's.
    ///
    /// | Doing | Nothing there | Being deleted, or deleted | In progress | Complete | Failed |
    /// | --- | --- | --- | --- | --- | --- |
    /// | `CREATE` of a new stack | removed outside | removed outside | under way | done | failed |
    /// | any change, a retried `CREATE` too | removed outside | removed outside | under way | done if arrived, else asked for again | failed if arrived, else asked for again |
    /// | `DELETE` | gone | under way; failed: removal failed | asked for again | asked for again | asked for again |
    ///
    /// What a complete or failed change is called does not matter once it has arrived: Heat calls a check of a
    /// stack `CHECK`, and a change that it took back `ROLLBACK`, which is a change that failed.
    pub(crate) fn sees(self, state: InfrastructureState, arrived: bool) -> Seen {
        use InfrastructureState::{Absent, Present};
        if self.action == Action::Delete {
            return match state {
                Absent => Seen::Gone,
                Present(Action::Delete, Phase::Failed) => Seen::RemovalFailed,
                Present(Action::Delete, _) => Seen::UnderWay,
                Present(..) => Seen::NotArrived,
            };
        }
        match state {
            Absent | Present(Action::Delete, _) => Seen::RemovedOutside,
            Present(_, Phase::InProgress) => Seen::UnderWay,
            Present(..) if !arrived => Seen::NotArrived,
            // The cloud put it back by itself.
            Present(Action::Rollback, Phase::Complete) => Seen::Failed,
            Present(_, Phase::Complete) => Seen::Done,
            Present(_, Phase::Failed) => Seen::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::model::OperationKind;

    fn states() -> Vec<InfrastructureState> {
        let present = ClusterStatus::all().map(|s| InfrastructureState::Present(s.action, s.phase));
        std::iter::once(InfrastructureState::Absent)
            .chain(present)
            .collect()
    }

    /// What begins when a cluster of this status takes a request.
    fn begun(status: ClusterStatus, request: Request) -> OperationKind {
        match request {
            Request::Delete => OperationKind::Delete {
                force: false,
                volumes: crate::model::VolumePolicy::Keep,
            },
            Request::Retry => OperationKind::Resume {
                creation: status.action == Action::Create,
            },
            Request::Change => OperationKind::Scale {
                pool: "worker".to_owned(),
                from: 1,
                to: 2,
                remove: Vec::new(),
                rollback: true,
            },
        }
    }

    /// The statuses that a cluster can be in next; `None` is being no more.
    fn next(status: ClusterStatus) -> BTreeSet<Option<ClusterStatus>> {
        let mut found = BTreeSet::new();
        for request in Request::ALL.into_iter().filter(|request| status.takes(*request)) {
            let action = begun(status, request).action();
            found.insert(Some(ClusterStatus::of(action, Phase::InProgress)));
        }
        if status == ClusterStatus::UPDATE_IN_PROGRESS {
            // Where the change was to be rolled back when it fails.
            found.insert(Some(ClusterStatus::ROLLBACK_IN_PROGRESS));
        }
        if status.is_settled() {
            return found;
        }
        for (state, arrived) in states().into_iter().flat_map(|s| [(s, true), (s, false)]) {
            match status.sees(state, arrived) {
                Seen::UnderWay | Seen::NotArrived => {}
                Seen::Done => {
                    found.insert(Some(ClusterStatus::of(status.action, Phase::Complete)));
                }
                Seen::Failed | Seen::RemovedOutside | Seen::RemovalFailed => {
                    found.insert(Some(ClusterStatus::of(status.action, Phase::Failed)));
                }
                Seen::Gone => {
                    found.insert(None);
                }
            }
        }
        found
    }

    fn reachable(from: ClusterStatus) -> BTreeSet<Option<ClusterStatus>> {
        let mut all = BTreeSet::new();
        let mut open = vec![from];
        while let Some(status) = open.pop() {
            for step in next(status) {
                if all.insert(step) {
                    open.extend(step);
                }
            }
        }
        all
    }

    #[test]
    fn no_status_is_without_an_exit() {
        for status in ClusterStatus::all() {
            assert!(reachable(status).contains(&None), "{status} never goes");
            if status.is_settled() {
                continue;
            }
            // Whatever is seen, the operation ends, or looks again, or asks again: of these two it does only so many.
            for (state, arrived) in states().into_iter().flat_map(|s| [(s, true), (s, false)]) {
                let seen = status.sees(state, arrived);
                let moving = matches!(state, InfrastructureState::Present(_, Phase::InProgress));
                let deleting = matches!(state, InfrastructureState::Present(Action::Delete, _));
                match seen {
                    Seen::UnderWay => assert!(moving || deleting, "{status} waits for nothing at {state:?}"),
                    Seen::NotArrived => assert!(
                        !arrived || status.action == Action::Delete,
                        "{status} asks again for what is there at {state:?}"
                    ),
                    _ => {}
                }
            }
        }
    }

    #[test]
    fn each_status_takes_what_the_table_says() {
        for status in ClusterStatus::all() {
            let taken: Vec<Request> = Request::ALL.into_iter().filter(|r| status.takes(*r)).collect();
            let expected: &[Request] = match status.to_string().as_str() {
                "UPDATE_FAILED" | "ROLLBACK_FAILED" => &[Request::Change, Request::Retry, Request::Delete],
                "CREATE_FAILED" => &[Request::Retry, Request::Delete],
                "DELETE_COMPLETE" => &[Request::Delete],
                other if other.ends_with("_COMPLETE") => &[Request::Change, Request::Delete],
                _ => &[Request::Delete],
            };
            assert_eq!(taken, expected, "{status}");
        }
    }

    #[test]
    fn whole_clusters_can_be_reached_from_every_failure_of_the_librarys_own_but_a_removal() {
        for status in [
            ClusterStatus::CREATE_FAILED,
            ClusterStatus::UPDATE_FAILED,
            ClusterStatus::ROLLBACK_FAILED,
        ] {
            let whole = |s: &Option<ClusterStatus>| s.is_some_and(|s| s.phase == Phase::Complete);
            assert!(reachable(status).iter().any(whole), "{status}");
        }
        assert_eq!(
            reachable(ClusterStatus::DELETE_IN_PROGRESS),
            [
                None,
                Some(ClusterStatus::DELETE_IN_PROGRESS),
                Some(ClusterStatus::DELETE_FAILED)
            ]
            .into(),
            "what is being removed only goes"
        );
    }

    #[test]
    fn a_stack_that_is_missing_ends_every_operation() {
        for status in ClusterStatus::all().filter(|status| !status.is_settled()) {
            let seen = status.sees(InfrastructureState::Absent, false);
            let expected = match status.action {
                Action::Delete => Seen::Gone,
                _ => Seen::RemovedOutside,
            };
            assert_eq!(seen, expected, "{status}");
        }
    }

    fn status() -> impl Strategy<Value = ClusterStatus> {
        proptest::sample::select(ClusterStatus::all().collect::<Vec<_>>())
    }

    fn state() -> impl Strategy<Value = InfrastructureState> {
        proptest::sample::select(states())
    }

    proptest! {
        #[test]
        fn nothing_is_complete_that_is_not(status in status(), state in state(), arrived: bool) {
            if status.sees(state, arrived) == Seen::Done {
                prop_assert!(arrived, "an earlier result counts for nothing");
                let whole = matches!(state, InfrastructureState::Present(_, Phase::Complete));
                prop_assert!(whole, "{:?}", state);
            }
        }

        #[test]
        fn what_is_removed_is_only_gone_when_nothing_is_there(state in state(), arrived: bool) {
            let gone = ClusterStatus::DELETE_IN_PROGRESS.sees(state, arrived) == Seen::Gone;
            prop_assert_eq!(gone, state == InfrastructureState::Absent);
        }

        #[test]
        fn an_earlier_result_never_settles_a_change(state in state()) {
            // A retried creation, too: what is seen of the first try is no result of the second.
            for status in [
                ClusterStatus::CREATE_IN_PROGRESS,
                ClusterStatus::UPDATE_IN_PROGRESS,
                ClusterStatus::ROLLBACK_IN_PROGRESS,
            ] {
                let seen = status.sees(state, false);
                prop_assert!(!matches!(seen, Seen::Done | Seen::Failed), "{:?}", seen);
            }
        }

        #[test]
        fn a_delete_is_always_taken(status in status()) {
            prop_assert!(status.takes(Request::Delete));
            prop_assert!(status.is_settled() || !status.takes(Request::Change));
        }
    }
}
