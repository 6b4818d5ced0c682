//! A cluster's authorities are changed for new ones while clients and nodes go on talking to each other.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test program: it has no users, and a panic is its verdict"
)]

mod support;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use magnum::certs::{ClientRequest, EcKeys};
use magnum::openstack::sim::{At, Effect as Harm, Fault as Injected};
use magnum::*;
use openssl::pkey::PKey;
use openssl::x509::X509;
use support::handshake::Party;
use support::kubernetes::{guides_template, without_quotas};
use support::scene::Scene;
use support::swarm;

const EVERY: Duration = Duration::from_secs(300);

fn stack(pem: &str) -> Vec<X509> {
    X509::stack_from_pem(pem.as_bytes()).unwrap()
}

/// A certificate that a node holds for a purpose, and how it is met.
struct Holder {
    node: String,
    authority: &'static str,
    server: bool,
    client: bool,
    party: Party,
}

impl Holder {
    fn address(&self) -> String {
        let names = self.party.certificate.subject_alt_names().unwrap();
        let mut addresses = names.iter().filter_map(|name| match name.ipaddress()? {
            [a, b, c, d] => Some(IpAddr::from([*a, *b, *c, *d])),
            _ => None,
        });
        addresses
            .find(|address| !address.is_loopback())
            .unwrap()
            .to_string()
    }
}

/// What all nodes trust and hold at this moment.
fn holders(scene: &Scene, driver: &str) -> Vec<Holder> {
    let policy = scene.magnum.drivers().get(driver).unwrap().node_policy();
    let mut found = Vec::new();
    for (node, held) in scene.guest.nodes() {
        let role = match node.contains("-master-") {
            true => PoolRole::Master,
            false => PoolRole::Worker,
        };
        for (purpose, certificate) in &held.certificates {
            let rule = policy.certificate(role, purpose).unwrap();
            let path = match rule.authority {
                "ca" => "/ca".to_owned(),
                other => format!("/authorities/{other}"),
            };
            let key = held.private_key.as_ref().unwrap();
            found.push(Holder {
                node: node.clone(),
                authority: rule.authority,
                server: rule.server,
                client: rule.client,
                party: Party {
                    certificate: stack(certificate).remove(0),
                    key: PKey::private_key_from_pem(key.expose().as_bytes()).unwrap(),
                    authorities: stack(&held.trusted[&path]),
                },
            });
        }
    }
    found
}

/// Every node that is a client meets every server of the same authority; how many did.
fn nodes_meet(holders: &[Holder]) -> usize {
    let mut met = 0;
    for client in holders.iter().filter(|holder| holder.client) {
        for server in holders.iter().filter(|holder| holder.server) {
            if client.authority == server.authority {
                let talked = client.party.talks_to(&server.party, &server.address());
                talked.unwrap_or_else(|why| panic!("{} to {}: {why}", client.node, server.node));
                met += 1;
            }
        }
    }
    met
}

fn clients_meet(clients: &BTreeMap<&str, Party>, holders: &[Holder]) -> usize {
    let mut met = 0;
    for (name, client) in clients {
        for server in holders
            .iter()
            .filter(|holder| holder.server && holder.authority == "ca")
        {
            let talked = client.talks_to(&server.party, &server.address());
            talked.unwrap_or_else(|why| panic!("the client {name} to {}: {why}", server.node));
            met += 1;
        }
    }
    met
}

/// Somebody who gets a certificate, and what to trust, now.
async fn client(scene: &Scene, id: ClusterId) -> Party {
    let request = ClientRequest::generate("admin", &["system:masters".into()], &EcKeys)
        .await
        .unwrap();
    let signed = scene.magnum.ca_sign(&scene.cx, id, &request.csr).await.unwrap();
    Party {
        certificate: stack(&signed).remove(0),
        key: PKey::private_key_from_pem(request.private_key.expose().as_bytes()).unwrap(),
        authorities: stack(&scene.magnum.ca_show(&scene.cx, id).await.unwrap()),
    }
}

/// No master is ahead of one before it; whether one is behind.
fn masters_take_turns(scene: &Scene) -> bool {
    let held = scene.guest.nodes().into_iter();
    let masters: Vec<(String, u64)> = held
        .filter(|(name, _)| name.contains("-master-"))
        .map(|(name, held)| {
            (
                name,
                held.version.split_whitespace().next().unwrap().parse().unwrap(),
            )
        })
        .collect();
    let version = |one: Option<&(String, u64)>| one.map(|(_, version)| *version);
    let spread = version(masters.first()) != version(masters.last());
    assert!(
        masters.is_sorted_by_key(|(_, version)| std::cmp::Reverse(*version)),
        "{masters:?}"
    );
    spread
}

