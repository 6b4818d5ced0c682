//! The clients against the simulated cloud: whole lives of a trust and a stack, and what goes wrong in them.
#![cfg(feature = "sim")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test program: a panic is its verdict"
)]

use std::sync::Arc;
use std::time::Duration;

use magnum_core::{
    Action, Auth, ErrorKind, Orchestrator, Phase, Retry, Secret, Stack, StackCreate, StackRef, StackTemplate,
    StackUpdate, TrustCredentials, UserToken,
};
use magnum_openstack::sim::world::load_balancing::LoadBalancerSpec;
use magnum_openstack::sim::world::network::{FloatingIpSpec, NetworkSpec, RouterSpec, SubnetSpec};
use magnum_openstack::sim::world::volume::VolumeSpec;
use magnum_openstack::sim::{At, Effect, Fault, SimCloud};
use magnum_openstack::{Credentials, DomainRef, Named, OpenStack};
use serde_json::json;

const TEMPLATE: &str = "
heat_template_version: 2018-08-31
parameters:
  count: {type: number}
resources:
  group:
    type: OS::Heat::ResourceGroup
    properties: {count: {get_param: count}, resource_def: {type: node.yaml}}
outputs:
  values: {value: {get_attr: [group, value]}}
";
const NODE: &str = "
heat_template_version: 2018-08-31
resources:
  string: {type: OS::Heat::RandomString, properties: {length: 8}}
outputs:
  value: {value: {get_attr: [string, value]}}
";

fn person(name: &str) -> Credentials {
    let named = |name: &str| Named::new(name, DomainRef::name("Default"));
    Credentials::password(named(name), "secret").in_project(named(name))
}

fn clients(cloud: &SimCloud) -> OpenStack {
    let service = Credentials::password(Named::new("magnum", DomainRef::name("Default")), "secret")
        .in_project(Named::new("service", DomainRef::name("Default")));
    let magnum = DomainRef::name("magnum");
    OpenStack::builder()
        .auth_url(cloud.auth_url())
        .transport(Arc::new(cloud.transport()))
        .clock(cloud.clock())
        .service(service)
        .trustee_domain_admin(
            Credentials::password(Named::new("magnum_domain_admin", magnum.clone()), "secret")
                .in_domain(magnum),
        )
        .build()
        .unwrap()
}

async fn demo(cloud: &SimCloud) -> (OpenStack, UserToken) {
    let clients = clients(cloud);
    let token = clients.login(person("demo")).await.unwrap();
    (clients, token)
}

fn creation(name: &str) -> StackCreate {
    StackCreate {
        name: name.into(),
        template: StackTemplate {
            template: TEMPLATE.into(),
            files: [("node.yaml".to_owned(), NODE.to_owned())].into(),
        },
        parameters: [("count".to_owned(), json!(2))].into(),
        timeout: Duration::from_secs(3600),
        tags: vec!["magnum-x-1".into()],
    }
}

async fn settled(orchestrator: &Arc<dyn Orchestrator>, auth: &Auth, stack: &StackRef) -> Option<Stack> {
    for _ in 0..600 {
        match orchestrator.get(auth, stack).await.unwrap() {
            Some(stack) if stack.phase == Phase::InProgress => {
                tokio::time::sleep(Duration::from_secs(5)).await
            }
            other => return other,
        }
    }
    panic!("the stack does not end");
}

