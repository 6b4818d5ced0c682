//! Everything that the scripts leave on a server.

use crate::support::stacks::{BOTH, Role, SWARM, cluster_of, masters};
use crate::support::tree;
use crate::{ENDPOINT, everything};

fn name(role: Role) -> &'static str {
    match role {
        Role::Master(_) => "manager",
        Role::Minion(_) => "node",
    }
}

#[test]
fn a_manager_and_a_node_with_all_that_is_the_default() {
    for role in BOTH {
        let tree = tree::of_a_first_boot(&cluster_of(SWARM), role, &ENDPOINT);
        insta::assert_snapshot!(name(role), tree);
    }
}

#[test]
fn one_of_several_managers_and_a_node_with_everything() {
    let mut cluster = everything();
    masters(&mut cluster, 3);
    for role in [Role::Master(1), Role::Minion(1)] {
        let tree = tree::of_a_first_boot(&cluster, role, &ENDPOINT);
        insta::assert_snapshot!(format!("full_{}", name(role)), tree);
    }
}
