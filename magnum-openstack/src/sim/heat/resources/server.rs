//! `OS::Nova::Server`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::multipart_mime::{message, stored_text};
use super::{first_text, names, server_schema, text, texts};
use crate::sim::heat::plugin::{Attribute, Failure, Operation, Plugin, Step, Update, View, failure};
use crate::sim::heat::schema::Prop;
use crate::sim::hot::{Definition, ErrorKind, HeatError, py_str};
use crate::sim::world::World;
use crate::sim::world::compute::{NetworkRequest, ServerSpec};

#[derive(Debug)]
pub(crate) struct Server;

impl Server {
    fn requests(
        op: &mut Operation<'_>,
        properties: &Map<String, Value>,
    ) -> Result<Vec<NetworkRequest>, Failure> {
        let project = op.project()?;
        let mut requests = Vec::new();
        for item in properties
            .get("networks")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let Some(item) = item.as_object() else { continue };
            if let Some(port) = text(item, "port") {
                requests.push(NetworkRequest::Port(port));
                continue;
            }
            let network_id = match (first_text(item, &["network", "uuid"]), text(item, "subnet")) {
                (Some(wanted), _) => op
                    .world
                    .resolve_network(&project, &wanted)
                    .map(|n| n.id.clone())
                    .map_err(|e| op.nova(&e))?,
                (None, Some(subnet)) => op
                    .world
                    .resolve_subnet(&project, &subnet)
                    .map(|s| s.network_id.clone())
                    .map_err(|e| op.nova(&e))?,
                (None, None) => continue,
            };
            requests.push(NetworkRequest::Network {
                network_id,
                fixed_ip: text(item, "fixed_ip"),
            });
        }
        Ok(requests)
    }

    /// User data as the guest gets it.
    fn user_data(op: &mut Operation<'_>, properties: &Map<String, Value>) -> Option<String> {
        let given = properties
            .get("user_data")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let content = stored_text(op.world, given);
        match text(properties, "user_data_format").as_deref() {
            Some("RAW") => (!content.is_empty()).then_some(content),
            _ => {
                // The guest's agent finds its own part beside what the template gave.
                let boundary = format!("==============={:019}==", op.world.seed_mut().next_u64() >> 1);
                let part = format!(
                    "Content-Type: text/x-shellscript; charset=\"us-ascii\"\nMIME-Version: 1.0\n\
                     Content-Transfer-Encoding: 7bit\n\
                     Content-Disposition: attachment; filename=\"cfn-userdata\"\n\n{content}"
                );
                Some(message(&boundary, &[part]))
            }
        }
    }

    fn spec(op: &mut Operation<'_>) -> Result<ServerSpec, Failure> {
        let properties = op.properties()?;
        let project = op.project()?;
        let image_id = match text(&properties, "image") {
            Some(wanted) => op
                .world
                .resolve_image(&project, &wanted)
                .map(|i| i.id.clone())
                .map_err(|e| op.nova(&e))?,
            None => String::new(),
        };
        let flavor = text(&properties, "flavor").unwrap_or_default();
        let flavor_id = op
            .world
            .resolve_flavor(&flavor)
            .map(|f| f.id.clone())
            .map_err(|e| op.nova(&e))?;
        let metadata = properties
            .get("metadata")
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default();
        let metadata: BTreeMap<String, String> =
            metadata.iter().map(|(k, v)| (k.clone(), py_str(v))).collect();
        let hints = properties
            .get("scheduler_hints")
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default();
        let groups = texts(&properties, "security_groups").unwrap_or_default();
        let name = match text(&properties, "name") {
            Some(name) => name,
            None => op.physical_name()?,
        };
        let resource_name = op.resource()?.name.clone();
        Ok(ServerSpec {
            name,
            user_id: op.stack()?.owner.user_id.clone(),
            image_id,
            flavor_id,
            key_name: text(&properties, "key_name"),
            networks: Self::requests(op, &properties)?,
            security_groups: op.security_group_ids(&groups)?,
            user_data: Self::user_data(op, &properties),
            metadata,
            config_drive: properties.get("config_drive") == Some(&Value::Bool(true)),
            server_group: text(&hints, "group"),
            fails_with: op.world.resource_failure("OS::Nova::Server", &resource_name),
            resource_name,
        })
    }
}

