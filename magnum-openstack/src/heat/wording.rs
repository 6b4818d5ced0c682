//! Heat's words for what is done with a stack and how far it is.

use magnum_core::{Action, Phase};

/// Splits `CREATE_IN_PROGRESS`; an unknown word is `None`.
pub(super) fn status(text: &str) -> (Option<Action>, Option<Phase>) {
    let (action, phase) = text.split_once('_').unwrap_or((text, ""));
    // INIT is before anything was begun.
    if action == "INIT" {
        return (None, None);
    }
    let action = match action {
        "CREATE" => Some(Action::Create),
        "UPDATE" => Some(Action::Update),
        "DELETE" => Some(Action::Delete),
        "ROLLBACK" => Some(Action::Rollback),
        "RESUME" => Some(Action::Resume),
        "RESTORE" => Some(Action::Restore),
        "SNAPSHOT" => Some(Action::Snapshot),
        "CHECK" => Some(Action::Check),
        "ADOPT" => Some(Action::Adopt),
        _ => None,
    };
    let phase = match phase {
        "IN_PROGRESS" => Some(Phase::InProgress),
        "COMPLETE" => Some(Phase::Complete),
        "FAILED" => Some(Phase::Failed),
        _ => None,
    };
    (action, phase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split() {
        // heat/engine/stack.py, release 19 (Zed): ACTIONS, STATUSES
        let table = [
            (
                "CREATE_IN_PROGRESS",
                Some(Action::Create),
                Some(Phase::InProgress),
            ),
            ("DELETE_COMPLETE", Some(Action::Delete), Some(Phase::Complete)),
            ("ROLLBACK_FAILED", Some(Action::Rollback), Some(Phase::Failed)),
            ("SUSPEND_COMPLETE", None, Some(Phase::Complete)),
            ("INIT_COMPLETE", None, None),
            ("CREATE_DREAMT", Some(Action::Create), None),
            ("", None, None),
        ];
        for (text, action, phase) in table {
            assert_eq!(status(text), (action, phase), "{text}");
        }
    }
}
