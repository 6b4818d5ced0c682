//! Trusts.

use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::super::api_fault::ApiFault;
use super::super::cloud::SimCloud;
use super::super::http_api::{Authenticated, JsonBody, Params, answer, at, empty, flag, required, text};
use super::super::world::World;
use super::super::world::identity::{Trust, TrustSpec};
use super::{Answer, time};

pub(super) async fn create(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    JsonBody(body): JsonBody,
) -> Answer {
    let roles = at(&body, &["trust", "roles"]).and_then(Value::as_array);
    let expires_at = match text(&body, &["trust", "expires_at"]) {
        None => None,
        Some(written) => Some(written.parse().map_err(|_| {
            ApiFault::bad_request("ValidationTimeStampError", "Timestamp not in expected format.")
        })?),
    };
    let count = at(&body, &["trust", "redelegation_count"]).and_then(Value::as_u64);
    let spec = TrustSpec {
        trustor_user_id: required(&body, &["trust", "trustor_user_id"])?,
        trustee_user_id: required(&body, &["trust", "trustee_user_id"])?,
        impersonation: flag(&body, &["trust", "impersonation"]).ok_or_else(|| {
            ApiFault::bad_request("ValidationError", "'impersonation' is a required property")
        })?,
        project_id: text(&body, &["trust", "project_id"]),
        roles: roles
            .into_iter()
            .flatten()
            .filter_map(|role| text(role, &["id"]).or_else(|| text(role, &["name"])))
            .collect(),
        allow_redelegation: flag(&body, &["trust", "allow_redelegation"]).unwrap_or(false),
        redelegation_count: count.and_then(|n| u32::try_from(n).ok()),
        expires_at,
    };
    let mut world = cloud.world();
    let trust = world.create_trust(&caller, spec)?;
    Ok(answer(201, json!({"trust": show_trust(&world, &trust, true)})))
}

pub(super) async fn list(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Params { 0: params }: Params,
) -> Answer {
    let world = cloud.world();
    let found = world.list_trusts(
        &caller,
        params.get("trustor_user_id").map(String::as_str),
        params.get("trustee_user_id").map(String::as_str),
    )?;
    // A list leaves out the roles.
    let trusts: Vec<Value> = found
        .iter()
        .map(|trust| show_trust(&world, trust, false))
        .collect();
    Ok(answer(
        200,
        json!({"trusts": trusts, "links": {"next": null, "previous": null}}),
    ))
}

pub(super) async fn show(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Answer {
    let world = cloud.world();
    let trust = world.visible_trust(&caller, &id)?;
    Ok(answer(200, json!({"trust": show_trust(&world, trust, true)})))
}

pub(super) async fn remove(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Answer {
    cloud.world().delete_trust(&caller, &id)?;
    Ok(empty(204))
}

fn show_trust(world: &World, trust: &Trust, with_roles: bool) -> Value {
    let mut shown = json!({
        "id": trust.id,
        "trustor_user_id": trust.trustor_user_id,
        "trustee_user_id": trust.trustee_user_id,
        "project_id": trust.project_id,
        "impersonation": trust.impersonation,
        "expires_at": trust.expires_at.map(time),
        "deleted_at": null,
        "remaining_uses": null,
        "redelegation_count": trust.redelegation_count,
        "redelegated_trust_id": trust.redelegated_trust_id,
        "links": {"self": format!("{}/identity/v3/OS-TRUST/trusts/{}", world.base_url(), trust.id)},
    });
    if with_roles {
        let roles: Vec<Value> = world
            .roles_by_id(&trust.role_ids)
            .iter()
            .map(|role| json!({"id": role.id, "name": role.name, "domain_id": null, "description": null}))
            .collect();
        shown["roles"] = Value::Array(roles);
    }
    shown
}
