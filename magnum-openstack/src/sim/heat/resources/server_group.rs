//! `OS::Nova::ServerGroup`.

use serde_json::json;

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
        let id = op.world.new_uuid();
        op.set_physical_id(id);
        Ok(Step::Done)
    }
}
