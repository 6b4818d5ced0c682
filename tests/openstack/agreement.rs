//! Stacks of all drivers through their whole lives on both Heats, side by side.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use magnum::*;
use serde_json::{Map, Value, json};

use crate::heats::{self, Heat};
use crate::{Outcome, Scenario, differences, options, subjects};

/// How long one step may take where everything runs on two cores.
const STEP: Duration = Duration::from_secs(900);

/// How the cluster is asked for: what is in front of it, and how many servers it has.
struct Shape {
    driver: &'static str,
    name: &'static str,
    balanced: bool,
    masters: u32,
    nodes: u32,
}

pub fn all() -> Vec<(String, Scenario)> {
    let shape = |driver, name, balanced, masters, nodes| Shape {
        driver,
        name,
        balanced,
        masters,
        nodes,
    };
    [
        shape("k8s_fedora_atomic", "balanced", true, 2, 2),
        shape("k8s_fedora_atomic", "plain", false, 1, 1),
        shape("k8s_coreos", "plain", false, 1, 1),
        shape("k8s_fedora_ironic", "plain", false, 1, 1),
        shape("swarm_fedora_atomic", "balanced", true, 1, 2),
        shape("mesos_ubuntu", "balanced", true, 1, 2),
        shape("docker_ubuntu", "plain", false, 1, 2),
    ]
    .into_iter()
    .map(|shape| {
        let name = format!("agreement_{}_{}", shape.driver, shape.name);
        (name, Box::pin(life(shape)) as Scenario)
    })
    .collect()
}

async fn life(shape: Shape) -> Outcome {
    let began = Instant::now();
    let real = heats::real().await.map_err(|error| error.to_string())?;
    let simulated = heats::simulated().await.map_err(|error| error.to_string())?;
    let wanted = wanted(&shape).map_err(|error| error.to_string())?;
    // Machines are on a network that exists.
    let fixed = subjects::named(shape.driver).driver.descriptor().provides[0].server_type == ServerType::Bm;
    let network = network_name(&shape);
    let mut networks = Vec::new();
    if fixed {
        for heat in [&real, &simulated] {
            networks.push((heat, heat.make_network(&network).await?));
        }
    }
    let mut both = Vec::new();
    for heat in [&real, &simulated] {
        let (stacks, auth) = heat.stacks();
        let made = stacks.create(auth, wanted.clone()).await;
        both.push((heat, made.map_err(|error| format!("{}: {error}", heat.name))));
    }
    let agreed = agree(&shape, &both).await;
    for (heat, made) in &both {
        let Ok(made) = made else { continue };
        let (stacks, auth) = heat.stacks();
        stacks
            .delete(auth, made)
            .await
            .map_err(|error| error.to_string())?;
        if let Some(left) = heat.settled(made, STEP).await? {
            return Err(format!("{}: {:?} {}", heat.name, left.phase, left.reason));
        }
    }
    for (heat, network) in networks {
        heat.delete_network(&network).await?;
    }
    simulated.nothing_left()?;
    Ok(format!(
        "{} agree, {:.0} s",
        agreed?,
        began.elapsed().as_secs_f64()
    ))
}

fn network_name(shape: &Shape) -> String {
    format!("agreement-{}-{}", shape.driver, std::process::id())
}

fn wanted(shape: &Shape) -> Result<StackCreate> {
    let subject = subjects::named(shape.driver);
    let choice = &subject.pairwise()[0];
    let network = network_name(shape);
    let mut spec = subject.template(choice, (&network, &network));
    // The plainest, whatever the choice was: no TLS, nothing that needs a trust, its own network but for machines.
    let plain = TemplateSpec::new(&spec.coe, &spec.image_id, "public").with_keypair("testkey");
    spec = TemplateSpec {
        server_type: spec.server_type,
        flavor_id: Some("m1.small".into()),
        master_flavor_id: Some("m1.small".into()),
        network_driver: subject.driver.descriptor().network_drivers.default.clone(),
        docker_volume_size: spec.docker_volume_size,
        fixed_network: spec.fixed_network.filter(|_| spec.server_type == ServerType::Bm),
        fixed_subnet: spec.fixed_subnet.filter(|_| spec.server_type == ServerType::Bm),
        tls_disabled: true,
        master_lb_enabled: Some(shape.balanced),
        floating_ip_enabled: Some(shape.balanced),
        ..plain
    };
    let cluster = options::cluster(subject, spec, shape.masters, shape.nodes);
    Ok(StackCreate {
        name: format!("agreement-{}-{}-{}", shape.driver, shape.name, std::process::id()),
        template: subject.driver.stack_template(),
        parameters: subject.parameters(&cluster)?,
        timeout: Duration::from_secs(600),
        tags: vec!["agreement".into()],
    })
}

