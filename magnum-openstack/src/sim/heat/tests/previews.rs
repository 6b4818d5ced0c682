//! What is shown of things that are not there yet, as Heat 19.0.0 shows it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Client, output};
use crate::sim::Pace;

const TOP: &str = r"
heat_template_version: 2018-08-31
resources:
  network:
    type: OS::Neutron::Net
  subnet:
    type: OS::Neutron::Subnet
    properties:
      network: {get_resource: network}
      cidr: 10.9.0.0/24
  router:
    type: OS::Neutron::Router
  interface:
    type: OS::Neutron::RouterInterface
    properties:
      router: {get_resource: router}
      subnet: {get_resource: subnet}
  volume:
    type: OS::Cinder::Volume
    properties: {size: 1}
  group:
    type: OS::Neutron::SecurityGroup
  rule:
    type: OS::Neutron::SecurityGroupRule
    properties:
      security_group: {get_resource: group}
  said:
    type: OS::Heat::Value
    properties:
      value: {get_resource: volume}
  ports:
    type: OS::Heat::ResourceGroup
    properties:
      count: 1
      resource_def:
        type: port.yaml
        properties:
          network: {get_resource: network}
  members:
    type: OS::Heat::ResourceGroup
    properties:
      count: 2
      resource_def:
        type: member.yaml
        properties:
          index: '%index%'
          ports: {get_attr: [ports, port_id]}
outputs:
  subnet:
    value: {get_resource: subnet}
";

const PORT: &str = r"
heat_template_version: 2018-08-31
parameters:
  network: {type: string}
resources:
  port:
    type: OS::Neutron::Port
    properties:
      network: {get_param: network}
  floating:
    type: OS::Neutron::FloatingIP
    properties:
      floating_network: public
      port_id: {get_resource: port}
outputs:
  port_id:
    value: {get_resource: port}
";

const MEMBER: &str = r"
heat_template_version: 2018-08-31
parameters:
  index: {type: string}
  ports: {type: comma_delimited_list}
resources:
  server:
    type: OS::Nova::Server
    properties:
      name: {list_join: ['-', [member, {get_param: index}]]}
      image: ubuntu
      flavor: m1.tiny
      networks:
        - port: {get_param: [ports, {get_param: index}]}
";

/// The resources of a preview by stack and name, those of nested stacks one list deeper for each level.
fn places(resources: &Value, depth: usize, all: &mut BTreeMap<String, Value>) {
    for resource in resources.as_array().unwrap() {
        if resource.is_array() {
            places(resource, depth + 1, all);
        } else {
            let (stack, name) = (&resource["stack_name"], &resource["resource_name"]);
            let at = format!("{depth} {}/{}", stack.as_str().unwrap(), name.as_str().unwrap());
            all.insert(at, resource.clone());
        }
    }
}

async fn preview() -> BTreeMap<String, Value> {
    let client = Client::new(Pace::Instant).await;
    let files = json!({"port.yaml": PORT, "member.yaml": MEMBER});
    let body = json!({"stack_name": "s", "template": TOP, "files": files});
    let (status, answer) = client.call("POST", "/stacks/preview", body).await;
    assert_eq!(status, 200, "{answer}");
    let mut all = BTreeMap::new();
    places(&answer["stack"]["resources"], 0, &mut all);
    all
}

#[tokio::test(start_paused = true)]
async fn a_preview_reaches_into_members_whose_properties_have_no_value_yet() {
    let all = preview().await;
    let nested: Vec<&str> = all
        .keys()
        .filter(|at| !at.starts_with('0'))
        .map(String::as_str)
        .collect();
    let expected = [
        "2 s-members-0/server",
        "2 s-members-1/server",
        "2 s-ports-0/floating",
        "2 s-ports-0/port",
    ];
    assert_eq!(nested, expected);
    let second = &all["2 s-members-1/server"];
    assert_eq!(second["properties"]["name"], "member-1");
    assert_eq!(second["properties"]["networks"][0]["port"], "");
    assert_eq!(second["parent_resource"], "1");
    let identity = &second["resource_identity"];
    assert_eq!(
        [&identity["stack_name"], &identity["stack_id"], &identity["path"]],
        ["s-members-1", "None", "/resources/server"]
    );
    assert_eq!(second["creation_time"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn neutrons_things_have_no_reference_before_they_are_there() {
    let all = preview().await;
    assert_eq!(all["0 s/subnet"]["properties"]["network"], "");
    assert_eq!(all["0 s/interface"]["properties"]["router"], "");
    assert_eq!(all["0 s/rule"]["properties"]["security_group"], "");
    assert_eq!(all["2 s-ports-0/port"]["properties"]["network"], "");
    // Others are called by their names, and so is everything in a nested stack that is only looked at.
    assert_eq!(all["0 s/said"]["properties"]["value"], "volume");
    assert_eq!(all["2 s-ports-0/floating"]["properties"]["port_id"], "port");
}

#[tokio::test(start_paused = true)]
async fn outputs_refer_to_neutrons_things_only_when_they_are_there() {
    let client = Client::new(Pace::Real).await;
    let files = json!({"files": {"port.yaml": PORT, "member.yaml": MEMBER}});
    let path = client.create("s", TOP, files).await;
    let begun = client.show(&path).await;
    assert_eq!(output(&begun, "subnet"), Value::Null);
    let made = client.settle(&path).await;
    assert!(output(&made, "subnet").is_string(), "{made}");
}

#[tokio::test(start_paused = true)]
async fn properties_and_their_defaults_are_those_of_heat() {
    let all = preview().await;
    let port = &all["2 s-ports-0/port"]["properties"];
    assert_eq!(port["no_fixed_ips"], false);
    let server = &all["2 s-members-0/server"]["properties"];
    assert_eq!(
        server["deployment_swift_data"],
        json!({"container": null, "object": null})
    );
    assert_eq!(all["0 s/rule"]["properties"]["description"], Value::Null);
    assert_eq!(all["0 s/interface"]["properties"]["router_id"], Value::Null);
    let floating = all["2 s-ports-0/floating"]["properties"].as_object().unwrap();
    assert!(!floating.contains_key("tags"));
}

#[tokio::test(start_paused = true)]
async fn a_wait_condition_has_no_physical_id() {
    let template = r"
heat_template_version: 2018-08-31
resources:
  handle:
    type: OS::Heat::WaitConditionHandle
  waits:
    type: OS::Heat::WaitCondition
    properties: {handle: {get_resource: handle}, timeout: 60}
";
    let client = Client::new(Pace::Instant).await;
    let path = client.create("w", template, json!({})).await;
    assert_eq!(client.resource(&path, "waits").await["physical_resource_id"], "");
}
