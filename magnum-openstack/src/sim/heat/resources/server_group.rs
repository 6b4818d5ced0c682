//! `OS::Nova::ServerGroup`.

use serde_json::json;

use super::{text, texts};
use crate::sim::heat::plugin::{Failure, Operation, Plugin, Step};
use crate::sim::heat::schema::Prop;
use crate::sim::hot::Constraint;

#[derive(Debug)]
pub(crate) struct ServerGroup;

impl Plugin for ServerGroup {
    fn kind(&self) -> &'static str {
        "OS::Nova::ServerGroup"
    }

    fn properties(&self) -> Vec<Prop> {
        let policies =
            Constraint::allowed(&["anti-affinity", "affinity", "soft-anti-affinity", "soft-affinity"]);
        vec![
            Prop::text("name"),
            Prop::list("policies")
                .default(json!(["anti-affinity"]))
                .constrained(policies),
            Prop::keys("rules", vec![Prop::integer("max_server_per_host")]),
        ]
    }

    fn create(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        let properties = op.properties()?;
        let name = match text(&properties, "name") {
            Some(name) => name,
            None => op.physical_name()?,
        };
        let policies = texts(&properties, "policies").unwrap_or_default();
        let project = op.project()?;
        let group = op
            .world
            .create_server_group(&project, &name, policies)
            .map_err(|e| op.nova(&e))?;
        op.set_physical_id(group.id);
        Ok(Step::Done)
    }

    fn delete(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        if let Some(id) = op.physical_id()? {
            // That it is gone already is success.
            let _ = op.world.delete_server_group(&id);
        }
        Ok(Step::Done)
    }
}
