//! Updates by difference, failures, rollbacks and deletions.

use std::time::Duration;

use serde_json::{Value, json};

use super::docker::{CLUSTER, HOST, input};
use super::{Client, output};
use crate::sim::world::network::PortSpec;
use crate::sim::{At, Effect, Fault, Pace};

const NETWORK: &str = r"
heat_template_version: 2018-08-31
parameters:
  cidr: {type: string, default: 10.0.0.0/24}
  name: {type: string, default: ours}
  dns: {type: comma_delimited_list, default: 8.8.8.8}
resources:
  net: {type: OS::Neutron::Net, properties: {name: {get_param: name}}}
  subnet:
    type: OS::Neutron::Subnet
    properties:
      network: {get_resource: net}
      cidr: {get_param: cidr}
      dns_nameservers: {get_param: dns}
  port:
    type: OS::Neutron::Port
    properties: {network: {get_resource: net}, fixed_ips: [{subnet: {get_resource: subnet}}]}
outputs:
  address: {value: {get_attr: [port, fixed_ips, 0, ip_address]}}
  dns: {value: {get_attr: [subnet, dns_nameservers]}}
  net: {value: {get_resource: net}}
";

#[tokio::test(start_paused = true)]
async fn only_what_differs_is_touched() {
    let client = Client::new(Pace::Real).await;
    let path = client.create("diff", NETWORK, json!({})).await;
    let made = client.settle(&path).await;
    assert_eq!(made["stack_status"], "CREATE_COMPLETE", "{made}");
    let before: Vec<Value> = [
        client.resource(&path, "net").await,
        client.resource(&path, "subnet").await,
    ]
    .to_vec();

    // A property that can change in place.
    assert_eq!(
        client
            .call("PATCH", &path, json!({"parameters": {"dns": "1.1.1.1,9.9.9.9"}}))
            .await
            .0,
        202
    );
    let changed = client.settle(&path).await;
    assert_eq!(changed["stack_status"], "UPDATE_COMPLETE");
    assert_eq!(output(&changed, "dns"), json!(["1.1.1.1", "9.9.9.9"]));
    let subnet = client.resource(&path, "subnet").await;
    assert_eq!(subnet["resource_status"], "UPDATE_COMPLETE");
    assert_eq!(subnet["physical_resource_id"], before[1]["physical_resource_id"]);
    assert_eq!(
        client.resource(&path, "net").await["resource_status"],
        "CREATE_COMPLETE"
    );

    // One that cannot: the subnet is replaced, and so is what hangs on it.
    assert_eq!(
        client
            .call("PATCH", &path, json!({"parameters": {"cidr": "10.9.0.0/24"}}))
            .await
            .0,
        202
    );
    let replaced = client.settle(&path).await;
    assert_eq!(replaced["stack_status"], "UPDATE_COMPLETE", "{replaced}");
    let subnet = client.resource(&path, "subnet").await;
    assert_ne!(subnet["physical_resource_id"], before[1]["physical_resource_id"]);
    assert_eq!(output(&replaced, "net"), before[0]["physical_resource_id"]);
    client.cloud.with(|world| {
        assert_eq!(
            world
                .network
                .subnets()
                .filter(|s| s.cidr.to_string() == "10.9.0.0/24")
                .count(),
            1
        )
    });

    // A resource less.
    let less = NETWORK.split("  port:").next().unwrap();
    assert_eq!(client.call("PUT", &path, json!({"template": less})).await.0, 202);
    assert_eq!(client.settle(&path).await["stack_status"], "UPDATE_COMPLETE");
    assert_eq!(
        client
            .call("GET", &format!("{path}/resources/port"), Value::Null)
            .await
            .0,
        404
    );
}

