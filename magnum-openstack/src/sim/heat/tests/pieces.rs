//! What templates of clusters with several roles are made of, all in one stack.

use serde_json::{Value, json};

use super::{Client, output};
use crate::sim::Pace;

const CLUSTER: &str = r#"
heat_template_version: 2018-08-31
parameters:
  master_count: {type: number, default: 1}
  minion_count: {type: number, default: 2}
  minions_to_remove: {type: comma_delimited_list, default: ''}
  balanced: {type: boolean, default: true}
  storage: {type: number, default: 1}
  pods: {type: string, default: 10.100.0.0/16}
conditions:
  balanced: {get_param: balanced}
  stored: {not: {equals: [{get_param: storage}, 0]}}
resources:
  net: {type: OS::Neutron::Net}
  subnet:
    type: OS::Neutron::Subnet
    properties: {network: {get_resource: net}, cidr: 10.0.0.0/24}
  router:
    type: OS::Neutron::Router
    properties: {external_gateway_info: {network: public}}
  interface:
    type: OS::Neutron::RouterInterface
    properties: {router: {get_resource: router}, subnet: {get_resource: subnet}}
  minion_group:
    type: OS::Neutron::SecurityGroup
    properties:
      rules:
        - {protocol: tcp, port_range_min: 22, port_range_max: 22}
        - {remote_mode: remote_group_id}
  master_group:
    type: OS::Neutron::SecurityGroup
    properties:
      rules:
        - {protocol: tcp, port_range_min: 6443, port_range_max: 6443}
        - {remote_mode: remote_group_id, remote_group_id: {get_resource: minion_group}}
  from_masters:
    type: OS::Neutron::SecurityGroupRule
    properties:
      security_group: {get_resource: minion_group}
      remote_group: {get_resource: master_group}
      protocol: tcp
      port_range_min: 1
      port_range_max: 65535
  balancer:
    type: OS::Octavia::LoadBalancer
    condition: balanced
    properties: {vip_subnet: {get_resource: subnet}}
  listener:
    type: OS::Octavia::Listener
    condition: balanced
    properties: {loadbalancer: {get_resource: balancer}, protocol: TCP, protocol_port: 6443}
  pool:
    type: OS::Octavia::Pool
    condition: balanced
    properties: {listener: {get_resource: listener}, protocol: TCP, lb_algorithm: ROUND_ROBIN}
  address:
    type: OS::Neutron::FloatingIP
    condition: balanced
    depends_on: [interface, pool]
    properties: {floating_network: public, port_id: {get_attr: [balancer, vip_port_id]}}
  master_ports:
    type: OS::Heat::ResourceGroup
    # Whether there is a load balancer or not.
    depends_on: [interface, address]
    properties:
      count: {get_param: master_count}
      resource_def:
        type: OS::Neutron::Port
        properties:
          name: {list_join: ['-', [{get_param: 'OS::stack_name'}, 'master', '%index%']]}
          network: {get_resource: net}
          fixed_ips: [{subnet: {get_resource: subnet}}]
          security_groups: [{get_resource: master_group}]
          allowed_address_pairs: [{ip_address: {get_param: pods}}]
  volumes:
    type: OS::Heat::ResourceGroup
    condition: stored
    properties:
      count: {get_param: master_count}
      resource_def: {type: OS::Cinder::Volume, properties: {size: {get_param: storage}}}
  masters:
    type: OS::Heat::ResourceGroup
    properties:
      count: {get_param: master_count}
      resource_def:
        type: node.yaml
        properties:
          role: master
          index: '%index%'
          ports: {get_attr: [master_ports, refs]}
          addresses: {list_join: [',', {get_attr: [master_ports, fixed_ips, 0, ip_address]}]}
          volumes: {if: [stored, {get_attr: [volumes, refs]}, []]}
          pool: {if: [balanced, {get_resource: pool}, '']}
          balanced: {get_param: balanced}
  minions:
    type: OS::Heat::ResourceGroup
    depends_on: masters
    properties:
      count: {get_param: minion_count}
      removal_policies: [{resource_list: {get_param: minions_to_remove}}]
      resource_def:
        type: minion.yaml
        properties:
          network: {get_resource: net}
          subnet: {get_resource: subnet}
          group: {get_resource: minion_group}
          index: '%index%'
