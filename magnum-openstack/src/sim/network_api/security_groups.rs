//! Security groups and their rules.

use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::super::api_fault::ApiFault;
use super::super::cloud::SimCloud;
use super::super::http_api::{Authenticated, JsonBody, Params, answer, at, empty, required, text};
use super::super::world::World;
use super::super::world::identity::Caller;
use super::super::world::network::{SecurityGroup, SecurityGroupRule, SecurityGroupRuleSpec};
use super::{Answer, filtered, owns};

pub(super) async fn list(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Params { 0: params }: Params,
) -> Answer {
    let mut world = cloud.world();
    if !caller.project().is_empty() {
        world.default_security_group(caller.project());
    }
    let all = world
        .network
        .security_groups()
        .filter(|group| owns(&caller, &group.project_id));
    let shown = all.map(show_group).collect();
    Ok(answer(200, json!({"security_groups": filtered(shown, &params)})))
}

pub(super) async fn show(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Answer {
    let world = cloud.world();
    Ok(answer(
        200,
        json!({"security_group": show_group(visible_group(&world, &caller, &id)?)}),
    ))
}

pub(super) async fn create(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    JsonBody(body): JsonBody,
) -> Answer {
    let name = required(&body, &["security_group", "name"])?;
    let description = text(&body, &["security_group", "description"]).unwrap_or_default();
    let group = cloud
        .world()
        .create_security_group(caller.project(), &name, &description)?;
    Ok(answer(201, json!({"security_group": show_group(&group)})))
}

pub(super) async fn remove(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Answer {
    let mut world = cloud.world();
    visible_group(&world, &caller, &id)?;
    world.delete_security_group(&id)?;
    Ok(empty(204))
}

pub(super) async fn list_rules(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Params { 0: params }: Params,
) -> Answer {
    let world = cloud.world();
    let groups = world
        .network
        .security_groups()
        .filter(|group| owns(&caller, &group.project_id));
    let shown = groups
        .flat_map(|group| group.rules.iter().map(|rule| show_rule(group, rule)))
        .collect();
    Ok(answer(
        200,
        json!({"security_group_rules": filtered(shown, &params)}),
    ))
}

pub(super) async fn create_rule(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    JsonBody(body): JsonBody,
) -> Answer {
    let body = at(&body, &["security_group_rule"]).cloned().unwrap_or_default();
    let group = required(&body, &["security_group_id"])?;
    let port = |key: &str| {
        at(&body, &[key])
            .and_then(Value::as_u64)
            .and_then(|p| u16::try_from(p).ok())
    };
    let spec = SecurityGroupRuleSpec {
        direction: required(&body, &["direction"])?,
        ethertype: text(&body, &["ethertype"]).unwrap_or_else(|| "IPv4".to_owned()),
        protocol: text(&body, &["protocol"]),
        port_range_min: port("port_range_min"),
        port_range_max: port("port_range_max"),
        remote_ip_prefix: text(&body, &["remote_ip_prefix"]),
        remote_group_id: text(&body, &["remote_group_id"]),
    };
    let mut world = cloud.world();
    visible_group(&world, &caller, &group)?;
    let rule = world.create_security_group_rule(&group, spec)?;
    let group = world.find_security_group(&group)?;
    Ok(answer(
        201,
        json!({"security_group_rule": show_rule(group, &rule)}),
    ))
}

pub(super) async fn remove_rule(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Answer {
    let mut world = cloud.world();
    let own = world
        .network
        .security_groups()
        .any(|group| owns(&caller, &group.project_id) && group.rules.iter().any(|rule| rule.id == id));
    if !own {
        return Err(ApiFault::not_found(
            "SecurityGroupRuleNotFound",
            format!("Security group rule {id} does not exist"),
        )
        .into());
    }
    world.delete_security_group_rule(&id)?;
    Ok(empty(204))
}

fn visible_group<'a>(world: &'a World, caller: &Caller, id: &str) -> Result<&'a SecurityGroup, ApiFault> {
    let group = world.find_security_group(id)?;
    if owns(caller, &group.project_id) {
        return Ok(group);
    }
    Err(ApiFault::not_found(
        "SecurityGroupNotFound",
        format!("Security group {id} does not exist"),
    ))
}

fn show_group(group: &SecurityGroup) -> Value {
    let rules: Vec<Value> = group.rules.iter().map(|rule| show_rule(group, rule)).collect();
    json!({
        "id": group.id,
        "name": group.name,
        "description": group.description,
        "project_id": group.project_id,
        "tenant_id": group.project_id,
        "stateful": true,
        "security_group_rules": rules,
        "tags": [],
    })
}

fn show_rule(group: &SecurityGroup, rule: &SecurityGroupRule) -> Value {
    json!({
        "id": rule.id,
        "security_group_id": group.id,
        "project_id": group.project_id,
        "tenant_id": group.project_id,
        "direction": rule.spec.direction,
        "ethertype": rule.spec.ethertype,
        "protocol": rule.spec.protocol,
        "port_range_min": rule.spec.port_range_min,
        "port_range_max": rule.spec.port_range_max,
        "remote_ip_prefix": rule.spec.remote_ip_prefix,
        "remote_group_id": rule.spec.remote_group_id,
        "description": "",
    })
}