impl Plugin for Server {
    fn kind(&self) -> &'static str {
        "OS::Nova::Server"
    }

    fn takes_time(&self) -> bool {
        false
    }

    fn fails_itself(&self) -> bool {
        true
    }

    fn properties(&self) -> Vec<Prop> {
        server_schema::properties()
    }

    fn attributes(&self) -> Vec<String> {
        names(&[
            "name",
            "addresses",
            "networks",
            "first_address",
            "instance_name",
            "accessIPv4",
            "accessIPv6",
            "console_urls",
            "os_collect_config",
            "tags",
        ])
    }

    fn implied_requirements(&self, own: &Definition, others: &[Definition]) -> Vec<String> {
        // A server on a network gets an address of its subnets, which therefore come first.
        let Some(networks) = own.properties.entry("networks") else {
            return Vec::new();
        };
        let wanted: BTreeSet<String> = networks
            .references("")
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        others
            .iter()
            .filter(|d| d.resource_type == "OS::Neutron::Subnet")
            .filter(|d| {
                let network = d
                    .properties
                    .entry("network")
                    .or_else(|| d.properties.entry("network_id"));
                network.is_some_and(|n| n.references("").iter().any(|(name, _)| wanted.contains(name)))
            })
            .map(|d| d.name.clone())
            .collect()
    }

    fn validate(&self, properties: &Map<String, Value>) -> Result<(), HeatError> {
        let given = |key: &str| properties.get(key).is_some_and(|v| !v.is_null());
        if !given("image") && !given("block_device_mapping") && !given("block_device_mapping_v2") {
            return Err(HeatError::validation(
                "Either volume image or snapshot should be specified for bootable volume: an image or a block \
                 device mapping is required.",
            ));
        }
        for network in properties
            .get("networks")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let Some(network) = network.as_object() else {
                continue;
            };
            if text(network, "fixed_ip").is_some() && text(network, "port").is_some() {
                return Err(HeatError::new(
                    ErrorKind::ResourcePropertyConflict,
                    "Cannot define the following properties at the same time: networks/fixed_ip, networks/port.",
                ));
            }
        }
        Ok(())
    }

    fn create(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        let spec = Self::spec(op)?;
        let project = op.project()?;
        let server = op.world.create_server(&project, spec).map_err(|e| op.nova(&e))?;
        let active_at = server.active_at;
        op.set_physical_id(server.id);
        Ok(Step::Until(active_at))
    }

    fn poll_create(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        let id = op.physical_id()?.unwrap_or_default();
        let server = op.world.find_server(&id).cloned().map_err(|e| op.nova(&e))?;
        match server.status(op.world.now()) {
            "ACTIVE" => Ok(Step::Done),
            "ERROR" => {
                let reason = server.fails_with.unwrap_or_default();
                let text = format!("Went to status ERROR due to \"Message: {reason}, Code: 500\"");
                Err(failure("ResourceInError", text))
            }
            _ => Ok(Step::Until(server.active_at)),
        }
    }

    fn replaced_when_failed(&self, view: &View<'_>) -> bool {
        let now = view.world.now();
        let server = view.found(World::find_server);
        server.is_none_or(|s| s.status(now) == "ERROR")
    }

    fn before_replacement(&self, op: &mut Operation<'_>) {
        // The ports of the template go to the new server while the old one is still there.
        let Ok(Some(id)) = op.physical_id() else { return };
        let Some(server) = op.world.compute.servers.get_mut(&id) else {
            return;
        };
        let (own, given): (Vec<_>, Vec<_>) = server.interfaces.drain(..).partition(|i| i.made_by_nova);
        server.interfaces = own;
        for interface in given {
            if let Some(port) = op.world.network.ports.get_mut(&interface.port_id) {
                port.device_id.clear();
                port.device_owner.clear();
            }
        }
    }

    fn needs_replacement(&self, before: &Map<String, Value>, after: &Map<String, Value>) -> bool {
        let changed = |key: &str| before.get(key) != after.get(key);
        changed("user_data") && text(after, "user_data_update_policy").as_deref() == Some("REPLACE")
            || changed("image") && text(after, "image_update_policy").as_deref() == Some("REPLACE")
            || changed("flavor") && text(after, "flavor_update_policy").as_deref() == Some("REPLACE")
    }

    fn update(
        &self,
        op: &mut Operation<'_>,
        _: &Map<String, Value>,
        changed: &[String],
    ) -> Result<Update, Failure> {
        let (id, properties, project) = (op.physical_id()?, op.properties()?, op.project()?);
        let Some(id) = id else { return Ok(Update::Replace) };
        let has = |key: &str| changed.iter().any(|c| c == key);
        if has("networks") {
            // Moving a running server to other ports is not modelled; a new one is what most clouds need.
            return Ok(Update::Replace);
        }
        let mut changes = (None, None);
        if has("flavor") {
            let flavor = text(&properties, "flavor").unwrap_or_default();
            changes.0 = Some(
                op.world
                    .resolve_flavor(&flavor)
                    .map(|f| f.id.clone())
                    .map_err(|e| op.nova(&e))?,
            );
        }
        if has("image") {
            let image = text(&properties, "image").unwrap_or_default();
            changes.1 = Some(
                op.world
                    .resolve_image(&project, &image)
                    .map(|i| i.id.clone())
                    .map_err(|e| op.nova(&e))?,
            );
        }
        let works = changes.0.is_some() || changes.1.is_some();
        let resource_name = op.resource()?.name.clone();
        let ready_at = op.world.ready_at("OS::Nova::Server", &resource_name);
        if let Some(server) = op.world.compute.servers.get_mut(&id) {
            server.flavor_id = changes.0.unwrap_or_else(|| server.flavor_id.clone());
            server.image_id = changes.1.unwrap_or_else(|| server.image_id.clone());
            server.name = text(&properties, "name").unwrap_or_else(|| server.name.clone());
            if let Some(metadata) = properties.get("metadata").and_then(Value::as_object) {
                server.metadata = metadata.iter().map(|(k, v)| (k.clone(), py_str(v))).collect();
            }
        }
        Ok(Update::InPlace(if works {
            Step::Until(ready_at)
        } else {
            Step::Done
        }))
    }

    fn delete(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        let Some(id) = op.physical_id()? else {
            return Ok(Step::Done);
        };
        match op.world.delete_server(&id) {
            Ok(server) => Ok(server.gone_at.map_or(Step::Done, Step::Until)),
            Err(fault) if fault.is_not_found() => Ok(Step::Done),
            Err(fault) => Err(op.nova(&fault)),
        }
    }

    fn poll_delete(&self, op: &mut Operation<'_>) -> Result<Step, Failure> {
        op.world.settle();
        let Some(id) = op.physical_id()? else {
            return Ok(Step::Done);
        };
        match op.world.find_server(&id) {
            Ok(server) => Ok(server.gone_at.map_or(Step::Done, Step::Until)),
            Err(_) => Ok(Step::Done),
        }
    }

    fn attribute(&self, view: &View<'_>, name: &str, _path: &[Value]) -> Result<Attribute, HeatError> {
        let server = view.found(World::find_server);
        let Some(server) = server else {
            return Ok(Attribute::whole(Value::Null));
        };
        let addresses = view.world.server_addresses(server);
        let mut by_network: Map<String, Value> = Map::new();
        let mut detailed: Map<String, Value> = Map::new();
        for (network, address) in &addresses {
            let ids: Vec<String> = view
                .world
                .network
                .networks()
                .filter(|n| n.name == *network)
                .map(|n| n.id.clone())
                .collect();
            for key in std::iter::once(network.clone()).chain(ids) {
                let push = |map: &mut Map<String, Value>, item: Value| {
                    if let Value::Array(items) = map.entry(key.clone()).or_insert_with(|| json!([])) {
                        items.push(item);
                    }
                };
                push(&mut by_network, json!(address));
                push(
                    &mut detailed,
                    json!({"addr": address, "version": 4, "OS-EXT-IPS:type": "fixed"}),
                );
            }
        }
        Ok(Attribute::whole(match name {
            "name" => json!(server.name),
            "networks" => Value::Object(by_network),
            "addresses" => Value::Object(detailed),
            "first_address" => json!(addresses.first().map(|(_, a)| a.to_string()).unwrap_or_default()),
            "instance_name" => json!(format!("instance-{}", server.id.get(..8).unwrap_or_default())),
            "accessIPv4" | "accessIPv6" => json!(""),
            "console_urls" | "os_collect_config" => json!({}),
            "tags" => json!([]),
            _ => json!({
                "id": server.id, "name": server.name, "status": server.status(view.world.now()),
                "addresses": detailed, "key_name": server.key_name, "metadata": server.metadata,
                "user_id": server.user_id, "tenant_id": server.project_id,
            }),
        }))
    }
}
