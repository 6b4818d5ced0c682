//! Nova's API, version 2.1.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::api_fault::ApiFault;
use super::cloud::SimCloud;
use super::http_api::{Authenticated, JsonBody, Params, answer, at, empty, flag, required, text};
use super::world::World;
use super::world::compute::{Flavor, NetworkRequest, Server, ServerSpec};
use super::world::identity::Caller;

/// A refusal in Nova's shape: the key names the kind of status.
struct Refused(ApiFault);

impl From<ApiFault> for Refused {
    fn from(fault: ApiFault) -> Self {
        Self(fault)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let ApiFault { status, message, .. } = self.0;
        let key = match status {
            400 => "badRequest",
            401 => "unauthorized",
            403 => "forbidden",
            404 => "itemNotFound",
            409 => "conflictingRequest",
            413 => "overLimit",
            _ => "computeFault",
        };
        answer(status, json!({ key: {"code": status, "message": message} }))
    }
}

type Answer = Result<Response, Refused>;

pub(super) fn routes() -> Router<SimCloud> {
    Router::new()
        .route("/v2.1", get(version))
        .route("/v2.1/", get(version))
        .route("/v2.1/flavors", get(flavors))
        .route("/v2.1/flavors/detail", get(flavors))
        .route("/v2.1/flavors/{flavor}", get(flavor))
        .route("/v2.1/os-keypairs", get(keypairs))
        .route("/v2.1/os-keypairs/{keypair}", get(keypair))
        .route("/v2.1/limits", get(limits))
        .route("/v2.1/servers", get(servers).post(create))
        .route("/v2.1/servers/detail", get(servers))
        .route("/v2.1/servers/{server}", get(server).delete(remove))
}

async fn version(State(cloud): State<SimCloud>) -> Response {
    let href = format!("{}/compute/v2.1/", cloud.base_url());
    answer(
        200,
        json!({"version": {
            "id": "v2.1", "status": "CURRENT", "version": "2.93", "min_version": "2.1",
            "updated": "2013-07-23T11:33:21Z", "links": [{"rel": "self", "href": href}],
        }}),
    )
}

async fn flavors(State(cloud): State<SimCloud>, _: Authenticated) -> Response {
    let world = cloud.world();
    let mut found: Vec<&Flavor> = world.compute.flavors().collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    let found: Vec<Value> = found.into_iter().map(show_flavor).collect();
    answer(200, json!({"flavors": found}))
}

async fn flavor(State(cloud): State<SimCloud>, _: Authenticated, Path(id): Path<String>) -> Answer {
    let world = cloud.world();
    Ok(answer(
        200,
        json!({"flavor": show_flavor(world.find_flavor(&id)?)}),
    ))
}

async fn keypairs(State(cloud): State<SimCloud>, Authenticated(caller): Authenticated) -> Response {
    let world = cloud.world();
    let found: Vec<Value> = world
        .compute
        .keypairs()
        .filter(|keypair| keypair.user_id == caller.user_id)
        .map(|k| json!({"keypair": {"name": k.name, "public_key": k.public_key, "fingerprint": k.fingerprint}}))
        .collect();
    answer(200, json!({"keypairs": found}))
}

async fn keypair(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(name): Path<String>,
) -> Answer {
    let world = cloud.world();
    let keypair = world.find_keypair(&caller.user_id, &name)?;
    Ok(answer(
        200,
        json!({"keypair": {
            "name": keypair.name,
            "user_id": keypair.user_id,
            "public_key": keypair.public_key,
            "fingerprint": keypair.fingerprint,
        }}),
    ))
}

async fn limits(State(cloud): State<SimCloud>, Authenticated(caller): Authenticated) -> Response {
    let world = cloud.world();
    let project = caller.project();
    let limit = |resource: &str| world.compute_quota(project, resource);
    let used = |resource: &str| world.compute_usage(project, resource);
    answer(
        200,
        json!({"limits": {"rate": [], "absolute": {
            "maxTotalInstances": limit("instances"),
            "maxTotalCores": limit("cores"),
            "maxTotalRAMSize": limit("ram"),
            "maxTotalKeypairs": limit("key_pairs"),
            "maxServerGroups": limit("server_groups"),
            "maxServerGroupMembers": limit("server_group_members"),
            "maxServerMeta": limit("metadata_items"),
            "totalInstancesUsed": used("instances"),
            "totalCoresUsed": used("cores"),
            "totalRAMUsed": used("ram"),
            "totalServerGroupsUsed": used("server_groups"),
        }}}),
    )
}

async fn servers(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Params { 0: params }: Params,
) -> Response {
    let world = cloud.world();
    let everyone = caller.is_admin() && params.get("all_tenants").is_some_and(|all| all != "0");
    let found: Vec<Value> = world
        .compute
        .servers()
        .filter(|server| everyone || server.project_id == caller.project())
        .filter(|server| {
            params
                .get("name")
                .is_none_or(|name| server.name.contains(name.as_str()))
        })
        .filter(|server| {
            params
                .get("status")
                .is_none_or(|status| server.status(world.now()) == status)
        })
        .map(|server| show_server(&world, server))
        .collect();
    answer(200, json!({"servers": found}))
}

