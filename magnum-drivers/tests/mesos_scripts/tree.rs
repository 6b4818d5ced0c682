//! Everything that the scripts leave on a server.

use std::fmt::Write as _;

use crate::support::stacks::{BOTH, Role, masters};
use crate::support::tree;
use crate::{everything, plain, server};

#[test]
fn a_master_and_a_slave_with_nothing_and_with_everything() {
    for (which, mut cluster) in [("plain", plain()), ("full", everything())] {
        masters(&mut cluster, 3);
        for role in BOTH {
            let server = server(&cluster, role);
            server.configures();
            let mut text = format!("commands:\n  {}\n", tree::commands(&server).join("\n  "));
            writeln!(text, "signal:\n  {}", server.signal()).unwrap();
            tree::render(&server, &server.path(""), &mut text);
            let name = match role {
                Role::Master(_) => "master",
                Role::Minion(_) => "slave",
            };
            insta::assert_snapshot!(format!("{which}_{name}"), text);
        }
    }
}
