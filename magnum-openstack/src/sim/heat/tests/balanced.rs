//! Load balancers and their parts.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Client, output};
use crate::sim::{Pace, SimCloud};

/// The addresses of a cluster's servers behind a load balancer with a floating IP.
const BALANCED: &str = r"
heat_template_version: 2018-08-31
parameters:
  members: {type: number, default: 2}
  gone: {type: comma_delimited_list, default: ''}
  algorithm: {type: string, default: ROUND_ROBIN}
  description: {type: string, default: ''}
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
  balancer:
    type: OS::Octavia::LoadBalancer
    properties:
      vip_subnet: {get_resource: subnet}
      description: {get_param: description}
  listener:
    type: OS::Octavia::Listener
    properties:
      loadbalancer: {get_resource: balancer}
      protocol: HTTPS
      protocol_port: 6443
  pool:
    type: OS::Octavia::Pool
    properties: {listener: {get_resource: listener}, protocol: HTTPS, lb_algorithm: {get_param: algorithm}}
  monitor:
    type: OS::Octavia::HealthMonitor
    properties: {type: TCP, delay: 5, max_retries: 5, timeout: 5, pool: {get_resource: pool}}
  address:
    type: OS::Neutron::FloatingIP
    depends_on: interface
    properties: {floating_network: public, port_id: {get_attr: [balancer, vip_port_id]}}
  ports:
    type: OS::Heat::ResourceGroup
    properties:
      count: {get_param: members}
      removal_policies: [{resource_list: {get_param: gone}}]
      resource_def:
        type: member.yaml
        properties:
          network: {get_resource: net}
          subnet: {get_resource: subnet}
          pool: {get_resource: pool}
outputs:
  api: {value: {get_attr: [address, floating_ip_address]}}
  vip: {value: {get_attr: [balancer, vip_address]}}
  pools: {value: {get_attr: [balancer, pools]}}
  pool: {value: {get_resource: pool}}
  members: {value: {get_attr: [pool, members]}}
  monitor: {value: {get_attr: [pool, healthmonitor_id]}}
  listeners: {value: {get_attr: [pool, listeners]}}
  default_pool: {value: {get_attr: [listener, default_pool_id]}}
  monitored: {value: {get_attr: [monitor, pools, 0, id]}}
  refs: {value: {get_attr: [ports, refs]}}
";

const MEMBER: &str = r"
heat_template_version: 2018-08-31
parameters: {network: {type: string}, subnet: {type: string}, pool: {type: string, default: ''}}
resources:
  port:
    type: OS::Neutron::Port
    properties: {network: {get_param: network}, fixed_ips: [{subnet: {get_param: subnet}}]}
  member:
    type: OS::Octavia::PoolMember
    properties:
      pool: {get_param: pool}
      address: {get_attr: [port, fixed_ips, 0, ip_address]}
      subnet: {get_param: subnet}
      protocol_port: 6443
outputs:
  OS::stack_id: {value: {get_resource: port}}
  shown: {value: {get_attr: [member, show, address]}}
";

fn input() -> Value {
    json!({"files": {"member.yaml": MEMBER}})
}

fn nothing_is_left(client: &Client) {
    let left = client.cloud.leftovers(&client.project);
    assert!(left.is_empty(), "{left}");
    let parts = client.cloud.with(|world| world.load_balancing.parts().count());
    assert_eq!(parts, 0);
}

fn only_balancer(cloud: &SimCloud) -> String {
    cloud.with(|world| world.load_balancing.balancers().next().unwrap().id.clone())
}