/// Compares the stacks when they are made, and again when the first node was taken away.
async fn agree(shape: &Shape, both: &[(&Heat, Result<StackRef, String>)]) -> Result<String, String> {
    let mut made = Vec::new();
    for (heat, stack) in both {
        made.push((*heat, stack.as_ref()?));
    }
    let mut seen = Vec::new();
    for &(heat, stack) in &made {
        seen.push(picture(shape, heat, stack, Action::Create).await?);
    }
    let count = seen[0]["resources"].as_object().map_or(0, Map::len);
    differences::between(&seen[0], &seen[1]).map_err(|why| format!("created: {why}"))?;
    let [_, _, servers, group] = subjects::named(shape.driver).nodes;
    let counted = |key: &str| seen[0]["outputs"][key].as_array().map(Vec::len);
    if counted(servers) != Some(shape.nodes as usize) {
        return Err(format!("{}", seen[0]["outputs"]));
    }
    if shape.nodes == 1 {
        return Ok(format!("{count} resources"));
    }
    let mut seen = Vec::new();
    for &(heat, stack) in &made {
        shrink(heat, stack, shape).await?;
    }
    for &(heat, stack) in &made {
        seen.push(picture(shape, heat, stack, Action::Update).await?);
    }
    differences::between(&seen[0], &seen[1]).map_err(|why| format!("shrunk: {why}"))?;
    let resources = seen[0]["resources"].as_object().ok_or("no resources")?;
    if resources.contains_key(&format!("/{group}/0")) || !resources.contains_key(&format!("/{group}/1")) {
        return Err(format!("the wrong node is gone: {:?}", resources.keys()));
    }
    Ok(format!(
        "{count} resources, {} after one node left",
        resources.len()
    ))
}

/// Takes the first node away, by its server.
async fn shrink(heat: &Heat, stack: &StackRef, shape: &Shape) -> Result<(), String> {
    let [count, leaving, servers, _] = subjects::named(shape.driver).nodes;
    let text = |error: Error| format!("{}: {error}", heat.name);
    let (stacks, auth) = heat.stacks();
    let seen = stacks.get(auth, stack).await.map_err(text)?.ok_or("no stack")?;
    let change = StackUpdate {
        parameters: Parameters::from([
            (count.into(), json!(shape.nodes - 1)),
            (leaving.into(), json!([seen.outputs[servers][0]])),
        ]),
        timeout: Duration::from_secs(600),
        tags: vec!["agreement".into()],
    };
    stacks.update(auth, stack, change).await.map_err(text)
}

/// The stack as it can be compared, once it is settled: every resource by its path, and the outputs.
async fn picture(shape: &Shape, heat: &Heat, stack: &StackRef, action: Action) -> Result<Value, String> {
    let text = |error: Error| format!("{}: {error}", heat.name);
    let seen = heat.settled(stack, STEP).await?.ok_or("the stack is gone")?;
    if (seen.action, seen.phase) != (Some(action), Phase::Complete) {
        return Err(format!("{}: {:?} {}", heat.name, seen.phase, seen.reason));
    }
    let (stacks, auth) = heat.stacks();
    let all = stacks.resources(auth, stack, 5).await.map_err(text)?;
    // A nested stack is what a resource of the stack around it stands for.
    let owners: BTreeMap<&str, &StackResource> = all.iter().map(|r| (r.physical_id.as_str(), r)).collect();
    let path = |resource: &StackResource| {
        let mut path = format!("/{}", resource.name);
        let mut inner = resource;
        while let Some(owner) = owners.get(inner.stack.id.as_str()) {
            path = format!("/{}{path}", owner.name);
            inner = owner;
        }
        path
    };
    let mut servers = BTreeMap::new();
    let mut resources = Map::new();
    for resource in &all {
        let at = path(resource);
        if resource.kind == "OS::Nova::Server" {
            servers.insert(resource.physical_id.clone(), at.clone());
        }
        let view = json!({
            "type": resource.kind,
            "status": format!("{:?} {:?} {}", resource.action, resource.phase, resource.reason),
            "parent": resource.parent,
            "made": !resource.physical_id.is_empty(),
        });
        resources.insert(at, view);
    }
    let outputs: Map<String, Value> = seen
        .outputs
        .into_iter()
        .map(|(key, value)| (of_mesos(shape, key), placeholders(value, &servers)))
        .collect();
    Ok(json!({"resources": resources, "outputs": outputs, "tags": seen.tags}))
}

/// Only Mesos' version is what its servers report.
fn of_mesos(shape: &Shape, output: String) -> String {
    match output.as_str() {
        "coe_version" if shape.driver == "mesos_ubuntu" => "reported_version".into(),
        _ => output,
    }
}

/// Servers' ids become their paths, and addresses the network that they are of.
fn placeholders(value: Value, servers: &BTreeMap<String, String>) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(|v| placeholders(v, servers)).collect(),
        Value::String(text) => {
            if let Some(path) = servers.get(&text) {
                return json!(path);
            }
            let parts = text.split_inclusive(['/', ':']);
            json!(
                parts
                    .map(|part| {
                        let end = part.find(['/', ':']).unwrap_or(part.len());
                        let Ok(address) = part[..end].parse::<std::net::Ipv4Addr>() else {
                            return part.to_owned();
                        };
                        let network = match address.octets() {
                            [10, 0 | 9, 0, _] => "private",
                            // The public network of the real cloud, and of the simulated one.
                            [127, 77, ..] | [172, 24, 4, _] => "public",
                            _ => "unknown",
                        };
                        format!("<{network}>{}", &part[end..])
                    })
                    .collect::<String>()
            )
        }
        other => other,
    }
}
