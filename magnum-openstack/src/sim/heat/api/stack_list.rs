//! `GET /stacks`.

use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::super::stack::Stack;
use super::arguments::{Query, check_project};
use super::refusal::Answer;
use super::views;
use crate::sim::cloud::SimCloud;
use crate::sim::http_api::{Authenticated, answer};

/// Tags given as a list with commas.
fn tags(query: &Query, key: &str) -> Option<Vec<String>> {
    query
        .one(key)
        .map(|text| text.split(',').map(str::to_owned).collect())
}

fn matches(stack: &Stack, query: &Query) -> bool {
    let has = |tag: &String| stack.tags.contains(tag);
    if tags(query, "tags").is_some_and(|wanted| !wanted.iter().all(has))
        || tags(query, "tags_any").is_some_and(|wanted| !wanted.iter().any(has))
        || tags(query, "not_tags").is_some_and(|wanted| wanted.iter().all(has))
        || tags(query, "not_tags_any").is_some_and(|wanted| wanted.iter().any(has))
    {
        return false;
    }
    let one_of = |keys: [&str; 2], value: &str| {
        let wanted: Vec<&str> = keys.iter().flat_map(|key| query.all(key)).collect();
        wanted.is_empty() || wanted.contains(&value)
    };
    let (action, status) = (stack.action.to_string(), stack.status.to_string());
    let statuses: Vec<&str> = ["status", "stack_status"]
        .iter()
        .flat_map(|key| query.all(key))
        .collect();
    let full = format!("{action}_{status}");
    (statuses.is_empty() || statuses.contains(&status.as_str()) || statuses.contains(&full.as_str()))
        && one_of(["name", "stack_name"], &stack.name)
        && one_of(["id", "id"], &stack.id)
        && one_of(["action", "stack_action"], &action)
        && one_of(["username", "stack_owner"], &stack.owner.user_name)
}

/// Lists stacks, newest first.
pub(super) async fn list(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(project): Path<String>,
    query: Query,
) -> Answer {
    check_project(&caller, &project)?;
    let (deleted, nested) = (
        query.flag("show_deleted", false)?,
        query.flag("show_nested", false)?,
    );
    let everywhere = query.flag("global_tenant", false)? && caller.is_admin();
    let limit = query.number("limit")?;
    let world = cloud.world();
    let mut found: Vec<&Stack> = world
        .heat
        .order
        .iter()
        .rev()
        .filter_map(|id| world.heat.stacks.get(id))
        .filter(|s| everywhere || s.owner.project_id == project)
        .filter(|s| deleted || !s.is_deleted())
        .filter(|s| nested || s.parent.is_none())
        .filter(|s| matches(s, &query))
        .collect();
    if let Some(key) = query.one("sort_keys") {
        match key {
            "stack_name" | "name" => found.sort_by(|a, b| a.name.cmp(&b.name)),
            "stack_status" => found.sort_by_key(|s| s.status.to_string()),
            "creation_time" => found.sort_by_key(|s| s.created_at),
            _ => {}
        }
        if query.one("sort_dir") == Some("desc") {
            found.reverse();
        }
    }
    if let Some(marker) = query.one("marker")
        && let Some(at) = found.iter().position(|s| s.id == marker)
    {
        found.drain(..=at);
    }
    let total = found.len();
    found.truncate(limit.unwrap_or(usize::MAX));
    let stacks: Vec<Value> = found
        .iter()
        .map(|stack| {
            let mut view = views::stack_summary(&world, stack);
            view.insert("description".to_owned(), json!(""));
            if everywhere {
                view.insert("project".to_owned(), json!(stack.owner.project_id));
            }
            Value::Object(view)
        })
        .collect();
    let mut body = json!({"stacks": stacks});
    if query.flag("with_count", false)? {
        body["count"] = json!(total);
    }
    if let (Some(limit), Some(last)) = (limit, found.last())
        && limit > 0
        && found.len() == limit
    {
        let href = format!(
            "{}/orchestration/v1/{project}/stacks?limit={limit}&marker={}",
            world.base_url(),
            last.id
        );
        body["links"] = json!([{"rel": "next", "href": href}]);
    }
    Ok(answer(200, body))
}