outputs:
  api: {condition: balanced, value: {get_attr: [address, floating_ip_address]}}
  vip_pairs: {value: {get_attr: [master_ports, resource.0.allowed_address_pairs, 0, ip_address]}}
  master_addresses: {value: {get_attr: [masters, address]}}
  own_ports: {value: {get_attr: [masters, own_port]}}
  ports: {value: {get_attr: [master_ports, refs]}}
  minions: {value: {get_attr: [minions, refs]}}
  minion_names: {value: {get_attr: [minions, refs_map]}}
  minion_addresses: {value: {get_attr: [minions, addresses]}}
  joined: {value: {list_join: [',', {get_attr: [masters, address]}]}}
  said: {value: {get_attr: [masters, said]}}
  rules: {value: {get_attr: [minion_group, security_group_rules]}}
  groups: {value: [{get_resource: minion_group}, {get_resource: master_group}]}
"#;

/// A node that picks what is its own out of lists by its number.
const NODE: &str = r##"
heat_template_version: 2018-08-31
parameters:
  role: {type: string}
  index: {type: number}
  ports: {type: comma_delimited_list}
  addresses: {type: string}
  volumes: {type: comma_delimited_list, default: ''}
  pool: {type: string, default: ''}
  balanced: {type: boolean}
conditions:
  stored: {not: {equals: [{get_param: volumes}, []]}}
  balanced: {get_param: balanced}
resources:
  handle: {type: OS::Heat::WaitConditionHandle}
  wait:
    type: OS::Heat::WaitCondition
    depends_on: server
    properties: {handle: {get_resource: handle}, timeout: 600}
  server:
    type: OS::Nova::Server
    properties:
      image: ubuntu
      flavor: m1.small
      user_data_format: RAW
      user_data:
        str_replace:
          template: "#!/bin/sh\n$NOTIFY --data-binary '{\"status\": \"SUCCESS\"}'\n"
          params: {$NOTIFY: {get_attr: [handle, curl_cli]}}
      networks: [{port: {get_param: [ports, {get_param: index}]}}]
  attachment:
    type: OS::Cinder::VolumeAttachment
    condition: stored
    properties:
      instance_uuid: {get_resource: server}
      volume_id: {get_param: [volumes, {get_param: index}]}
  member:
    type: OS::Octavia::PoolMember
    condition: balanced
    properties:
      pool: {get_param: pool}
      address: {str_split: [',', {get_param: addresses}, {get_param: index}]}
      protocol_port: 6443
outputs:
  OS::stack_id: {value: {get_resource: server}}
  address: {value: {str_split: [',', {get_param: addresses}, {get_param: index}]}}
  own_port: {value: {get_param: [ports, {get_param: index}]}}
  said: {value: {str_split: ['"', {get_attr: [wait, data]}, 1]}}
"##;

/// A node with a group of ports of its own.
const MINION: &str = r"
heat_template_version: 2018-08-31
parameters:
  network: {type: string}
  subnet: {type: string}
  group: {type: string}
  index: {type: number}
resources:
  ports:
    type: OS::Heat::ResourceGroup
    properties:
      count: 2
      index_var: '%port%'
      resource_def:
        type: OS::Neutron::Port
        properties:
          name: {str_replace: {template: minion-N-%port%, params: {N: {get_param: index}}}}
          network: {get_param: network}
          fixed_ips: [{subnet: {get_param: subnet}}]
          security_groups: [{get_param: group}]
  server:
    type: OS::Nova::Server
    properties:
      image: ubuntu
      flavor: m1.small
      networks: {repeat: {template: {port: '%port%'}, for_each: {'%port%': {get_attr: [ports, refs]}}}}