#[tokio::test(start_paused = true)]
async fn servers_behind_a_load_balancer_come_and_go() {
    let client = Client::new(Pace::Real).await;
    let path = client.create("lb", BALANCED, input()).await;
    let made = client.settle(&path).await;
    assert_eq!(made["stack_status"], "CREATE_COMPLETE", "{made}");
    assert!(output(&made, "api").as_str().unwrap().starts_with("172.24.4."));
    assert!(output(&made, "vip").as_str().unwrap().starts_with("10.0.0."));
    assert_eq!(output(&made, "pools"), json!([{"id": output(&made, "pool")}]));
    assert_eq!(output(&made, "default_pool"), output(&made, "pool"));
    assert_eq!(output(&made, "monitored"), output(&made, "pool"));
    assert_eq!(output(&made, "members").as_array().unwrap().len(), 2);
    assert_eq!(output(&made, "listeners").as_array().unwrap().len(), 1);
    assert_eq!(
        output(&made, "monitor"),
        client.resource(&path, "monitor").await["physical_resource_id"]
    );

    let grown = client.change(&path, json!({"members": 4})).await;
    assert_eq!(grown["stack_status"], "UPDATE_COMPLETE", "{grown}");
    assert_eq!(output(&grown, "members").as_array().unwrap().len(), 4);

    let gone = output(&grown, "refs")[1].clone();
    let change = json!({"members": 3, "gone": gone, "algorithm": "SOURCE_IP", "description": "ours"});
    let shrunk = client.change(&path, change).await;
    assert_eq!(shrunk["stack_status"], "UPDATE_COMPLETE", "{shrunk}");
    assert_eq!(output(&shrunk, "members").as_array().unwrap().len(), 3);
    assert_eq!(output(&shrunk, "pool"), output(&made, "pool"));
    client.cloud.with(|world| {
        let balancer = world.load_balancing.balancers().next().unwrap();
        assert_eq!(balancer.description, "ours");
        let pool = output(&made, "pool");
        let pool = world.find_load_balancer_part(pool.as_str().unwrap()).unwrap();
        assert_eq!(pool.setting("lb_algorithm"), Some("SOURCE_IP"));
    });

    assert_eq!(client.delete(&path).await["stack_status"], "DELETE_COMPLETE");
    nothing_is_left(&client);
}

#[tokio::test(start_paused = true)]
async fn a_delete_at_any_moment_of_a_create_ends_and_leaves_nothing() {
    for seconds in (0..160).step_by(8) {
        let client = Client::new(Pace::Real).await;
        let path = client.create("lb", BALANCED, input()).await;
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        let gone = client.delete(&path).await;
        assert_eq!(gone["stack_status"], "DELETE_COMPLETE", "{seconds}: {gone}");
        nothing_is_left(&client);
    }
}

#[tokio::test(start_paused = true)]
async fn what_goes_to_error_fails_its_resource_and_still_goes() {
    for (kind, name, place) in [
        ("LoadBalancer", "balancer", "balancer"),
        ("Listener", "listener", "listener"),
        ("Pool", "pool", "pool"),
        ("HealthMonitor", "monitor", "monitor"),
        ("PoolMember", "member", "ports.resources[0].resources.member"),
    ] {
        let client = Client::new(Pace::Real).await;
        client.fail(&format!("OS::Octavia::{kind}"), name);
        let path = client.create("lb", BALANCED, input()).await;
        let failed = client.settle(&path).await;
        assert_eq!(
            failed["stack_status_reason"],
            format!(
                "Resource CREATE failed: ResourceInError: resources.{place}: Went to status ERROR due to \"Unknown\""
            )
        );
        // What is under way when the stack fails goes on to its own end.
        tokio::time::sleep(Duration::from_secs(120)).await;
        let mut gone = client.delete(&path).await;
        if gone["stack_status"] == "DELETE_FAILED" {
            // Immutable while another part goes, and in ERROR itself: Heat does not wait for that.
            let reason = gone["stack_status_reason"].as_str().unwrap();
            assert!(reason.contains("Went to status ERROR"), "{reason}");
            tokio::time::sleep(Duration::from_secs(60)).await;
            gone = client.delete(&path).await;
        }
        assert_eq!(gone["stack_status"], "DELETE_COMPLETE", "{kind}: {gone}");
        nothing_is_left(&client);
    }
}

