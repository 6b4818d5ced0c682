//! Hosts in a group, each a nested stack with a port, a floating IP, a server and a wait condition.

use serde_json::{Value, json};

use super::{Client, output};
use crate::sim::{At, Effect, Fault, Pace};

pub(super) const CLUSTER: &str = r#"
heat_template_version: 2018-08-31
description: hosts
parameters:
  ssh_key_name: {type: string, constraints: [{custom_constraint: nova.keypair}]}
  server_image: {type: string, constraints: [{custom_constraint: glance.image}]}
  flavor: {type: string, default: m1.small, constraints: [{custom_constraint: nova.flavor}]}
  external_network: {type: string, default: public}
  number_of_hosts: {type: number, default: 1, constraints: [{range: {min: 1}}]}
  hosts_to_remove: {type: comma_delimited_list, default: ''}
  password: {type: string, default: hush, hidden: true}
resources:
  network:
    type: OS::Neutron::Net
  subnet:
    type: OS::Neutron::Subnet
    properties:
      network: {get_resource: network}
      cidr: 10.0.0.0/24
      dns_nameservers: [8.8.8.8]
  router:
    type: OS::Neutron::Router
    properties:
      external_gateway_info: {network: {get_param: external_network}}
  router_interface:
    type: OS::Neutron::RouterInterface
    properties: {router: {get_resource: router}, subnet: {get_resource: subnet}}
  secgroup:
    type: OS::Neutron::SecurityGroup
    properties:
      rules:
        - {protocol: icmp}
        - {protocol: tcp, port_range_min: 22, port_range_max: 22}
        - {protocol: tcp, port_range_min: 2376, port_range_max: 2376}
        - {protocol: tcp, remote_mode: remote_group_id}
  hosts:
    type: OS::Heat::ResourceGroup
    depends_on: router_interface
    properties:
      count: {get_param: number_of_hosts}
      removal_policies: [{resource_list: {get_param: hosts_to_remove}}]
      resource_def:
        type: host.yaml
        properties:
          name:
            list_join: ['-', [{get_param: 'OS::stack_name'}, 'host', '%index%']]
          ssh_key_name: {get_param: ssh_key_name}
          server_image: {get_param: server_image}
          flavor: {get_param: flavor}
          external_network: {get_param: external_network}
          network: {get_resource: network}
          subnet: {get_resource: subnet}
          secgroups: [{get_resource: secgroup}]
outputs:
  api_address: {value: {get_attr: [hosts, resource.0.external_ip]}}
  addresses: {value: {get_attr: [hosts, ip]}, description: private addresses}
  floating: {value: {get_attr: [hosts, external_ip]}}
  refs: {value: {get_attr: [hosts, refs]}}
  refs_map: {value: {get_attr: [hosts, refs_map]}}
  by_name: {value: {get_attr: [hosts, attributes, ip]}}
  removed: {value: {get_attr: [hosts, removed_rsrc_list]}}
"#;

pub(super) const HOST: &str = r##"
heat_template_version: 2018-08-31
parameters:
  name: {type: string}
  ssh_key_name: {type: string}
  server_image: {type: string}
  flavor: {type: string}
  external_network: {type: string}
  network: {type: string}
  subnet: {type: string}
  secgroups: {type: comma_delimited_list}
resources:
  handle: {type: OS::Heat::WaitConditionHandle}
  wait:
    type: OS::Heat::WaitCondition
    depends_on: server
    properties: {handle: {get_resource: handle}, timeout: 600}
  config:
    type: OS::Heat::SoftwareConfig
    properties:
      group: ungrouped
      config:
        str_replace:
          template: "#!/bin/sh\n$NOTIFY --data-binary '{\"status\": \"SUCCESS\"}'\n"
          params: {$NOTIFY: {get_attr: [handle, curl_cli]}}
  init:
    type: OS::Heat::MultipartMime
    properties: {parts: [{config: {get_resource: config}}]}
  eth0:
    type: OS::Neutron::Port
    properties:
      network: {get_param: network}
      fixed_ips: [{subnet: {get_param: subnet}}]
      security_groups: {get_param: secgroups}
  floating:
    type: OS::Neutron::FloatingIP
    properties: {floating_network: {get_param: external_network}, port_id: {get_resource: eth0}}
  server:
    type: OS::Nova::Server
    properties:
      name: {get_param: name}
      image: {get_param: server_image}
      flavor: {get_param: flavor}
      key_name: {get_param: ssh_key_name}
      user_data_format: RAW
      user_data: {get_resource: init}
      networks: [{port: {get_resource: eth0}}]
outputs:
  ip: {value: {get_attr: [eth0, fixed_ips, 0, ip_address]}}
  external_ip: {value: {get_attr: [floating, floating_ip_address]}}
  OS::stack_id: {value: {get_resource: server}}
"##;

pub(super) fn input(hosts: u32) -> Value {
    json!({
        "files": {"host.yaml": HOST},
        "parameters": {"ssh_key_name": "testkey", "server_image": "ubuntu", "number_of_hosts": hosts},
        "tags": "magnum-1,demo",
    })
}

