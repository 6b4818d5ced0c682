//! Custom constraints: whether what a value names exists in the cloud.

use serde_json::Value;

use super::stack::Owner;
use crate::sim::World;
use crate::sim::hot::py_str;
use crate::sim::world::load_balancing::PartKind;

/// Checks `value` against the constraint `name`, as the owner of a stack sees the cloud.
///
/// # Errors
/// The message for a value that names nothing, or a constraint that does not exist.
pub(crate) fn check(world: &World, owner: &Owner, name: &str, value: &Value) -> Result<(), String> {
    let text = py_str(value);
    // An empty value names nothing and is let through where a property is optional.
    let problem: Option<String> = match name {
        "nova.flavor" => world
            .resolve_flavor(&text)
            .is_err()
            .then(|| format!("No Flavor matching {{'name': '{text}'}}. (HTTP 404)")),
        "nova.keypair" => world
            .find_keypair(&owner.user_id, &text)
            .is_err()
            .then(|| format!("The Key ({text}) could not be found.")),
        "nova.server" => world
            .find_server(&text)
            .is_err()
            .then(|| format!("The Server ({text}) could not be found.")),
        "nova.network" | "neutron.network" => world
            .resolve_network(&owner.project_id, &text)
            .is_err()
            .then(|| format!("Unable to find network with name or id '{text}'")),
        "neutron.subnet" => world
            .resolve_subnet(&owner.project_id, &text)
            .is_err()
            .then(|| format!("Unable to find subnet with name or id '{text}'")),
        "neutron.port" => world
            .find_port(&text)
            .is_err()
            .then(|| format!("Unable to find port with name or id '{text}'")),
        "neutron.router" => world
            .find_router(&text)
            .is_err()
            .then(|| format!("Unable to find router with name or id '{text}'")),
        "neutron.security_group" => (!world
            .network
            .security_groups()
            .any(|g| g.project_id == owner.project_id && (g.id == text || g.name == text))
            && text != "default")
            .then(|| format!("Unable to find security_group with name or id '{text}'")),
        "glance.image" => world
            .resolve_image(&owner.project_id, &text)
            .is_err()
            .then(|| format!("No images matching {{'name': '{text}'}}.")),
        "cinder.volume" => world
            .find_volume(&text)
            .map_or(true, |volume| volume.project_id != owner.project_id)
            .then(|| format!("The Volume ({text}) could not be found.")),
        "cinder.vtype" => world
            .resolve_volume_type(&text)
            .is_err()
            .then(|| format!("The VolumeType ({text}) could not be found.")),
        "octavia.loadbalancer" => world
            .resolve_load_balancer(&owner.project_id, &text)
            .err()
            .map(|e| format!("{e} (HTTP 404)")),
        "octavia.listener" | "octavia.pool" => {
            let kind = if name == "octavia.pool" {
                PartKind::Pool
            } else {
                PartKind::Listener
            };
            world
                .resolve_load_balancer_part(&owner.project_id, kind, &text)
                .err()
                .map(|e| format!("{e} (HTTP 404)"))
        }
        // There are none of these.
        "cinder.snapshot" => Some(format!("The VolumeSnapshot ({text}) could not be found.")),
        "cinder.backup" => Some(format!("The Volume backup ({text}) could not be found.")),
        "ip_addr" => text
            .parse::<std::net::IpAddr>()
            .is_err()
            .then(|| "Invalid IP address".to_owned()),
        "net_cidr" => text
            .parse::<ipnet::IpNet>()
            .is_err()
            .then(|| format!("Invalid net cidr invalid IPNetwork {text}")),
        "mac_addr" | "dns_name" | "dns_domain" | "timezone" | "cron_expression" | "expiration"
        | "keystone.project" | "keystone.user" | "octavia.flavor" => None,
        _ => {
            return Err(format!(
                "\"{text}\" does not validate {name} (constraint not found)"
            ));
        }
    };
    match problem {
        Some(problem) => Err(format!("Error validating value '{text}': {problem}")),
        None => Ok(()),
    }
}
