//! The dependency graph.

use std::collections::{BTreeMap, BTreeSet};

use super::error::{ErrorKind, HeatError};

/// A circle of names.
pub(crate) type Cycle = Vec<String>;

/// A circle in `requires`, if there is one.
pub(crate) fn cycle(requires: &BTreeMap<String, BTreeSet<String>>) -> Option<Cycle> {
    let mut remaining: BTreeMap<&str, BTreeSet<&str>> = requires
        .iter()
        .map(|(name, needs)| {
            (
                name.as_str(),
                needs
                    .iter()
                    .map(String::as_str)
                    .filter(|n| requires.contains_key(*n))
                    .collect(),
            )
        })
        .collect();
    loop {
        let free: Vec<&str> = remaining
            .iter()
            .filter(|(_, needs)| needs.is_empty())
            .map(|(name, _)| *name)
            .collect();
        if free.is_empty() {
            break;
        }
        for name in free {
            remaining.remove(name);
            for needs in remaining.values_mut() {
                needs.remove(name);
            }
        }
    }
    // Everything left stands on a circle or before one: walk until a name comes back.
    let (&start, _) = remaining.iter().next()?;
    let mut walk = vec![start];
    loop {
        let next = walk
            .last()
            .and_then(|last| remaining.get(last))
            .and_then(|needs| needs.iter().next())?;
        if let Some(at) = walk.iter().position(|seen| seen == next) {
            return Some(walk.split_off(at).into_iter().map(str::to_owned).collect());
        }
        walk.push(next);
    }
}

/// Refuses a graph with a circle; `shown` prints a name in the message.
///
/// # Errors
/// `CircularDependencyException` that names the circle.
pub(crate) fn check(
    requires: &BTreeMap<String, BTreeSet<String>>,
    shown: &dyn Fn(&str) -> String,
) -> Result<(), HeatError> {
    let Some(names) = cycle(requires) else {
        return Ok(());
    };
    let next = names.iter().skip(1).chain(names.first());
    let edges: Vec<String> = names
        .iter()
        .zip(next)
        .map(|(name, needs)| format!("{}: {{{}}}", shown(name), shown(needs)))
        .collect();
    Err(HeatError::new(
        ErrorKind::CircularDependencyException,
        format!("Circular Dependency Found: {{{}}}", edges.join(", ")),
    ))
}
