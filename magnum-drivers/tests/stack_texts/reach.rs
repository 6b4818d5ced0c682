//! Which ports of a Swarm cluster's servers the security groups open, and to whom.

use serde_json::Value;

use crate::support::stacks::*;
use crate::support::yaml;

const MASTER: &str = "secgroup_swarm_master";
const NODE: &str = "secgroup_swarm_node";
const WORLD: &str = "everybody";

fn top() -> Value {
    yaml(&driver_named(SWARM).definition().template().template)
}

/// Whether a rule is about a port; where it takes the port from a parameter, its default counts.
fn about(top: &Value, rule: &Value, protocol: &str, port: u64) -> bool {
    let end = |name: &str, open: u64| match &rule[name] {
        Value::Null => open,
        Value::Number(number) => number.as_u64().unwrap(),
        other => {
            let parameter = other["get_param"].as_str().unwrap();
            top["parameters"][parameter]["default"].as_u64().unwrap()
        }
    };
    rule["protocol"] == protocol && (end("port_range_min", 0)..=end("port_range_max", 65535)).contains(&port)
}

/// Whether one may say something to a port of another.
fn reaches(top: &Value, from: &str, to: &str, protocol: &str, port: u64) -> bool {
    let open = top["resources"][to]["properties"]["rules"].as_array().unwrap();
    let between = top["resources"].as_object().unwrap().values().filter(|resource| {
        let properties = &resource["properties"];
        resource["type"] == "OS::Neutron::SecurityGroupRule"
            && properties["security_group"]["get_resource"] == to
            && properties["remote_group"]["get_resource"] == from
    });
    let between = between.map(|resource| &resource["properties"]);
    open.iter()
        .chain(between)
        .any(|rule| about(top, rule, protocol, port))
}

#[test]
fn each_port_of_swarm_is_open_to_those_who_need_it() {
    let top = top();
    let all = [WORLD, MASTER, NODE];
    for (to, protocol, port, who) in [
        (MASTER, "tcp", 22, &all[..]),
        (MASTER, "tcp", 2376, &all),
        (MASTER, "tcp", 2375, &[MASTER]),
        (MASTER, "tcp", 2379, &[MASTER, NODE]),
        (MASTER, "tcp", 2380, &[MASTER]),
        (MASTER, "udp", 8472, &[]),
        (NODE, "tcp", 22, &all),
        (NODE, "tcp", 2374, &[NODE]),
        (NODE, "tcp", 2375, &[MASTER]),
        (NODE, "tcp", 2376, &[NODE]),
        (NODE, "tcp", 5000, &[NODE]),
        (NODE, "tcp", 7946, &[NODE]),
        (NODE, "udp", 7946, &[NODE]),
        (NODE, "udp", 4789, &[NODE]),
        (NODE, "udp", 8285, &[NODE]),
        (NODE, "udp", 8472, &[NODE]),
        (NODE, "tcp", 29_999, &[NODE]),
        (NODE, "tcp", 30_000, &all),
        (NODE, "udp", 61_000, &all),
        (NODE, "tcp", 61_001, &[NODE]),
    ] {
        let found: Vec<&str> = all
            .into_iter()
            .filter(|from| reaches(&top, from, to, protocol, port))
            .collect();
        assert_eq!(found, who, "{to} {port}/{protocol}");
    }
}