/// Drives an operation to its end, while these clients and all nodes meet every five seconds; how often they did.
async fn while_all_meet(
    scene: &Scene,
    id: ClusterId,
    driver: &str,
    clients: &BTreeMap<&str, Party>,
) -> usize {
    let conductor = scene.conductor(7);
    let mut met = 0;
    let mut seen = None;
    let mut turns = false;
    let version = scene.cluster(id).await.unwrap().certificates_version;
    loop {
        conductor.step().await.unwrap();
        let now = holders(scene, driver);
        met += clients_meet(clients, &now);
        // Nodes meet whenever one of them has something new.
        let held: Vec<_> = scene
            .guest
            .nodes()
            .into_values()
            .map(|held| held.version)
            .collect();
        turns |= masters_take_turns(scene);
        if seen.as_ref() != Some(&held) {
            met += nodes_meet(&now);
            seen = Some(held);
        }
        let cluster = scene.cluster(id).await.unwrap();
        if cluster.status.is_settled() {
            assert_eq!(
                cluster.status,
                ClusterStatus::UPDATE_COMPLETE,
                "{:?}",
                cluster.fault
            );
            let masters = cluster.master_count();
            let changed = cluster.certificates_version != version;
            assert!(turns || masters < 2 || !changed, "all of them at once");
            return met;
        }
        scene.clock.sleep(Duration::from_secs(5)).await;
    }
}

async fn kept(scene: &Scene, id: ClusterId) -> Vec<String> {
    let ledger = scene.store.ledger(id).await.unwrap();
    let certificates = ledger.iter().filter_map(|entry| match &entry.owned {
        Owned::Certificate { role, .. } => Some(role.clone()),
        _ => None,
    });
    let mut roles: Vec<String> = certificates.collect();
    roles.sort();
    roles
}

async fn rotates(template: TemplateSpec, driver: &str, masters: u32, nodes: u32) {
    let scene = Scene::renewing(1, Settings::default(), EVERY).await;
    without_quotas(&scene);
    let name = template.name.clone().unwrap();
    scene.magnum.create_template(&scene.cx, template).await.unwrap();
    let spec = ClusterSpec::new(name)
        .with_name("mycluster")
        .with_master_count(masters)
        .with_node_count(nodes);
    let made = scene
        .magnum
        .create_cluster(&scene.cx, spec, CreateOptions::default())
        .await;
    let id = made.unwrap().id;
    scene.settle().await;
    let before = kept(&scene, id).await;
    let refused = scene.magnum.ca_rotate_finish(&scene.cx, id).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Conflict, "nothing was begun");

    // The first part: nobody who was there need do anything.
    let mut clients = BTreeMap::from([("of before", client(&scene, id).await)]);
    let first = scene.magnum.ca_show(&scene.cx, id).await.unwrap();
    assert_eq!(stack(&first).len(), 1);
    scene.magnum.ca_rotate(&scene.cx, id).await.unwrap();
    let busy = scene.magnum.ca_rotate(&scene.cx, id).await.unwrap_err();
    assert_eq!(busy.kind(), ErrorKind::Busy);
    let begun = while_all_meet(&scene, id, driver, &clients).await;
    let both = scene.magnum.ca_show(&scene.cx, id).await.unwrap();
    assert_eq!(stack(&both).len(), 2);
    assert!(
        both.starts_with(first.trim()),
        "nodes are certified by the former one still"
    );

    // The overlap: old and new identities, and growth.
    clients.insert("of the overlap", client(&scene, id).await);
    let grown = UpdateOptions::default();
    scene
        .magnum
        .scale_cluster(&scene.cx, id, nodes + 1, grown)
        .await
        .unwrap();
    let within = while_all_meet(&scene, id, driver, &clients).await;
    scene
        .magnum
        .ca_rotate(&scene.cx, id)
        .await
        .expect("again, it changes nothing");
    let again = while_all_meet(&scene, id, driver, &clients).await;
    assert!(within > 0 && again > 0);

    // The second part: whoever has both goes on; whoever knows the former only is shut out in the end.
    let former = clients.remove("of before").unwrap();
    scene.magnum.ca_rotate_finish(&scene.cx, id).await.unwrap();
    let ended = while_all_meet(&scene, id, driver, &clients).await;
    let now = holders(&scene, driver);
    let server = now
        .iter()
        .find(|holder| holder.server && holder.authority == "ca")
        .unwrap();
    let refused = former.talks_to(&server.party, &server.address()).unwrap_err();
    assert!(
        refused.starts_with("the client"),
        "it does not know the new authority: {refused}"
    );
    let knowing = Party {
        authorities: clients["of the overlap"].authorities.clone(),
        ..former
    };
    let refused = knowing.talks_to(&server.party, &server.address()).unwrap_err();
    assert!(
        refused.starts_with("the server"),
        "the former authority is trusted no more: {refused}"
    );
    let last = scene.magnum.ca_show(&scene.cx, id).await.unwrap();
    assert_eq!(stack(&last).len(), 1);
    assert!(both.contains(last.trim()) && last.trim() != first.trim());
    clients.insert("of after", client(&scene, id).await);
    assert!(clients_meet(&clients, &now) > 0);
    println!(
        "{driver}: {} handshakes, none failed",
        begun + within + again + ended
    );

    // Nothing of the former authorities is left, and nothing at all when the cluster is gone.
    let after = kept(&scene, id).await;
    assert_eq!(before.len(), after.len(), "{before:?} {after:?}");
    let cluster = scene.cluster(id).await.unwrap();
    assert_eq!(cluster.rotation, None);
    scene.delete(id).await;
    assert!(scene.cluster(id).await.is_none());
    assert!(scene.leftovers().is_empty(), "{:?}", scene.leftovers());
}