async fn server(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Answer {
    let world = cloud.world();
    Ok(answer(
        200,
        json!({"server": show_server(&world, own_server(&world, &caller, &id)?)}),
    ))
}

async fn create(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    JsonBody(body): JsonBody,
) -> Answer {
    let body = at(&body, &["server"]).cloned().unwrap_or_default();
    let mut world = cloud.world();
    let name = required(&body, &["name"])?;
    let networks = match at(&body, &["networks"]).and_then(Value::as_array) {
        Some(items) => items
            .iter()
            .map(|item| requested_network(&world, &caller, item))
            .collect::<Result<_, _>>()?,
        None => Vec::new(),
    };
    let user_data = match text(&body, &["user_data"]) {
        None => None,
        Some(encoded) => {
            let invalid = || ApiFault::bad_request("BadRequest", "Userdata content cannot be decoded");
            let bytes = BASE64_STANDARD.decode(encoded).map_err(|_| invalid())?;
            Some(String::from_utf8(bytes).map_err(|_| invalid())?)
        }
    };
    let metadata: BTreeMap<String, String> = at(&body, &["metadata"])
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect();
    let spec = ServerSpec {
        user_id: caller.user_id.clone(),
        image_id: text(&body, &["imageRef"]).unwrap_or_default(),
        flavor_id: required(&body, &["flavorRef"])?,
        key_name: text(&body, &["key_name"]),
        networks,
        user_data,
        metadata,
        config_drive: flag(&body, &["config_drive"]).unwrap_or(false),
        fails_with: world.resource_failure("OS::Nova::Server", &name),
        name,
        ..ServerSpec::default()
    };
    let server = world.create_server(caller.project(), spec)?;
    let href = format!("{}/compute/v2.1/servers/{}", world.base_url(), server.id);
    Ok(answer(
        202,
        json!({"server": {"id": server.id, "links": [{"rel": "self", "href": href}]}}),
    ))
}

async fn remove(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Answer {
    let mut world = cloud.world();
    own_server(&world, &caller, &id)?;
    world.delete_server(&id)?;
    Ok(empty(204))
}

fn requested_network(world: &World, caller: &Caller, item: &Value) -> Result<NetworkRequest, ApiFault> {
    if let Some(port) = text(item, &["port"]) {
        let visible = world
            .find_port(&port)
            .is_ok_and(|p| p.project_id == caller.project());
        return if visible {
            Ok(NetworkRequest::Port(port))
        } else {
            Err(ApiFault::bad_request(
                "BadRequest",
                format!("Port id {port} could not be found."),
            ))
        };
    }
    Ok(NetworkRequest::Network {
        network_id: required(item, &["uuid"])?,
        fixed_ip: text(item, &["fixed_ip"]),
    })
}

/// A server of the caller's project; another project's does not exist.
fn own_server<'a>(world: &'a World, caller: &Caller, id: &str) -> Result<&'a Server, ApiFault> {
    world
        .find_server(id)
        .ok()
        .filter(|s| s.project_id == caller.project() || caller.is_admin())
        .ok_or_else(|| ApiFault::not_found("InstanceNotFound", format!("Instance {id} could not be found.")))
}

fn show_flavor(flavor: &Flavor) -> Value {
    json!({
        "id": flavor.id,
        "name": flavor.name,
        "ram": flavor.ram_mib,
        "vcpus": flavor.vcpus,
        "disk": flavor.disk_gib,
        "swap": "",
        "rxtx_factor": 1.0,
        "OS-FLV-DISABLED:disabled": false,
        "OS-FLV-EXT-DATA:ephemeral": 0,
        "os-flavor-access:is_public": true,
        "links": [],
    })
}

fn show_server(world: &World, server: &Server) -> Value {
    let now = world.now();
    let mut addresses: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for (network, address) in world.server_addresses(server) {
        addresses.entry(network).or_default().push(json!({
            "addr": address, "version": 4, "OS-EXT-IPS:type": "fixed",
        }));
    }
    let status = server.status(now);
    let attached: Vec<Value> = world
        .volumes
        .volumes()
        .filter(|v| v.attachment.as_ref().is_some_and(|a| a.server_id == server.id))
        .map(|v| json!({"id": v.id}))
        .collect();
    let mut shown = json!({
        "id": server.id,
        "name": server.name,
        "status": status,
        "tenant_id": server.project_id,
        "user_id": server.user_id,
        "image": if server.image_id.is_empty() { json!("") } else { json!({"id": server.image_id, "links": []}) },
        "flavor": {"id": server.flavor_id, "links": []},
        "key_name": server.key_name,
        "addresses": addresses,
        "metadata": server.metadata,
        "config_drive": if server.config_drive { "True" } else { "" },
        "created": format!("{:.0}", server.created_at),
        "updated": format!("{:.0}", server.active_at.min(now)),
        "OS-EXT-STS:task_state": server.task_state(now),
        "OS-EXT-STS:vm_state": match status { "ACTIVE" => "active", "ERROR" => "error", _ => "building" },
        "OS-EXT-STS:power_state": i32::from(status == "ACTIVE"),
        "OS-EXT-AZ:availability_zone": "nova",
        "os-extended-volumes:volumes_attached": attached,
        "links": [{"rel": "self", "href": format!("{}/compute/v2.1/servers/{}", world.base_url(), server.id)}],
    });
    if status == "ERROR" {
        shown["fault"] = json!({
            "code": 500,
            "created": format!("{:.0}", server.active_at),
            "message": server.fails_with,
        });
    }
    shown
}
