mod reading;
mod writing;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use magnum_core::{Action, Parameters, Phase, Retry, Secret};
use serde_json::{Value, json};

use super::*;
use crate::scripted::{Reply, Scripted, alice};

fn named(name: &str) -> StackRef {
    StackRef {
        name: name.into(),
        id: format!("{name}-id"),
    }
}

fn template() -> StackTemplate {
    StackTemplate {
        template: "heat_template_version: 2018-08-31".into(),
        files: BTreeMap::from([("node.yaml".to_owned(), "text".to_owned())]),
    }
}

fn creation() -> StackCreate {
    StackCreate {
        name: "s1".into(),
        template: template(),
        parameters: Parameters::from([
            ("count".to_owned(), json!(2)),
            ("credential".to_owned(), json!("0123456789abcdef")),
        ]),
        timeout: Duration::from_secs(61),
        tags: vec!["magnum-1-2".into(), "b".into()],
    }
}

/// Answers each line by its reply and everything else as Heat does what it does not know.
fn heat(replies: Vec<(&'static str, Reply)>) -> Arc<Scripted> {
    Scripted::new(move |seen| {
        let found = replies.iter().find(|(line, _)| *line == seen.line());
        if seen.path.starts_with("/v3/") {
            return None;
        }
        let missing = json!({"error": {"type": "EntityNotFound", "message": "not found"}});
        Some(found.map_or(Reply::json(404, missing), |(_, reply)| reply.clone()))
    })
}

fn auth() -> Auth {
    Auth::Token(alice())
}

// heat/api/openstack/v1/views/stacks_view.py and heat/engine/api.py, release 19 (Zed)
fn stack_body(name: &str, status: &str) -> Value {
    json!({
        "id": format!("{name}-id"), "stack_name": name, "stack_status": status,
        "stack_status_reason": "Stack CREATE started", "description": "d", "stack_owner": null, "parent": null,
        "creation_time": "2026-01-01T00:00:00Z", "updated_time": null, "deletion_time": null,
        "tags": ["magnum-1-2", "b"], "timeout_mins": 2, "capabilities": [], "disable_rollback": true,
        "parameters": {"OS::stack_id": "x", "count": "2", "credential": "******", "removal": ["a"]},
        "outputs": [
            {"output_key": "api_address", "output_value": "10.0.0.5", "description": "No description given"},
            {"output_key": "later", "output_value": null},
            {"output_key": "broken", "output_value": null, "output_error": "no such attribute"},
            {"output_key": "nodes", "output_value": ["10.0.0.6"]}],
        "links": [{"rel": "self", "href": "http://heat/v1/p1/stacks/s1/s1-id"}],
    })
}