#[tokio::test(start_paused = true)]
async fn clients_and_nodes_of_docker_talk_throughout() {
    let template = TemplateSpec::new("docker", "ubuntu", "public")
        .with_keypair("testkey")
        .with_name("small");
    rotates(template, "docker_ubuntu", 1, 3).await;
}

#[tokio::test(start_paused = true)]
async fn clients_and_nodes_of_kubernetes_talk_throughout() {
    rotates(guides_template(), "k8s_fedora_atomic", 3, 2).await;
}

#[tokio::test(start_paused = true)]
async fn clients_and_nodes_of_swarm_talk_throughout() {
    rotates(swarm::guides_template(), "swarm_fedora_atomic", 3, 2).await;
}

/// Nodes that do not answer: the operation ends and says how many, and another call goes on where it was.
#[tokio::test(start_paused = true)]
async fn nodes_that_do_not_answer_end_it_and_it_goes_on() {
    let scene = Scene::new(1).await;
    scene.template().await;
    let id = scene.accept(2).await.id;
    scene.settle().await;
    scene.magnum.ca_rotate(&scene.cx, id).await.unwrap();
    scene.settle().await;
    let cluster = scene.cluster(id).await.unwrap();
    assert_eq!(cluster.status, ClusterStatus::UPDATE_FAILED);
    let fault = cluster.fault.unwrap();
    assert_eq!(fault.code, FailureCode::Timeout);
    assert!(fault.message.contains("2 of 2 in pool worker"), "{fault}");
    assert_eq!(cluster.rotation.as_ref().unwrap().stage, RotationStage::Announced);
    let early = scene.magnum.ca_rotate_finish(&scene.cx, id).await.unwrap_err();
    assert_eq!(early.kind(), ErrorKind::Conflict);

    let made = kept(&scene, id).await;
    scene.magnum.retry_cluster(&scene.cx, id).await.unwrap();
    let operation = scene.store.active_operation(id).await.unwrap().unwrap();
    assert_eq!(operation.kind, OperationKind::RotateAuthorities { finish: false });
    for member in ["0", "1"] {
        let noted = Noted::Taken {
            role: PoolRole::Worker,
            member: member.into(),
            version: cluster.certificates_version,
            at: scene.clock.now(),
        };
        let note = CertificateNote {
            cluster_id: id,
            noted,
        };
        let write = Write::PutCertificateNote(Box::new(note));
        scene.store.commit(Commit::new().write(write)).await.unwrap();
    }
    scene.settle().await;
    let cluster = scene.cluster(id).await.unwrap();
    assert_eq!(
        cluster.status,
        ClusterStatus::UPDATE_COMPLETE,
        "{:?}",
        cluster.fault
    );
    assert_eq!(cluster.rotation.unwrap().stage, RotationStage::Overlap);
    let now = kept(&scene, id).await;
    assert_eq!(
        now.len(),
        made.len() + 1,
        "the library's own certificate, and no second authority"
    );

    // The second part, too: a retry does not say that it is done while the former authority is trusted.
    scene.magnum.ca_rotate_finish(&scene.cx, id).await.unwrap();
    scene.settle().await;
    assert_eq!(
        scene.cluster(id).await.unwrap().status,
        ClusterStatus::UPDATE_FAILED
    );
    scene.magnum.retry_cluster(&scene.cx, id).await.unwrap();
    let operation = scene.store.active_operation(id).await.unwrap().unwrap();
    assert_eq!(operation.kind, OperationKind::RotateAuthorities { finish: true });

    // In whatever stage, nothing is left.
    scene.delete(id).await;
    assert!(scene.leftovers().is_empty(), "{:?}", scene.leftovers());
}