#[tokio::test(start_paused = true)]
async fn a_foreign_port_keeps_the_network() {
    let client = Client::new(Pace::Real).await;
    let path = client.create("kept", NETWORK, json!({})).await;
    let made = client.settle(&path).await;
    let network_id = output(&made, "net").as_str().unwrap().to_owned();
    let project = client.project.clone();
    let foreign = client.cloud.with(|world| {
        let spec = PortSpec {
            network_id,
            name: "foreign".into(),
            ..PortSpec::default()
        };
        world.create_port(&project, spec).unwrap().id
    });
    assert_eq!(client.call("DELETE", &path, Value::Null).await.0, 204);
    let stuck = client.settle(&path).await;
    assert_eq!(stuck["stack_status"], "DELETE_FAILED");
    let reason = stuck["stack_status_reason"].as_str().unwrap();
    assert!(
        reason.starts_with("Resource DELETE failed: Conflict: resources.subnet: "),
        "{reason}"
    );
    assert!(
        reason.contains("Neutron server returns request_ids: ['req-"),
        "{reason}"
    );
    client.cloud.with(|world| world.delete_port(&foreign).unwrap());
    assert_eq!(client.call("DELETE", &path, Value::Null).await.0, 204);
    assert_eq!(client.settle(&path).await["stack_status"], "DELETE_COMPLETE");
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_named_and_mended_by_the_next_update() {
    let client = Client::new(Pace::Real).await;
    let at = At::Resource {
        resource_type: "OS::Nova::Server".into(),
        name: "server".into(),
    };
    client.cloud.inject(Fault::once(
        at,
        Effect::ResourceFailure("No valid host was found. ".into()),
    ));
    let path = client.create("mended", CLUSTER, input(1)).await;
    let failed = client.settle(&path).await;
    assert_eq!(failed["stack_status"], "CREATE_FAILED");
    assert_eq!(
        failed["stack_status_reason"],
        "Resource CREATE failed: ResourceInError: resources.hosts.resources[0].resources.server: Went to status \
         ERROR due to \"Message: No valid host was found. , Code: 500\""
    );
    assert_eq!(client.call("PATCH", &path, json!({})).await.0, 202);
    let mended = client.settle(&path).await;
    assert_eq!(mended["stack_status"], "UPDATE_COMPLETE", "{mended}");
    client
        .cloud
        .with(|world| assert_eq!(world.compute.servers().filter(|s| s.gone_at.is_none()).count(), 1));
    assert_eq!(client.call("DELETE", &path, Value::Null).await.0, 204);
    assert_eq!(client.settle(&path).await["stack_status"], "DELETE_COMPLETE");
    assert!(client.cloud.leftovers(&client.project).servers.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_failed_is_rolled_back_where_that_is_wanted() {
    let client = Client::new(Pace::Real).await;
    let fail = |name: &str| {
        let at = At::Resource {
            resource_type: "OS::Neutron::Port".into(),
            name: name.into(),
        };
        client
            .cloud
            .inject(Fault::once(at, Effect::ResourceFailure("broken".into())));
    };
    fail("port");
    let path = client
        .create("undone", NETWORK, json!({"disable_rollback": false}))
        .await;
    let undone = client.settle(&path).await;
    assert_eq!(undone["stack_status"], "ROLLBACK_COMPLETE", "{undone}");
    assert!(client.cloud.leftovers(&client.project).networks.is_empty());

    let path = client
        .create("back", NETWORK, json!({"disable_rollback": false}))
        .await;
    let made = client.settle(&path).await;
    fail("port");
    let change = json!({"parameters": {"cidr": "10.7.0.0/24", "name": "other"}, "template": NETWORK.replace("port:\n    type: OS::Neutron::Port\n    properties: {", "port:\n    type: OS::Neutron::Port\n    properties: {name: x, ")});
    assert_eq!(client.call("PATCH", &path, change).await.0, 202);
    let back = client.settle(&path).await;
    assert_eq!(back["stack_status"], "ROLLBACK_COMPLETE", "{back}");
    assert_eq!(back["parameters"]["cidr"], "10.0.0.0/24");
    assert_eq!(output(&back, "net"), output(&made, "net"));
    client.cloud.with(|world| {
        let ours: Vec<String> = world
            .network
            .subnets()
            .filter(|s| s.project_id == client.project)
            .map(|s| s.cidr.to_string())
            .collect();
        assert_eq!(ours, ["10.0.0.0/24"]);
    });
}

#[tokio::test(start_paused = true)]
async fn time_runs_out() {
    let client = Client::new(Pace::Real).await;
    let template = "
heat_template_version: 2018-08-31
resources:
  handle: {type: OS::Heat::WaitConditionHandle}
  wait: {type: OS::Heat::WaitCondition, properties: {handle: {get_resource: handle}, timeout: 3000}}
";
    let path = client.create("slow", template, json!({"timeout_mins": 2})).await;
    let stack = client.settle(&path).await;
    assert_eq!(stack["stack_status"], "CREATE_FAILED");
    assert_eq!(stack["stack_status_reason"], "Timed out");
    let wait = client.resource(&path, "wait").await;
    assert!(
        wait["resource_status_reason"]
            .as_str()
            .unwrap()
            .starts_with("CREATE aborted"),
        "{wait}"
    );
}

#[tokio::test(start_paused = true)]
async fn signals_count_and_carry_data() {
    let client = Client::new(Pace::Real).await;
    let template = "
heat_template_version: 2018-08-31
resources:
  handle: {type: OS::Heat::WaitConditionHandle}
  wait: {type: OS::Heat::WaitCondition, properties: {handle: {get_resource: handle}, timeout: 300, count: 2}}
outputs:
  data: {value: {get_attr: [wait, data]}}
  curl: {value: {get_attr: [handle, curl_cli]}}
  token: {value: {get_attr: [handle, token]}}
  endpoint: {value: {get_attr: [handle, endpoint]}}
";
    let path = client.create("signals", template, json!({})).await;
    tokio::time::sleep(Duration::from_secs(20)).await;
    let stack = client.show(&path).await;
    assert_eq!(stack["stack_status"], "CREATE_IN_PROGRESS");
    assert_eq!(output(&stack, "data"), "{}");
    let (token, endpoint) = (output(&stack, "token"), output(&stack, "endpoint"));
    let (token, endpoint) = (token.as_str().unwrap(), endpoint.as_str().unwrap());
    assert!(output(&stack, "curl").as_str().unwrap().contains(token));
    let send = |body: Value| client.call_url("POST", endpoint, token, body);
    assert_eq!(send(json!({"data": "first"})).await, (200, Value::Null));
    assert_eq!(send(json!({"status": "DONE"})).await.0, 400);
    assert_eq!(client.show(&path).await["stack_status"], "CREATE_IN_PROGRESS");
    assert_eq!(
        send(json!({"status": "SUCCESS", "id": "x", "data": {"a": 1}}))
            .await
            .0,
        200
    );
    let done = client.settle(&path).await;
    assert_eq!(done["stack_status"], "CREATE_COMPLETE");
    assert_eq!(output(&done, "data"), r#"{"1": "first", "x": {"a": 1}}"#);
    // The token is good for its own stack's project only.
    assert_eq!(
        client
            .call_url(
                "GET",
                &format!("http://sim.cloud/orchestration/v1/{}/stacks", client.project),
                token,
                Value::Null
            )
            .await
            .0,
        403
    );
    let (_, events) = client
        .call(
            "GET",
            &format!("{path}/events?resource_action=SIGNAL"),
            Value::Null,
        )
        .await;
    assert_eq!(
        events["events"][0]["resource_status_reason"],
        "Signal: status:SUCCESS reason:Signal 1 received"
    );
    assert_eq!(client.call("DELETE", &path, Value::Null).await.0, 204);
    assert_eq!(client.settle(&path).await["stack_status"], "DELETE_COMPLETE");
    assert_eq!(client.call_url("POST", endpoint, token, json!({})).await.0, 401);
}

#[tokio::test(start_paused = true)]
async fn a_delete_takes_over_whatever_is_under_way() {
    let client = Client::new(Pace::Real).await;
    let path = client.create("taken", CLUSTER, input(2)).await;
    for _ in 0..8 {
        tokio::time::sleep(Duration::from_secs(3)).await;
        client.show(&path).await;
    }
    assert_eq!(client.call("DELETE", &path, Value::Null).await.0, 204);
    let (status, refused) = client.call("PATCH", &path, json!({})).await;
    assert_eq!(
        (status, refused["error"]["type"].as_str().unwrap()),
        (400, "NotSupported")
    );
    assert_eq!(client.settle(&path).await["stack_status"], "DELETE_COMPLETE");
    let left = client.cloud.leftovers(&client.project);
    assert!(
        left.servers.is_empty() && left.ports.is_empty() && left.networks.is_empty(),
        "{left:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_update_takes_over_an_update() {
    let client = Client::new(Pace::Real).await;
    let path = client.create("over", CLUSTER, input(1)).await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(
        client
            .call("PATCH", &path, json!({"parameters": {"number_of_hosts": 3}}))
            .await
            .0,
        202
    );
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(
        client
            .call("PATCH", &path, json!({"parameters": {"number_of_hosts": 2}}))
            .await
            .0,
        202
    );
    let done = client.settle(&path).await;
    assert_eq!(done["stack_status"], "UPDATE_COMPLETE", "{done}");
    assert_eq!(output(&done, "refs").as_array().unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_same_life_in_every_run() {
    let mut seen = Vec::new();
    for pause in [1, 7] {
        let client = Client::new(Pace::Real).await;
        let path = client.create("same", CLUSTER, input(2)).await;
        // How often somebody looks changes nothing.
        for _ in 0..(700 / pause) {
            client.show(&path).await;
            tokio::time::sleep(Duration::from_secs(pause)).await;
        }
        let (_, events) = client
            .call("GET", &format!("{path}/events?nested_depth=5"), Value::Null)
            .await;
        let times: Vec<(String, String, String)> = events["events"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| {
                let text = |key: &str| e[key].as_str().unwrap().to_owned();
                let name = text("resource_name")
                    .split('-')
                    .take(2)
                    .collect::<Vec<_>>()
                    .join("-");
                (text("event_time"), name, text("resource_status"))
            })
            .collect();
        assert!(times.len() > 40);
        seen.push(times);
    }
    assert_eq!(seen[0], seen[1]);
}

#[tokio::test(start_paused = true)]
async fn types_can_be_switched_off() {
    let client = Client::new(Pace::Instant).await;
    let mut body = input(1);
    body["environment"] = json!({"resource_registry": {"OS::Neutron::FloatingIP": "OS::Heat::None"}});
    body["files"] = json!({"host.yaml": HOST});
    let path = client.create("none", CLUSTER, body).await;
    let stack = client.settle(&path).await;
    assert_eq!(stack["stack_status"], "CREATE_COMPLETE", "{stack}");
    assert_eq!(output(&stack, "floating"), json!([null]));
    client
        .cloud
        .with(|world| assert_eq!(world.network.floating_ips().count(), 0));
}