#[tokio::test(start_paused = true)]
async fn a_cluster_lives_grows_shrinks_and_goes() {
    let client = Client::new(Pace::Real).await;
    let path = client.create("swarm", CLUSTER, input(2)).await;
    let begun = client.show(&path).await;
    assert_eq!(begun["stack_status"], "CREATE_IN_PROGRESS");
    assert_eq!(begun["stack_status_reason"], "Stack CREATE started");
    assert_eq!(begun["parameters"]["password"], "******");
    assert_eq!(begun["tags"], json!(["magnum-1", "demo"]));

    let made = client.settle(&path).await;
    assert_eq!(made["stack_status"], "CREATE_COMPLETE", "{made}");
    assert_eq!(made["stack_status_reason"], "Stack CREATE completed successfully");
    assert_eq!(output(&made, "addresses").as_array().unwrap().len(), 2);
    assert!(
        output(&made, "api_address")
            .as_str()
            .unwrap()
            .starts_with("172.24.4.")
    );
    let refs = output(&made, "refs");
    client.cloud.with(|world| {
        for id in refs.as_array().unwrap() {
            let server = world.find_server(id.as_str().unwrap()).unwrap();
            assert!(server.name.starts_with("swarm-host-"), "{}", server.name);
            assert!(server.user_data.as_deref().unwrap().contains("X-Auth-Token"));
        }
    });
    assert_eq!(output(&made, "refs_map"), json!({"0": refs[0], "1": refs[1]}));
    assert_eq!(client.resources(&path, 5).await.len(), 6 + 2 + 2 * 7);

    let (status, _) = client
        .call("PATCH", &path, json!({"parameters": {"number_of_hosts": 4}}))
        .await;
    assert_eq!(status, 202);
    let grown = client.settle(&path).await;
    assert_eq!(grown["stack_status"], "UPDATE_COMPLETE", "{grown}");
    assert_eq!(output(&grown, "refs").as_array().unwrap().len(), 4);
    assert_eq!(output(&grown, "refs")[0], refs[0]);

    let gone = output(&grown, "refs")[1].clone();
    let change = json!({"parameters": {"number_of_hosts": 3, "hosts_to_remove": gone}});
    assert_eq!(client.call("PATCH", &path, change).await.0, 202);
    let shrunk = client.settle(&path).await;
    assert_eq!(shrunk["stack_status"], "UPDATE_COMPLETE", "{shrunk}");
    assert_eq!(output(&shrunk, "removed"), json!(["1"]));
    assert_eq!(
        output(&shrunk, "refs_map")
            .as_object()
            .unwrap()
            .keys()
            .collect::<Vec<_>>(),
        ["0", "2", "3"]
    );

    let change = json!({"parameters": {"number_of_hosts": 4, "hosts_to_remove": ""}});
    assert_eq!(client.call("PATCH", &path, change).await.0, 202);
    let again = client.settle(&path).await;
    // A name that was removed is not used again.
    assert_eq!(
        output(&again, "refs_map")
            .as_object()
            .unwrap()
            .keys()
            .collect::<Vec<_>>(),
        ["0", "2", "3", "4"]
    );

    assert_eq!(client.call("DELETE", &path, Value::Null).await.0, 204);
    let deleted = client.settle(&path).await;
    assert_eq!(deleted["stack_status"], "DELETE_COMPLETE", "{deleted}");
    assert_eq!(client.call("GET", "/stacks/swarm", Value::Null).await.0, 404);
    let left = client.cloud.leftovers(&client.project);
    assert!(
        left.stacks.is_empty() && left.servers.is_empty() && left.ports.is_empty(),
        "{left:?}"
    );
    assert!(left.networks.is_empty() && left.floating_ips.is_empty() && left.security_groups.is_empty());
}

#[tokio::test(start_paused = true)]
async fn at_once_when_nothing_takes_time() {
    let client = Client::new(Pace::Instant).await;
    let path = client.create("quick", CLUSTER, input(3)).await;
    assert_eq!(client.show(&path).await["stack_status"], "CREATE_COMPLETE");
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_fails_fails_the_stack() {
    let client = Client::new(Pace::Real).await;
    let at = At::Resource {
        resource_type: "OS::Nova::Server".into(),
        name: "bad-host-0".into(),
    };
    client
        .cloud
        .inject(Fault::once(at, Effect::GuestFailure("no docker".into())));
    let path = client.create("bad", CLUSTER, input(1)).await;
    let stack = client.settle(&path).await;
    assert_eq!(stack["stack_status"], "CREATE_FAILED");
    assert_eq!(
        stack["stack_status_reason"],
        "Resource CREATE failed: WaitConditionFailure: resources.hosts.resources[0].resources.wait: no docker"
    );
}

#[tokio::test(start_paused = true)]
async fn a_silent_guest_times_out() {
    let client = Client::new(Pace::Real).await;
    let at = At::Resource {
        resource_type: "OS::Nova::Server".into(),
        name: "mute-host-0".into(),
    };
    client.cloud.inject(Fault::once(at, Effect::GuestSilent));
    let path = client.create("mute", CLUSTER, input(1)).await;
    let stack = client.settle(&path).await;
    assert_eq!(
        stack["stack_status_reason"],
        "Resource CREATE failed: WaitConditionTimeout: resources.hosts.resources[0].resources.wait: 0 of 1 received"
    );
    assert_eq!(client.call("DELETE", &path, Value::Null).await.0, 204);
    assert_eq!(client.settle(&path).await["stack_status"], "DELETE_COMPLETE");
}
