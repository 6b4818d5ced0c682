//! `OS::Heat::WaitCondition`.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::wait_condition_handle::signals;
use super::{names, text};
use crate::sim::heat::plugin::{Attribute, Failure, Operation, Plugin, Step, Update, View, failure};
use crate::sim::heat::schema::{Prop, PropKind};
use crate::sim::heat::stack::{Resource, Stack};
use crate::sim::hot::{Constraint, HeatError, dumps};

#[derive(Debug)]
pub(crate) struct WaitCondition;

/// The handle that a condition waits on.
fn handle<'a>(stack: &'a Stack, own: &Resource) -> Option<&'a Resource> {
    let wanted = text(&own.properties, "handle")?;
    stack.resources.values().find(|r| {
        r.plugin.kind() == "OS::Heat::WaitConditionHandle"
            && (r.physical_id.as_deref() == Some(wanted.as_str()) || r.name == wanted)
    })
}

impl WaitCondition {
    fn look(op: &mut Operation<'_>) -> Result<Step, Failure> {
        let own = op.resource()?;
        let stack = op.stack()?;
        let wanted = text(&own.properties, "handle").unwrap_or_default();
        let Some(handle) = handle(stack, own) else {
            return Err(failure(
                "ValueError",
                format!("{wanted} is not a valid wait condition handle."),
            ));
        };
        let started = own.task.as_ref().map_or(own.created_at, |t| t.started_at);
        let seconds = own
            .properties
            .get("timeout")
            .and_then(Value::as_f64)
            .unwrap_or_default();
        let limit = Duration::try_from_secs_f64(seconds).unwrap_or_default();
        let deadline = started
            .checked_add(op.world.pace().apply(limit).max(limit))
            .unwrap_or(jiff::Timestamp::MAX);
        let count = own.properties.get("count").and_then(Value::as_u64).unwrap_or(1);
        let got = signals(&handle.metadata);
        let failures: Vec<&str> = got
            .iter()
            .filter(|s| s.1 != "SUCCESS")
            .map(|s| s.2.as_str())
            .collect();
        if !failures.is_empty() {
            return Err(failure("WaitConditionFailure", failures.join(";")));
        }
        if u64::try_from(got.len()).unwrap_or(u64::MAX) >= count {
            return Ok(Step::Done);
        }
        if op.world.now() >= deadline {
            let reasons: Vec<&str> = got.iter().map(|s| s.2.as_str()).collect();
            let mut text = format!("{} of {count} received", got.len());
            if !reasons.is_empty() {
                text.push_str(&format!(" - {}", reasons.join(";")));
            }
            return Err(failure("WaitConditionTimeout", text));
        }
        Ok(Step::Until(deadline))
    }
}

impl Plugin for WaitCondition {
    fn kind(&self) -> &'static str {
        "OS::Heat::WaitCondition"
    }

    fn takes_time(&self) -> bool {
        false
    }

    fn properties(&self) -> Vec<Prop> {
        vec![
            Prop::text("handle").required(),
            Prop::new("timeout", PropKind::Number)
                .required()
                .constrained(Constraint::range(Some(1), Some(43200))),
            Prop::integer("count")
                .default(1)
                .constrained(Constraint::range(Some(1), None))
                .updatable(),
        ]
    }

    fn attributes(&self) -> Vec<String> {
        names(&["data"])
    }

    fn create(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        // It stands for nothing, so it has no physical id.
        Self::look(op)
    }

    fn poll_create(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        Self::look(op)
    }

    fn update(
        &self,
        op: &mut Operation<'_>,
        _: &Map<String, Value>,
        _: &[String],
    ) -> Result<Update, Failure> {
        Self::look(op).map(Update::InPlace)
    }

    fn poll_update(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        Self::look(op)
    }

    fn delete(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        let key = handle(op.stack()?, op.resource()?).map(|h| h.key);
        if let Some(key) = key
            && let Some(handle) = op.world.heat.resource_mut(&op.stack_id, key)
        {
            handle.metadata = json!({});
        }
        Ok(Step::Done)
    }

    fn attribute(&self, view: &View<'_>, _name: &str, _path: &[Value]) -> Result<Attribute, HeatError> {
        let Some(handle) = handle(view.stack, view.resource) else {
            return Ok(Attribute::whole(json!("")));
        };
        let data: Map<String, Value> = signals(&handle.metadata)
            .into_iter()
            .map(|(id, _, _, data)| (id, data))
            .collect();
        Ok(Attribute::whole(json!(dumps(&Value::Object(data)))))
    }
}
