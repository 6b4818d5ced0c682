//! What is due when. Time stands still between requests; the next one catches up, moment by moment.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::super::stack::Key;
use super::{finish, signal, traversal, work};
use crate::sim::World;

/// Something to do at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wake {
    /// Start what is ready in a stack's traversal.
    Progress { stack_id: String, traversal: u64 },
    /// Look at the work on a resource.
    Poll { stack_id: String, key: Key, task: u64 },
    /// A stack's time is up.
    Timeout { stack_id: String, traversal: u64 },
}

/// Things to do, in order of time, then of arrival.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    due: BTreeMap<(Timestamp, u64), Wake>,
    arrivals: u64,
}

impl Queue {
    /// Adds something to do.
    pub(crate) fn push(&mut self, at: Timestamp, wake: Wake) {
        self.arrivals += 1;
        self.due.insert((at, self.arrivals), wake);
    }

    fn first(&self) -> Option<Timestamp> {
        self.due.keys().next().map(|(at, _)| *at)
    }

    fn take(&mut self, until: Timestamp) -> Option<Wake> {
        let (key, _) = self.due.first_key_value()?;
        let key = (key.0 <= until).then_some(*key)?;
        self.due.remove(&key)
    }
}

/// Brings every stack forward to now.
pub(crate) fn catch_up(world: &mut World) {
    let now = world.now();
    loop {
        let queued = world.heat.queue.first().map(|at| at.max(world.heat.reached));
        let booted = world.next_boot_after(world.heat.reached);
        let signals = std::mem::take(&mut world.heat.new_signals);
        // A signal that was handed out after the boot's end is sent at once.
        let at = match (queued, booted) {
            _ if signals => world.heat.reached,
            (Some(queued), Some(booted)) => queued.min(booted),
            (Some(at), None) | (None, Some(at)) => at,
            (None, None) => break,
        };
        if at > now {
            break;
        }
        let boots = signals || booted == Some(at);
        world.heat.reached = at;
        world.as_of(at, |world| {
            world.settle();
            if boots {
                deliver_boots(world, at);
            }
            while let Some(wake) = world.heat.queue.take(at) {
                run(world, wake);
            }
        });
    }
    world.heat.reached = world.heat.reached.max(now);
}

fn run(world: &mut World, wake: Wake) {
    match wake {
        Wake::Progress { stack_id, traversal } => {
            let current = world
                .heat
                .stacks
                .get(&stack_id)
                .and_then(|s| s.traversal.as_ref())
                .map(|t| t.id);
            if current == Some(traversal) {
                traversal::progress(world, &stack_id);
            }
        }
        Wake::Poll { stack_id, key, task } => work::poll(world, &stack_id, key, task),
        Wake::Timeout { stack_id, traversal } => finish::time_out(world, &stack_id, traversal),
    }
}

/// Delivers what the guests say whose boot has ended.
fn deliver_boots(world: &mut World, at: Timestamp) {
    for boot in world.due_boots(at) {
        for sent in boot.signals {
            let details = match &boot.outcome {
                Ok(()) => serde_json::json!({"status": "SUCCESS"}),
                Err(reason) => serde_json::json!({"status": "FAILURE", "reason": reason}),
            };
            // A guest cannot tell whether anyone listens: a stack that is gone hears nothing.
            let _ = signal::signal(world, &sent.stack_id, &sent.resource, &details);
        }
    }
}