#[tokio::test(start_paused = true)]
async fn a_stack_lives_under_a_trust() {
    let cloud = SimCloud::builder().devstack().build();
    let (clients, owner) = demo(&cloud).await;
    let (trusts, orchestrator) = (clients.trusts(), clients.orchestrator());
    let password = Secret::new("Trustee-password-1");
    let trustee = trusts.create_trustee("cluster-1", &password).await.unwrap();
    let again = trusts.create_trustee("cluster-1", &password).await.unwrap_err();
    assert_eq!(again.kind(), ErrorKind::Conflict);
    assert_eq!(
        trusts.find_trustee("cluster-1").await.unwrap().as_ref(),
        Some(&trustee)
    );
    let trust_id = trusts.create_trust(&owner, &trustee).await.unwrap();
    assert_eq!(
        trusts.trusts(&owner, &trustee).await.unwrap(),
        std::slice::from_ref(&trust_id)
    );
    let credentials = TrustCredentials {
        trustee_user_id: trustee.clone(),
        password,
        trust_id,
    };
    let (by_owner, by_trust) = (Auth::Token(owner), Auth::Trust(credentials.clone()));

    let stack = orchestrator.create(&by_owner, creation("s1")).await.unwrap();
    let taken = orchestrator.create(&by_owner, creation("s1")).await.unwrap_err();
    assert_eq!(taken.kind(), ErrorKind::Conflict);
    let made = settled(&orchestrator, &by_trust, &stack).await.unwrap();
    assert_eq!((made.action, made.phase), (Some(Action::Create), Phase::Complete));
    assert_eq!(made.tags, ["magnum-x-1"]);
    assert_eq!(made.outputs["values"].as_array().map(Vec::len), Some(2));
    assert_eq!(
        orchestrator.find(&by_trust, "s1").await.unwrap().unwrap().stack,
        stack
    );
    assert_eq!(
        orchestrator
            .list(&by_trust, Some("magnum-x-1".into()))
            .await
            .unwrap()
            .len(),
        1
    );

    let resources = orchestrator.resources(&by_trust, &stack, 5).await.unwrap();
    let leaf = resources
        .iter()
        .find(|resource| resource.name == "string")
        .unwrap();
    assert_ne!(leaf.stack, stack);
    let shown = orchestrator
        .resource(&by_trust, &leaf.stack, "string")
        .await
        .unwrap()
        .unwrap();
    assert!(shown.attributes["value"].is_string());

    let change = StackUpdate {
        parameters: [("count".to_owned(), json!(1))].into(),
        timeout: Duration::from_secs(3600),
        tags: vec!["magnum-x-2".into()],
    };
    orchestrator.update(&by_trust, &stack, change).await.unwrap();
    let changed = settled(&orchestrator, &by_trust, &stack).await.unwrap();
    assert_eq!(
        (changed.action, changed.phase),
        (Some(Action::Update), Phase::Complete)
    );
    assert_eq!(
        (changed.tags, changed.outputs["values"].as_array().map(Vec::len)),
        (vec!["magnum-x-2".into()], Some(1))
    );

    orchestrator.delete(&by_trust, &stack).await.unwrap();
    assert_eq!(settled(&orchestrator, &by_trust, &stack).await, None);
    orchestrator.delete(&by_trust, &stack).await.unwrap();
    trusts.delete_trust(&credentials).await.unwrap();
    trusts.delete_trust(&credentials).await.unwrap();
    trusts.delete_trustee(&trustee).await.unwrap();
    trusts.delete_trustee(&trustee).await.unwrap();
    trusts.delete_trust(&credentials).await.unwrap();
    assert_eq!(trusts.find_trustee("cluster-1").await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn a_trust_whose_owner_is_disabled_is_not_taken_for_gone() {
    let cloud = SimCloud::builder().devstack().build();
    let (clients, owner) = demo(&cloud).await;
    let trusts = clients.trusts();
    let password = Secret::new("Trustee-password-1");
    let trustee_user_id = trusts.create_trustee("cluster-1", &password).await.unwrap();
    let trust_id = trusts.create_trust(&owner, &trustee_user_id).await.unwrap();
    cloud.set_user_enabled(&owner.user_id, false);
    let credentials = TrustCredentials {
        trustee_user_id,
        password,
        trust_id,
    };
    let error = trusts.delete_trust(&credentials).await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Unauthorized | ErrorKind::Forbidden),
        "{error:?}"
    );
    cloud.set_user_enabled(&owner.user_id, true);
    trusts.delete_trust(&credentials).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_a_cluster_needs_is_looked_up() {
    let cloud = SimCloud::builder().devstack().build();
    let (clients, owner) = demo(&cloud).await;
    let (catalog, auth) = (clients.catalog(), Auth::Token(owner));
    let image = catalog.image(&auth, "fedora-coreos").await.unwrap();
    assert_eq!(image.os_distro.as_deref(), Some("fedora-coreos"));
    assert_eq!(catalog.image(&auth, &image.id).await.unwrap(), image);
    assert_eq!(catalog.flavor(&auth, "m1.small").await.unwrap().ram, 2048);
    assert_eq!(catalog.keypair(&auth, "testkey").await.unwrap().name, "testkey");
    assert!(catalog.network(&auth, "public").await.unwrap().external);
    assert!(catalog.compute_limits(&auth).await.unwrap().instances.limit != 0);
    for error in [
        catalog.image(&auth, "none").await.err(),
        catalog.flavor(&auth, "none").await.err(),
        catalog.keypair(&auth, "none").await.err(),
        catalog.subnet(&auth, "none").await.err(),
    ] {
        assert_eq!(error.map(|error| error.kind()), Some(ErrorKind::NotFound));
    }
}

#[tokio::test(start_paused = true)]
async fn tokens_that_expire_are_renewed_unseen() {
    let cloud = SimCloud::builder()
        .devstack()
        .token_lifetime(Duration::from_secs(600))
        .build();
    let clients = clients(&cloud);
    let orchestrator = clients.orchestrator();
    for _ in 0..10 {
        assert!(orchestrator.list(&Auth::Service, None).await.unwrap().is_empty());
        tokio::time::sleep(Duration::from_secs(300)).await;
    }
    cloud.expire_tokens_of(&cloud.user_id("magnum").unwrap());
    assert!(orchestrator.list(&Auth::Service, None).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_create_whose_answer_is_lost_is_not_repeated_and_can_be_found() {
    let cloud = SimCloud::builder().devstack().build();
    let (clients, owner) = demo(&cloud).await;
    let (orchestrator, auth) = (clients.orchestrator(), Auth::Token(owner));
    let creating = |what| {
        let at = At::Route {
            method: Some(http::Method::POST),
            path_prefix: "/orchestration/v1".into(),
            nth: 0,
        };
        Fault::once(at, what)
    };
    cloud.inject(creating(Effect::ResetAfter));
    let error = orchestrator.create(&auth, creation("s1")).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.retry()),
        (ErrorKind::Unavailable, Retry::Unknown)
    );
    assert!(orchestrator.find(&auth, "s1").await.unwrap().is_some());

    // What surely had no effect is: the caller sees nothing of it.
    let busy = Effect::Status {
        status: 429,
        retry_after: Some(Duration::from_secs(20)),
    };
    for (name, fault) in [("s2", Effect::ResetBefore { sent: false }), ("s3", busy)] {
        cloud.inject(creating(fault));
        orchestrator.create(&auth, creation(name)).await.unwrap();
    }
    assert_eq!(orchestrator.list(&auth, None).await.unwrap().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_is_beside_the_stacks_is_found_and_removed() {
    let cloud = SimCloud::builder().devstack().build();
    let (clients, owner) = demo(&cloud).await;
    let project = owner.project_id.clone();
    let (resources, auth) = (clients.resources(), Auth::Token(owner));
    let (network, subnet) = cloud.with(|world| {
        let network = world.create_network(&project, NetworkSpec::default()).unwrap().id;
        let spec = |cidr: &str, network_id: &str| SubnetSpec {
            network_id: network_id.to_owned(),
            cidr: cidr.into(),
            ..SubnetSpec::default()
        };
        let subnet = world
            .create_subnet(&project, spec("10.0.0.0/24", &network))
            .unwrap()
            .id;
        let other = world.create_network(&project, NetworkSpec::default()).unwrap().id;
        let other = world
            .create_subnet(&project, spec("10.0.1.0/24", &other))
            .unwrap()
            .id;
        for subnet in [&subnet, &other] {
            let spec = LoadBalancerSpec {
                name: "lb".into(),
                vip_subnet_id: subnet.clone(),
                ..LoadBalancerSpec::default()
            };
            world.create_load_balancer(&project, spec).unwrap();
        }
        let public = world.resolve_network(&project, "public").unwrap().id.clone();
        let router = RouterSpec {
            external_network_id: Some(public),
            ..RouterSpec::default()
        };
        let router = world.create_router(&project, router).unwrap().id;
        world.add_router_interface(&router, &subnet).unwrap();
        let spec = VolumeSpec {
            name: "v".into(),
            size_gib: 1,
            ..VolumeSpec::default()
        };
        world.create_volume(&project, spec).unwrap();
        (network, subnet)
    });
    let subnets = [subnet];
    let found = resources.load_balancers(&auth, &subnets).await.unwrap();
    let [balancer] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!(balancer.vip_subnet_id, subnets[0]);
    let address = cloud.with(|world| {
        let spec = FloatingIpSpec {
            floating_network_id: world.resolve_network(&project, "public").unwrap().id.clone(),
            port_id: Some(balancer.vip_port_id.clone()),
            ..FloatingIpSpec::default()
        };
        world.create_floating_ip(&project, spec).unwrap().id
    });
    let leading = resources
        .floating_ips(&auth, &balancer.vip_port_id)
        .await
        .unwrap();
    assert_eq!(leading, [address.as_str()]);
    for networks in [vec![network], Vec::new()] {
        let ports = resources.ports(&auth, &networks, &subnets).await.unwrap();
        let mut owners: Vec<&str> = ports.iter().map(|port| port.device_owner.as_str()).collect();
        owners.sort_unstable();
        assert_eq!(owners, ["Octavia", "network:router_interface"]);
    }
    let [volume] = resources.volumes(&auth).await.unwrap().try_into().unwrap();
    // Twice: what is gone is no error.
    for _ in 0..2 {
        resources.delete_floating_ip(&auth, &address).await.unwrap();
        resources.delete_load_balancer(&auth, &balancer.id).await.unwrap();
        resources.delete_volume(&auth, &volume.id).await.unwrap();
    }
    assert_eq!(resources.load_balancer(&auth, &balancer.id).await.unwrap(), None);
    assert_eq!(resources.volume(&auth, &volume.id).await.unwrap(), None);
    assert_eq!(resources.server_name(&auth, "nobody").await.unwrap(), None);
    let left = cloud.leftovers(&project);
    assert_eq!(
        (
            left.load_balancers.len(),
            left.floating_ips.len(),
            left.volumes.len()
        ),
        (1, 0, 0),
        "{left}"
    );
}