outputs:
  OS::stack_id: {value: {get_resource: server}}
  addresses: {value: {get_attr: [ports, fixed_ips, 0, ip_address]}}
";

fn input(parameters: Value) -> Value {
    json!({"files": {"node.yaml": NODE, "minion.yaml": MINION}, "parameters": parameters})
}

fn length(value: &Value) -> usize {
    value.as_array().unwrap().len()
}

#[tokio::test(start_paused = true)]
async fn a_cluster_of_several_roles_lives_grows_shrinks_and_goes() {
    let client = Client::new(Pace::Real).await;
    let path = client
        .create("k", CLUSTER, input(json!({"master_count": 3})))
        .await;
    let made = client.settle(&path).await;
    assert_eq!(made["stack_status"], "CREATE_COMPLETE", "{made}");
    assert!(output(&made, "api").as_str().unwrap().starts_with("172.24.4."));
    assert_eq!(output(&made, "own_ports"), output(&made, "ports"));
    assert_eq!(output(&made, "vip_pairs"), "10.100.0.0/16");
    let addresses: Vec<String> = serde_json::from_value(output(&made, "master_addresses")).unwrap();
    assert_eq!(output(&made, "joined"), addresses.join(","));
    assert_eq!(length(&output(&made, "said")), 3);
    assert_eq!(length(&output(&made, "minion_addresses")), 2);
    assert_eq!(length(&output(&made, "minion_addresses")[0]), 2);
    let groups = output(&made, "groups");
    let rules = output(&made, "rules");
    let remotes: Vec<&Value> = rules
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| &rule["remote_group_id"])
        .filter(|remote| !remote.is_null())
        .collect();
    assert_eq!(remotes, [&groups[0], &groups[1]]);
    client.cloud.with(|world| {
        let members = world.load_balancing.parts().filter_map(|p| p.setting("address"));
        let mut members: Vec<&str> = members.collect();
        let mut wanted: Vec<&str> = addresses.iter().map(String::as_str).collect();
        members.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(members, wanted);
        let attached = world.volumes.volumes().filter(|v| v.attachment.is_some());
        assert_eq!(attached.count(), 3);
    });

    let grown = client.change(&path, json!({"minion_count": 4})).await;
    assert_eq!(grown["stack_status"], "UPDATE_COMPLETE", "{grown}");
    let refs = output(&grown, "minions");
    let change = json!({"minion_count": 2, "minions_to_remove": format!("{},{}", refs[0].as_str().unwrap(), refs[2].as_str().unwrap())});
    let shrunk = client.change(&path, change).await;
    assert_eq!(shrunk["stack_status"], "UPDATE_COMPLETE", "{shrunk}");
    assert_eq!(
        output(&shrunk, "minion_names"),
        json!({"1": refs[1], "3": refs[3]})
    );
    assert_eq!(output(&shrunk, "own_ports"), output(&made, "own_ports"));
    let none = client
        .change(&path, json!({"minion_count": 0, "minions_to_remove": ""}))
        .await;
    assert_eq!(none["stack_status"], "UPDATE_COMPLETE", "{none}");
    assert_eq!(
        (
            output(&none, "minions"),
            output(&none, "minion_addresses"),
            output(&none, "minion_names")
        ),
        (json!([]), json!([]), json!({}))
    );

    assert_eq!(client.delete(&path).await["stack_status"], "DELETE_COMPLETE");
    let left = client.cloud.leftovers(&client.project);
    assert!(left.is_empty(), "{left}");
}