/// What failed last is what is tried again.
#[tokio::test(start_paused = true)]
async fn another_failure_meanwhile_is_retried_first() {
    let scene = Scene::new(1).await;
    scene.template().await;
    let id = scene.accept(1).await.id;
    scene.settle().await;
    scene.magnum.ca_rotate(&scene.cx, id).await.unwrap();
    scene.settle().await;
    let begun = OperationKind::RotateAuthorities { finish: false };
    assert_eq!(
        scene.cluster(id).await.unwrap().rotation.unwrap().failed,
        Some(begun)
    );

    let at = At::Resource {
        resource_type: "OS::Nova::Server".into(),
        name: "docker_host".into(),
    };
    let harm = Harm::ResourceFailure("No valid host was found.".into());
    scene.cloud.inject(Injected::always(at, harm));
    let scaled = scene
        .magnum
        .scale_cluster(&scene.cx, id, 2, UpdateOptions::default())
        .await;
    scaled.unwrap();
    scene.settle().await;
    let failed = scene.cluster(id).await.unwrap();
    assert_eq!(failed.status, ClusterStatus::UPDATE_FAILED);
    assert_eq!(failed.rotation.unwrap().failed, None);
    let refused = scene.magnum.ca_rotate(&scene.cx, id).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Conflict);
    assert!(refused.to_string().contains("retry that first"), "{refused}");

    scene.cloud.clear_faults();
    scene.magnum.retry_cluster(&scene.cx, id).await.unwrap();
    let operation = scene.store.active_operation(id).await.unwrap().unwrap();
    assert_eq!(operation.kind, OperationKind::Resume { creation: false });
    scene.settle().await;
    let mended = scene.cluster(id).await.unwrap();
    assert_eq!(
        mended.status,
        ClusterStatus::UPDATE_COMPLETE,
        "{:?}",
        mended.fault
    );
    assert_eq!(mended.node_addresses().len(), 2);
    assert_eq!(mended.rotation.unwrap().stage, RotationStage::Announced);
    scene.magnum.ca_rotate(&scene.cx, id).await.unwrap();
    scene.delete(id).await;
    assert!(scene.leftovers().is_empty(), "{:?}", scene.leftovers());
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_rotated_is_refused() {
    let scene = Scene::new(1).await;
    scene.template().await;
    let open = TemplateSpec::new("docker", "ubuntu", "public")
        .with_keypair("testkey")
        .with_name("open");
    let open = TemplateSpec {
        tls_disabled: true,
        ..open
    };
    scene.magnum.create_template(&scene.cx, open).await.unwrap();
    let spec = ClusterSpec::new("open").with_name("open");
    scene
        .magnum
        .create_cluster(&scene.cx, spec, CreateOptions::default())
        .await
        .unwrap();
    let id = scene.accept(1).await.id;
    let early = scene.magnum.ca_rotate(&scene.cx, id).await.unwrap_err();
    assert_eq!(early.kind(), ErrorKind::Busy);
    scene.settle().await;
    let without = scene.magnum.ca_rotate(&scene.cx, "open").await.unwrap_err();
    assert_eq!(without.kind(), ErrorKind::Unsupported);
    assert!(without.to_string().contains("tls_disabled"), "{without}");
    for note in scene.store.certificate_notes(id, "taken/").await.unwrap() {
        let drop = Write::DeleteCertificateNote(id, note.about());
        scene.store.commit(Commit::new().write(drop)).await.unwrap();
    }
    let older = scene.magnum.ca_rotate(&scene.cx, id).await.unwrap_err();
    assert_eq!(older.kind(), ErrorKind::Unsupported);
    assert!(older.to_string().contains("no node of the cluster"), "{older}");
    let stranger = RequestContext::new("somebody", "elsewhere");
    let unseen = scene.magnum.ca_rotate(&stranger, id).await.unwrap_err();
    assert_eq!(unseen.kind(), ErrorKind::NotFound);
    assert!(scene.cluster(id).await.unwrap().rotation.is_none());
}
