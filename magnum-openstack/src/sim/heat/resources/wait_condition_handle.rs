//! `OS::Heat::WaitConditionHandle`.

use magnum_core::Secret;
use serde_json::{Value, json};

use super::{names, text};
use crate::sim::World;
use crate::sim::heat::client_failure::{Service, client_failure};
use crate::sim::heat::engine::{nested, work};
use crate::sim::heat::plugin::{Attribute, Failure, Operation, Plugin, Step, View};
use crate::sim::heat::schema::Prop;
use crate::sim::hot::{Constraint, HeatError, py_str};
use crate::sim::world::boot::Signal;
use crate::sim::world::identity::{Scope, Target};

#[derive(Debug)]
pub(crate) struct WaitConditionHandle;

/// The project of a stack's own users; made when the first of them is.
pub(crate) fn stack_user_project(world: &mut World, stack_id: &str) -> String {
    let root = nested::root_of(world, stack_id);
    if let Some(project) = world.heat.stacks.get(&root).and_then(|s| s.user_project.clone()) {
        return project;
    }
    let domain = match world.domain_by_name("heat") {
        Some(domain) => domain.id.clone(),
        None => world.create_domain("heat").id,
    };
    let project = world.create_project(&root, &domain).id;
    // Nested stacks share the outermost stack's project, those included that were there before it.
    let all: Vec<String> = world.heat.stacks.keys().cloned().collect();
    for id in all {
        if nested::root_of(world, &id) == root
            && let Some(stack) = world.heat.stacks.get_mut(&id)
        {
            stack.user_project = Some(project.clone());
        }
    }
    project
}

impl WaitConditionHandle {
    /// Makes the user that may signal this resource, and a token for it.
    fn credentials(op: &mut Operation<'_>) -> Result<(String, String), Failure> {
        let keystone = |fault: crate::sim::ApiFault| client_failure(Service::Nova, &fault);
        let stack_id = op.stack_id.clone();
        let project = stack_user_project(op.world, &stack_id);
        let domain = op
            .world
            .domain_by_name("heat")
            .map(|d| d.id.clone())
            .unwrap_or_default();
        let name = op.physical_name()?;
        let password = op.world.new_hex_id();
        let user = op
            .world
            .create_user(&name, &domain, Secret::new(password))
            .map_err(keystone)?;
        op.world.ensure_role("heat_stack_user");
        op.world
            .grant(&user.id, Target::Project(project.clone()), "heat_stack_user");
        let token = op
            .world
            .issue_token(
                &user.id,
                Scope::Project(project.clone()),
                &["password"],
                None,
                None,
            )
            .map_err(keystone)?;
        op.keep("user_id", user.id);
        Ok((project, token.id))
    }
}

/// The signals that a handle has: identifier, status, reason, data.
pub(crate) fn signals(metadata: &Value) -> Vec<(String, String, String, Value)> {
    metadata
        .as_object()
        .into_iter()
        .flatten()
        .map(|(id, entry)| {
            let get = |key: &str| entry.get(key).map(py_str).unwrap_or_default();
            (
                id.clone(),
                get("status"),
                get("reason"),
                entry.get("data").cloned().unwrap_or_default(),
            )
        })
        .collect()
}

