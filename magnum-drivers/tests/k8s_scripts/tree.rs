//! Everything that the scripts leave on a server.

pub(crate) use crate::support::tree::commands;

use crate::support::stacks::{ATOMIC, KUBERNETES, Role};
use crate::support::tree;
use crate::{BOTH, ENDPOINT};

#[test]
fn a_master_and_a_node_with_all_that_is_the_default() {
    let servers = KUBERNETES
        .into_iter()
        .flat_map(|driver| BOTH.map(|role| (driver, role)));
    for (driver, role) in servers {
        let name = match role {
            Role::Master(_) => "master",
            Role::Minion(_) => "minion",
        };
        let of_driver = if driver == ATOMIC {
            name.to_owned()
        } else {
            format!("{driver}_{name}")
        };
        insta::assert_snapshot!(of_driver, tree::of_a_boot(driver, role, &ENDPOINT));
    }
}
