//! Everything that the scripts leave on a server.

use crate::ENDPOINT;
use crate::support::stacks::{BOTH, Role, SWARM};
use crate::support::tree;

#[test]
fn a_manager_and_a_node_with_all_that_is_the_default() {
    for role in BOTH {
        let name = match role {
            Role::Master(_) => "manager",
            Role::Minion(_) => "node",
        };
        insta::assert_snapshot!(name, tree::of_a_boot(SWARM, role, &ENDPOINT));
    }
}