impl Plugin for WaitConditionHandle {
    fn kind(&self) -> &'static str {
        "OS::Heat::WaitConditionHandle"
    }

    fn properties(&self) -> Vec<Prop> {
        let transports = [
            "CFN_SIGNAL",
            "TEMP_URL_SIGNAL",
            "HEAT_SIGNAL",
            "NO_SIGNAL",
            "ZAQAR_SIGNAL",
            "TOKEN_SIGNAL",
        ];
        vec![
            Prop::text("signal_transport")
                .default("TOKEN_SIGNAL")
                .constrained(Constraint::allowed(&transports)),
        ]
    }

    fn attributes(&self) -> Vec<String> {
        names(&["token", "endpoint", "curl_cli", "signal"])
    }

    fn create(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        let (project, token) = Self::credentials(op)?;
        let stack = op.stack()?;
        let name = op.resource()?.name.clone();
        let endpoint = format!(
            "{}/orchestration/v1/{project}/stacks/{}/{}/resources/{name}/signal",
            op.world.base_url(),
            stack.name,
            stack.id
        );
        let transport = text(&op.properties()?, "signal_transport").unwrap_or_default();
        if transport == "TOKEN_SIGNAL" {
            op.keep("token", token.clone());
            op.keep("endpoint", endpoint.clone());
        }
        op.keep("signal_url", endpoint.clone());
        let signal = Signal {
            url: endpoint,
            token: (transport == "TOKEN_SIGNAL").then_some(token),
            stack_id: op.stack_id.clone(),
            resource: name,
            server_id: None,
        };
        op.world.register_signal(signal);
        op.world.heat.new_signals = true;
        let id = op.physical_name()?;
        op.set_physical_id(id);
        Ok(Step::Done)
    }

    fn delete(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        if let Some(user) = op.resource()?.data_text("user_id").map(str::to_owned) {
            // It may be gone already with the stack's project.
            let _ = op.world.delete_user(&user);
        }
        Ok(Step::Done)
    }

    fn attribute(&self, view: &View<'_>, name: &str, _path: &[Value]) -> Result<Attribute, HeatError> {
        let kept = |key: &str| view.resource.data_text(key);
        Ok(Attribute::whole(match name {
            "token" | "endpoint" => json!(kept(name)),
            "curl_cli" => match (kept("token"), kept("endpoint")) {
                (Some(token), Some(endpoint)) => json!(format!(
                    "curl -i -X POST -H 'X-Auth-Token: {token}' -H 'Content-Type: application/json' \
                     -H 'Accept: application/json' {endpoint}"
                )),
                _ => Value::Null,
            },
            "signal" => json!(crate::sim::hot::dumps(&json!({"alarm_url": kept("signal_url")}))),
            _ => Value::Null,
        }))
    }

    fn signal(&self, op: &mut Operation<'_>, details: &Value) -> Option<Result<String, HeatError>> {
        let mut entry = details.as_object().cloned().unwrap_or_default();
        let mut metadata = match op.resource() {
            Ok(resource) => resource.metadata.as_object().cloned().unwrap_or_default(),
            Err(error) => return Some(Err(error)),
        };
        let number = metadata.len() + 1;
        let mut or = |key: &str, value: Value| {
            entry.entry(key.to_owned()).or_insert(value);
        };
        or("reason", json!(format!("Signal {number} received")));
        or("data", Value::Null);
        or("id", json!(number));
        or("status", json!("SUCCESS"));
        let status = entry.get("status").map(py_str).unwrap_or_default();
        let known = ["reason", "data", "id", "status"];
        if entry.keys().any(|k| !known.contains(&k.as_str()))
            || !["SUCCESS", "FAILURE"].contains(&status.as_str())
        {
            return Some(Err(HeatError::new(
                crate::sim::hot::ErrorKind::HttpBadRequest,
                "Metadata format invalid",
            )));
        }
        let reason = entry.get("reason").map(py_str).unwrap_or_default();
        let id = entry.remove("id").map(|id| py_str(&id)).unwrap_or_default();
        metadata.insert(id, Value::Object(entry));
        op.change(|r| r.metadata = Value::Object(metadata));
        nudge_waiters(op);
        Some(Ok(format!("status:{status} reason:{reason}")))
    }
}

/// Lets the wait conditions of the stack look at their handles.
fn nudge_waiters(op: &mut Operation<'_>) {
    let Ok(stack) = op.stack() else { return };
    let waiters: Vec<u64> = stack
        .resources
        .values()
        .filter(|r| r.task.is_some() && r.plugin.kind() == "OS::Heat::WaitCondition")
        .map(|r| r.key)
        .collect();
    let stack_id = op.stack_id.clone();
    for key in waiters {
        work::nudge(op.world, &stack_id, key);
    }
}