#[tokio::test(start_paused = true)]
async fn what_a_condition_leaves_out_may_be_depended_on_but_not_referred_to() {
    let client = Client::new(Pace::Real).await;
    let without = json!({"balanced": false, "storage": 0, "minion_count": 0});
    let path = client.create("k", CLUSTER, input(without)).await;
    let made = client.settle(&path).await;
    assert_eq!(made["stack_status"], "CREATE_COMPLETE", "{made}");
    assert_eq!(output(&made, "api"), Value::Null);
    assert_eq!(length(&output(&made, "master_addresses")), 1);
    let kinds = client.cloud.with(|world| {
        (
            world.load_balancing.balancers().count(),
            world.volumes.volumes().count(),
        )
    });
    assert_eq!(kinds, (0, 0));
    // Later it may be there, and go again.
    let with = client.change(&path, json!({"balanced": true})).await;
    assert_eq!(with["stack_status"], "UPDATE_COMPLETE", "{with}");
    assert_ne!(output(&with, "api"), Value::Null);
    let again = client.change(&path, json!({"balanced": false})).await;
    assert_eq!(again["stack_status"], "UPDATE_COMPLETE", "{again}");
    assert_eq!(client.delete(&path).await["stack_status"], "DELETE_COMPLETE");
    let left = client.cloud.leftovers(&client.project);
    assert!(left.is_empty(), "{left}");

    let referring = "
heat_template_version: 2018-08-31
conditions: {never: {equals: [1, 2]}}
resources:
  a: {type: OS::Heat::Value, condition: never, properties: {value: 1}}
  b: {type: OS::Heat::Value, depends_on: a, properties: {value: {get_resource: a}}}
";
    let (status, refused) = client.try_create("r", referring, json!({})).await;
    assert_eq!(
        (status, refused["error"]["message"].as_str().unwrap()),
        (
            400,
            "The specified reference \"a\" (in b.Properties.value) is incorrect."
        )
    );
}

#[tokio::test(start_paused = true)]
async fn bad_weather_in_a_part_is_mended_by_the_next_update_and_leaves_nothing() {
    for (kind, name) in [
        ("OS::Cinder::Volume", "0"),
        ("OS::Cinder::VolumeAttachment", "attachment"),
        ("OS::Octavia::PoolMember", "member"),
        ("OS::Nova::Server", "server"),
        ("OS::Neutron::SecurityGroupRule", "from_masters"),
    ] {
        let client = Client::new(Pace::Real).await;
        client.fail(kind, name);
        let path = client
            .create("k", CLUSTER, input(json!({"minion_count": 1})))
            .await;
        let failed = client.settle(&path).await;
        assert_eq!(failed["stack_status"], "CREATE_FAILED", "{kind}");
        if kind != "OS::Octavia::PoolMember" {
            let mended = client.change(&path, json!({})).await;
            assert_eq!(mended["stack_status"], "UPDATE_COMPLETE", "{kind}: {mended}");
        }
        tokio::time::sleep(std::time::Duration::from_secs(120)).await;
        let gone = client.delete(&path).await;
        assert_eq!(gone["stack_status"], "DELETE_COMPLETE", "{kind}: {gone}");
        let left = client.cloud.leftovers(&client.project);
        assert!(left.is_empty(), "{kind}: {left}");
    }
}

#[tokio::test(start_paused = true)]
async fn types_are_validated_and_previewed() {
    let client = Client::new(Pace::Instant).await;
    let body = json!({"template": CLUSTER, "files": {"node.yaml": NODE, "minion.yaml": MINION}});
    let (status, checked) = client.call("POST", "/validate", body).await;
    assert_eq!(status, 200, "{checked}");
    let mut body = input(json!({}));
    (body["stack_name"], body["template"]) = (json!("k"), json!(CLUSTER));
    let (status, previewed) = client.call("POST", "/stacks/preview", body).await;
    assert_eq!(status, 200, "{previewed}");
    let text = previewed.to_string();
    for kind in ["OS::Octavia::Pool", "OS::Octavia::Listener", "OS::Cinder::Volume"] {
        assert!(text.contains(&format!("\"resource_type\":\"{kind}\"")), "{kind}");
    }
}