#[tokio::test(start_paused = true)]
async fn an_immutable_load_balancer_is_waited_for() {
    let client = Client::new(Pace::Real).await;
    let path = client.create("lb", BALANCED, input()).await;
    let made = client.settle(&path).await;
    let balancer = only_balancer(&client.cloud);
    let busy = |seconds: i64| {
        client.cloud.with(|world| {
            let until = world.now() + jiff::SignedDuration::from_secs(seconds);
            let balancer = world.load_balancing.balancers.get_mut(&balancer).unwrap();
            balancer.busy_until = until;
            balancer.busy_with = "PENDING_UPDATE";
        });
    };
    busy(300);
    let before = client.cloud.clock().now();
    let grown = client.change(&path, json!({"members": 3})).await;
    assert_eq!(grown["stack_status"], "UPDATE_COMPLETE", "{grown}");
    assert!(client.cloud.clock().now().duration_since(before).as_secs() >= 300);
    // The load balancer itself is not tried again.
    busy(300);
    let refused = client.change(&path, json!({"description": "new"})).await;
    let reason = refused["stack_status_reason"].as_str().unwrap();
    let wanted = format!(
        "Resource UPDATE failed: OctaviaClientException: resources.balancer: Load Balancer {balancer} is immutable and \
         cannot be updated. (HTTP 409) (Request-ID: req-"
    );
    assert!(reason.starts_with(&wanted), "{reason}");
    busy(300);
    assert_eq!(client.delete(&path).await["stack_status"], "DELETE_COMPLETE");
    nothing_is_left(&client);
    assert_eq!(output(&made, "members").as_array().unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_load_balancer_with_foreign_parts_stays() {
    let client = Client::new(Pace::Real).await;
    let path = client.create("lb", BALANCED, input()).await;
    client.settle(&path).await;
    let balancer = only_balancer(&client.cloud);
    let url = "http://sim.cloud/load-balancer/v2/lbaas/listeners";
    let listener = json!({"listener": {"loadbalancer_id": balancer, "protocol": "TCP", "protocol_port": 80}});
    assert_eq!(client.post(url, listener).await.0, 201);
    tokio::time::sleep(Duration::from_secs(30)).await;
    let stuck = client.delete(&path).await;
    assert_eq!(stuck["stack_status"], "DELETE_FAILED");
    let reason = stuck["stack_status_reason"].as_str().unwrap();
    assert!(
        reason.starts_with(
            "Resource DELETE failed: OctaviaClientException: resources.balancer: Validation failure: "
        ),
        "{reason}"
    );
    client
        .cloud
        .with(|world| world.delete_load_balancer(&balancer, true).unwrap());
    assert_eq!(client.delete(&path).await["stack_status"], "DELETE_COMPLETE");
    nothing_is_left(&client);
}

#[tokio::test(start_paused = true)]
async fn without_octavias_role_there_is_no_load_balancer() {
    let client = Client::new(Pace::Real).await;
    let user = client.cloud.user_id("demo").unwrap();
    client
        .cloud
        .revoke_role(&user, &client.project, "load-balancer_member");
    let path = client.create("lb", BALANCED, input()).await;
    let failed = client.settle(&path).await;
    let reason = failed["stack_status_reason"].as_str().unwrap();
    assert!(
        reason.starts_with(
            "Resource CREATE failed: OctaviaClientException: resources.balancer: Policy does not allow this request \
             to be performed. (HTTP 403) (Request-ID: req-"
        ),
        "{reason}"
    );
    assert_eq!(client.delete(&path).await["stack_status"], "DELETE_COMPLETE");
    nothing_is_left(&client);
}

#[tokio::test(start_paused = true)]
async fn what_does_not_go_together_is_refused() {
    let client = Client::new(Pace::Instant).await;
    let refused = |resource: &'static str| {
        let template = format!("heat_template_version: 2018-08-31\nresources: {{r: {resource}}}\n");
        let client = &client;
        async move {
            let (status, answer) = client.try_create("r", &template, json!({})).await;
            assert_eq!(status, 400, "{answer}");
            answer["error"]["message"].as_str().unwrap_or_default().to_owned()
        }
    };
    for (resource, wanted) in [
        (
            "{type: OS::Octavia::Listener, properties: {protocol: TCP, protocol_port: 80}}",
            "At least one of the following properties must be specified: loadbalancer, default_pool.",
        ),
        (
            "{type: OS::Octavia::Listener, properties: {protocol: TCP, protocol_port: 80, loadbalancer: nope}}",
            "Error validating value 'nope': nope not found (HTTP 404)",
        ),
        (
            "{type: OS::Octavia::Pool, properties: {protocol: TCP, lb_algorithm: FAIR, loadbalancer: nope}}",
            "\"FAIR\" is not an allowed value",
        ),
        (
            "{type: OS::Octavia::PoolMember, properties: {pool: nope, address: 10.0.0.1, protocol_port: 70000}}",
            "nope not found (HTTP 404)",
        ),
        (
            "{type: OS::Octavia::HealthMonitor, properties: {pool: nope, delay: 1, timeout: 1, type: TCP, max_retries: 11}}",
            "11 is out of range (min: 1, max: 10)",
        ),
        (
            "{type: OS::Octavia::LoadBalancer, properties: {vip_subnet: public-subnet, vip_network: public}}",
            "Unknown Property vip_network",
        ),
    ] {
        let message = refused(resource).await;
        assert!(message.contains(wanted), "{resource}: {message}");
    }
    // The protocols of a pool and its listener are Octavia's matter.
    let path = client
        .create(
            "lb",
            &BALANCED.replace("protocol: HTTPS, lb", "protocol: HTTP, lb"),
            input(),
        )
        .await;
    let reason = client.settle(&path).await["stack_status_reason"].clone();
    let wanted = "OctaviaClientException: resources.pool: Validation failure: The pool protocol 'HTTP' is invalid while \
                  the listener protocol is 'HTTPS'. (HTTP 400)";
    assert!(reason.as_str().unwrap().contains(wanted), "{reason}");
}

#[tokio::test(start_paused = true)]
async fn what_comes_from_another_resource_is_not_missing() {
    let client = Client::new(Pace::Real).await;
    let template = BALANCED
        .replace(
            "listener: {get_resource: listener}",
            "listener: {get_attr: [chosen, value]}",
        )
        .replace(
            "  pool:\n",
            "  chosen: {type: OS::Heat::Value, properties: {value: {get_resource: listener}}}\n  pool:\n",
        );
    let path = client.create("lb", &template, input()).await;
    let made = client.settle(&path).await;
    assert_eq!(made["stack_status"], "CREATE_COMPLETE", "{made}");
}

#[tokio::test(start_paused = true)]
async fn a_load_balancer_that_breaks_later_holds_its_parts_until_it_goes_with_them() {
    let client = Client::new(Pace::Real).await;
    let mut more = input();
    more["timeout_mins"] = json!(15);
    let path = client.create("lb", BALANCED, more).await;
    client.settle(&path).await;
    let balancer = only_balancer(&client.cloud);
    client.cloud.with(|world| {
        let broken = world.load_balancing.balancers.get_mut(&balancer).unwrap();
        broken.fails_with = Some("amphora lost".into());
    });
    let stuck = client.delete(&path).await;
    assert_eq!(
        (&stuck["stack_status"], &stuck["stack_status_reason"]),
        (&json!("DELETE_FAILED"), &json!("Timed out"))
    );
    let url = format!("http://sim.cloud/load-balancer/v2/lbaas/loadbalancers/{balancer}");
    assert_eq!(client.send("DELETE", &format!("{url}?cascade=true")).await.0, 204);
    assert_eq!(client.delete(&path).await["stack_status"], "DELETE_COMPLETE");
    nothing_is_left(&client);
}
