//! The simulated Heat: it evaluates real templates and drives the simulated cloud as they say.
//!
//! State changes lazily: each request first brings every stack forward to its own time, moment by moment, so
//! that it makes no difference when somebody looked.

pub(crate) mod api;
pub(crate) mod client_failure;
pub(crate) mod custom;
pub(crate) mod engine;
pub(crate) mod plugin;
pub(crate) mod resources;
pub(crate) mod schema;
pub(crate) mod stack;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::Timestamp;

pub(crate) use self::api::routes;
use self::engine::queue::{self, Queue};
use self::stack::{Key, Resource, Stack};
use super::world::World;

/// What Heat knows; kept in [`World::heat`].
#[derive(Debug)]
pub struct Heat {
    pub(crate) stacks: BTreeMap<String, Stack>,
    /// Identifiers of the stacks, oldest first.
    pub(crate) order: Vec<String>,
    pub(crate) queue: Queue,
    /// The moment up to which everything that was due is done.
    pub(crate) reached: Timestamp,
    /// Whether a signal was handed out that a booted guest may have to send at once.
    pub(crate) new_signals: bool,
    /// Stored configurations, by identifier.
    pub(crate) configs: BTreeMap<String, resources::StoredConfig>,
    counter: u64,
}

impl Default for Heat {
    fn default() -> Self {
        Self {
            stacks: BTreeMap::new(),
            order: Vec::new(),
            queue: Queue::default(),
            reached: Timestamp::MIN,
            new_signals: false,
            configs: BTreeMap::new(),
            counter: 0,
        }
    }
}

impl Heat {
    /// A number that was not handed out before.
    pub(crate) fn fresh(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    /// The names of a project's stacks that are not deleted, oldest first; nested ones are not listed.
    #[must_use]
    pub fn stacks_of(&self, project: &str) -> Vec<String> {
        self.order
            .iter()
            .filter_map(|id| self.stacks.get(id))
            .filter(|s| s.owner.project_id == project && s.parent.is_none() && !s.is_deleted())
            .map(|s| s.name.clone())
            .collect()
    }

    /// A resource of a stack.
    pub(crate) fn resource(&self, stack_id: &str, key: Key) -> Option<&Resource> {
        self.stacks.get(stack_id)?.resources.get(&key)
    }

    /// A resource of a stack, to change it.
    pub(crate) fn resource_mut(&mut self, stack_id: &str, key: Key) -> Option<&mut Resource> {
        self.stacks.get_mut(stack_id)?.resources.get_mut(&key)
    }
}

/// Brings every stack forward to [`World::now`]. Runs before every request.
pub fn advance(world: &mut World) {
    queue::catch_up(world);
}
