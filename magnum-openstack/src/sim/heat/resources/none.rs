//! `OS::Heat::None`: takes everything, is nothing.

use crate::sim::heat::plugin::{Failure, Operation, Plugin, Step};
use crate::sim::heat::schema::Prop;

#[derive(Debug)]
pub(crate) struct None;

impl Plugin for None {
    fn kind(&self) -> &'static str {
        "OS::Heat::None"
    }

    fn properties(&self) -> Vec<Prop> {
        Vec::new()
    }

    fn is_open(&self) -> bool {
        true
    }

    fn takes_time(&self) -> bool {
        false
    }

    fn create(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        let id = op.world.new_uuid();
        op.set_physical_id(id);
        Ok(Step::Done)
    }
}
