//! What Octavia does not let hang on a load balancer.

use serde_json::{Map, Value};

use super::super::{ApiResult, World};
use super::part::{Part, PartKind, PartSpec};
use crate::sim::api_fault::ApiFault;

/// The protocols of pools that a listener's protocol can hand connections to.
const POOLS_OF_LISTENERS: &[(&str, &[&str])] = &[
    ("TCP", &["HTTP", "HTTPS", "PROXY", "PROXYV2", "TCP"]),
    ("HTTP", &["HTTP", "PROXY", "PROXYV2"]),
    ("HTTPS", &["HTTPS", "PROXY", "PROXYV2", "TCP"]),
    ("TERMINATED_HTTPS", &["HTTP", "PROXY", "PROXYV2"]),
    ("UDP", &["UDP"]),
    ("SCTP", &["SCTP"]),
];

fn text<'a>(settings: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    settings.get(key).and_then(Value::as_str)
}

/// Checks a part that is to be made for a load balancer, as the default pool of `listener` if there is one.
pub(super) fn check(world: &World, balancer: &str, listener: Option<&str>, spec: &PartSpec) -> ApiResult<()> {
    match spec.kind {
        PartKind::Listener => check_listener(world, balancer, spec),
        PartKind::Pool => match listener {
            Some(listener) => check_default_pool(world, listener, spec),
            None => Ok(()),
        },
        PartKind::Member => check_member(world, spec),
        PartKind::HealthMonitor => check_monitor(world, spec),
    }
}

fn siblings<'a>(world: &'a World, parent: &'a str, kind: PartKind) -> impl Iterator<Item = &'a Part> {
    world
        .load_balancing
        .parts()
        .filter(move |part| part.kind == kind && part.parent_id == parent)
}

fn check_listener(world: &World, balancer: &str, spec: &PartSpec) -> ApiResult<()> {
    let protocol = text(&spec.settings, "protocol").unwrap_or_default();
    let port = spec.settings.get("protocol_port");
    // A port of UDP and one of TCP are two.
    let taken = siblings(world, balancer, PartKind::Listener).any(|other| {
        let same_layer = (other.setting("protocol") == Some("UDP")) == (protocol == "UDP");
        other.settings.get("protocol_port") == port && same_layer
    });
    if taken {
        return Err(conflict(format!(
            "Another Listener on this Load Balancer is already using protocol_port {}",
            port.map(Value::to_string).unwrap_or_default()
        )));
    }
    let Some(pool) = text(&spec.settings, "default_pool_id") else {
        return Ok(());
    };
    let pool = siblings(world, balancer, PartKind::Pool)
        .find(|part| part.id == pool)
        .ok_or_else(|| ApiFault::not_found("Client", format!("Pool {pool} not found.")))?;
    check_protocols(protocol, pool.setting("protocol").unwrap_or_default())
}

fn check_default_pool(world: &World, listener: &str, spec: &PartSpec) -> ApiResult<()> {
    let listener = world.find_load_balancer_part(listener)?;
    if listener.setting("default_pool_id").is_some() {
        return Err(conflict("This listener already has a default pool".to_owned()));
    }
    check_protocols(
        listener.setting("protocol").unwrap_or_default(),
        text(&spec.settings, "protocol").unwrap_or_default(),
    )
}

fn check_protocols(listener: &str, pool: &str) -> ApiResult<()> {
    let known = POOLS_OF_LISTENERS.iter().find(|(name, _)| *name == listener);
    if known.is_none_or(|(_, pools)| pools.contains(&pool)) {
        return Ok(());
    }
    Err(ApiFault::bad_request(
        "Client",
        format!(
            "Validation failure: The pool protocol '{pool}' is invalid while the listener protocol is \
             '{listener}'."
        ),
    ))
}

fn check_member(world: &World, spec: &PartSpec) -> ApiResult<()> {
    let (address, port) = (spec.settings.get("address"), spec.settings.get("protocol_port"));
    if let Some(subnet) = text(&spec.settings, "subnet_id") {
        world
            .find_subnet(subnet)
            .map_err(|_| ApiFault::bad_request("Client", format!("Subnet {subnet} not found.")))?;
    }
    let taken = siblings(world, &spec.parent_id, PartKind::Member)
        .any(|other| other.settings.get("address") == address && other.settings.get("protocol_port") == port);
    if taken {
        return Err(conflict(format!(
            "Another member on this pool is already using ip {} on protocol_port {}",
            address.and_then(Value::as_str).unwrap_or_default(),
            port.map(Value::to_string).unwrap_or_default()
        )));
    }
    Ok(())
}

fn check_monitor(world: &World, spec: &PartSpec) -> ApiResult<()> {
    let kind = text(&spec.settings, "type").unwrap_or_default();
    if !matches!(kind, "HTTP" | "HTTPS") {
        let stray = ["http_method", "url_path", "expected_codes"]
            .into_iter()
            .find(|key| spec.settings.contains_key(*key));
        if let Some(stray) = stray {
            return Err(ApiFault::bad_request(
                "Client",
                format!("{stray} is not a valid option for health monitors of type {kind}"),
            ));
        }
    }
    if siblings(world, &spec.parent_id, PartKind::HealthMonitor)
        .next()
        .is_some()
    {
        return Err(conflict("This pool already has a health monitor".to_owned()));
    }
    Ok(())
}

fn conflict(message: String) -> ApiFault {
    ApiFault::conflict("Client", message)
}
