use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::scripted::{Reply, Scripted, alice};

/// A cloud whose catalog also has Octavia and Cinder, and which answers these lines.
fn services(replies: Vec<(&'static str, u16, Value)>) -> Arc<Scripted> {
    let plain = Scripted::quiet();
    Scripted::new(move |seen| {
        if seen.line() == "GET /v3/auth/tokens" {
            let mut token = plain.token("alice");
            for (kind, url) in [
                ("load-balancer", "http://octavia"),
                ("volumev3", "http://cinder/v3/p1"),
            ] {
                token["token"]["catalog"].as_array_mut().unwrap().push(json!({
                    "type": kind, "endpoints": [{"interface": "public", "region_id": "R", "url": url}]}));
            }
            return Some(Reply::json(200, token));
        }
        if seen.path.starts_with("/v3/auth") {
            return None;
        }
        let line = seen.line();
        let found = replies.iter().find(|(wanted, ..)| *wanted == line);
        Some(found.map_or(
            // octavia/common/exceptions.py, release 11 (Zed)
            Reply::json(404, json!({"faultcode": "Client", "faultstring": "not found"})),
            |(_, status, body)| Reply::json(*status, body.clone()),
        ))
    })
}

fn auth() -> Auth {
    Auth::Token(alice())
}

fn balancer(id: &str) -> Value {
    json!({"id": id, "name": "lb", "description": null, "project_id": "p1", "provisioning_status": "ACTIVE",
           "operating_status": "ONLINE", "vip_address": "10.0.0.5", "vip_port_id": "port", "vip_subnet_id": "s1",
           "vip_network_id": "n", "listeners": [], "pools": [], "provider": "amphora", "tags": []})
}

#[tokio::test(start_paused = true)]
async fn members_are_those_of_all_pools_of_a_load_balancer() {
    let mut balancer = balancer("a");
    balancer["pools"] = json!([{"id": "p"}, {"id": "gone"}, {"id": "q"}]);
    let member = |id: &str, address: &str| json!({"id": id, "address": address, "protocol_port": 30080});
    let cloud = services(vec![
        (
            "GET /v2.0/lbaas/loadbalancers/a",
            200,
            json!({"loadbalancer": balancer}),
        ),
        (
            "GET /v2.0/lbaas/pools/p/members",
            200,
            json!({"members": [member("1", "10.0.0.7"), member("2", "10.0.0.8")], "members_links": []}),
        ),
        (
            "GET /v2.0/lbaas/pools/q/members",
            200,
            json!({"members": [member("3", "10.0.0.9")], "members_links": []}),
        ),
    ]);
    let resources = cloud.cloud().resources();
    assert_eq!(
        resources.members(&auth(), "a").await.unwrap(),
        ["10.0.0.7", "10.0.0.8", "10.0.0.9"]
    );
    assert!(resources.members(&auth(), "none").await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn load_balancers_are_listed_by_subnet_to_the_last_page_and_removed_with_all_that_hangs_on_them() {
    let gone = json!({"id": "c", "name": "", "provisioning_status": "DELETED"});
    let cloud = services(vec![
        (
            "GET /v2.0/lbaas/loadbalancers?vip_subnet_id=s1",
            200,
            json!({"loadbalancers": [balancer("a")],
                   "loadbalancers_links": [{"rel": "next", "href": "http://elsewhere?marker=a"}]}),
        ),
        (
            "GET /v2.0/lbaas/loadbalancers?vip_subnet_id=s1&marker=a",
            200,
            json!({"loadbalancers": [balancer("b"), gone], "loadbalancers_links": [{"rel": "previous", "href": ""}]}),
        ),
        (
            "GET /v2.0/lbaas/loadbalancers?vip_subnet_id=s2",
            200,
            json!({"loadbalancers": [], "loadbalancers_links": []}),
        ),
        (
            "GET /v2.0/lbaas/loadbalancers/a",
            200,
            json!({"loadbalancer": balancer("a")}),
        ),
        (
            "GET /v2.0/lbaas/loadbalancers/c",
            200,
            json!({"loadbalancer": gone}),
        ),
        (
            "DELETE /v2.0/lbaas/loadbalancers/a?cascade=true",
            204,
            json!(null),
        ),
        (
            "DELETE /v2.0/lbaas/loadbalancers/b?cascade=true",
            409,
            json!({"faultcode": "Client", "faultstring": "Load Balancer b is immutable and cannot be updated."}),
        ),
    ]);
    let resources = cloud.cloud().resources();
    let subnets = ["s1".to_owned(), "s2".to_owned()];
    let found = resources.load_balancers(&auth(), &subnets).await.unwrap();
    assert_eq!(
        found.iter().map(|b| b.id.as_str()).collect::<Vec<_>>(),
        ["a", "b"]
    );
    assert_eq!(
        (found[0].vip_port_id.as_str(), found[0].description.as_str()),
        ("port", "")
    );
    assert_eq!(
        resources.load_balancer(&auth(), "a").await.unwrap(),
        Some(found[0].clone())
    );
    for gone in ["c", "d"] {
        assert_eq!(resources.load_balancer(&auth(), gone).await.unwrap(), None);
    }
    resources.delete_load_balancer(&auth(), "a").await.unwrap();
    resources.delete_load_balancer(&auth(), "d").await.unwrap();
    let busy = resources.delete_load_balancer(&auth(), "b").await.unwrap_err();
    assert_eq!(
        (busy.kind(), busy.to_string().as_str()),
        (
            ErrorKind::Conflict,
            "Octavia: Load Balancer b is immutable and cannot be updated."
        )
    );
}

#[tokio::test(start_paused = true)]
async fn volumes_are_listed_to_the_last_page_and_one_in_use_is_a_conflict() {
    let volume = |id: &str, attachments: Value| {
        json!({"id": id, "name": null, "size": 1, "status": "in-use", "metadata": {"k": "v"},
               "attachments": attachments, "bootable": "false"})
    };
    let cloud = services(vec![
        (
            "GET /v3/p1/volumes/detail",
            200,
            json!({"volumes": [volume("a", json!([{"server_id": "s", "host_name": null, "device": "/dev/vdb"}]))],
                   "volumes_links": [{"rel": "next", "href": "http://cinder/v3/p1/volumes/detail?marker=a"}]}),
        ),
        (
            "GET /v3/p1/volumes/detail?marker=a",
            200,
            json!({"volumes": [volume("b", json!([]))]}),
        ),
        (
            "DELETE /v3/p1/volumes/a",
            400,
            json!({"badRequest": {"code": 400, "message": "Invalid volume: Volume status must be available"}}),
        ),
    ]);
    let resources = cloud.cloud().resources();
    let found = resources.volumes(&auth()).await.unwrap();
    assert_eq!(
        (found[0].id.as_str(), found[0].servers.as_slice()),
        ("a", &["s".to_owned()][..])
    );
    assert_eq!((found[1].id.as_str(), found[1].servers.len()), ("b", 0));
    assert_eq!(found[0].metadata["k"], "v");
    let used = resources.delete_volume(&auth(), "a").await.unwrap_err();
    assert_eq!(used.kind(), ErrorKind::Conflict);
    resources.delete_volume(&auth(), "gone").await.unwrap();
    assert_eq!(resources.volume(&auth(), "gone").await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_knows_no_pages_ends() {
    let page = json!({"volumes": [{"id": "a", "name": "a", "status": "available"}],
                      "volumes_links": [{"rel": "next", "href": ""}]});
    let cloud = services(vec![
        ("GET /v3/p1/volumes/detail", 200, page.clone()),
        ("GET /v3/p1/volumes/detail?marker=a", 200, page),
    ]);
    assert_eq!(cloud.cloud().resources().volumes(&auth()).await.unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_cloud_without_octavia_and_cinder_lists_none_of_their_things_and_takes_none_for_gone() {
    let cloud = Scripted::new(|seen| (!seen.path.starts_with("/v3/")).then(|| Reply::status(500)));
    let resources = cloud.cloud().resources();
    let subnets = ["s".to_owned()];
    assert_eq!(resources.load_balancers(&auth(), &subnets).await.unwrap(), []);
    assert_eq!(resources.volumes(&auth()).await.unwrap(), []);
    let missing = |error: Error, service: &str| {
        assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
        assert!(error.to_string().contains(service), "{error}");
    };
    let (auth, id) = (auth(), "a");
    missing(resources.load_balancer(&auth, id).await.unwrap_err(), "Octavia");
    missing(resources.members(&auth, id).await.unwrap_err(), "Octavia");
    missing(
        resources.delete_load_balancer(&auth, id).await.unwrap_err(),
        "Octavia",
    );
    missing(resources.volume(&auth, id).await.unwrap_err(), "Cinder");
    missing(resources.delete_volume(&auth, id).await.unwrap_err(), "Cinder");
    assert!(cloud.lines().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_port_of_network_and_subnet_is_one() {
    let port = json!({"id": "p", "name": "", "device_owner": "compute:nova", "device_id": "s",
                      "fixed_ips": [{"subnet_id": "sub", "ip_address": "10.0.0.9"}], "network_id": "net"});
    let cloud = services(vec![
        ("GET /v2.0/ports?network_id=net", 200, json!({"ports": [port]})),
        (
            "GET /v2.0/ports?fixed_ips=subnet_id%3Dsub",
            200,
            json!({"ports": [port]}),
        ),
        (
            "GET /v2.0/floatingips?port_id=p",
            200,
            json!({"floatingips": [{"id": "f", "port_id": "p"}]}),
        ),
        (
            "GET /v2.0/floatingips/f",
            200,
            json!({"floatingip": {"id": "f", "port_id": "p"}}),
        ),
        (
            "GET /v2.0/floatingips/free",
            200,
            json!({"floatingip": {"id": "free", "port_id": null}}),
        ),
        (
            "GET /v2.1/servers/s",
            200,
            json!({"server": {"id": "s", "name": "web"}}),
        ),
        (
            "GET /v2.1/servers/theirs",
            403,
            json!({"forbidden": {"code": 403, "message": "Policy doesn't allow it."}}),
        ),
    ]);
    let resources = cloud.cloud().resources();
    let ports = resources
        .ports(&auth(), &["net".to_owned()], &["sub".to_owned()])
        .await
        .unwrap();
    let [port] = ports.as_slice() else {
        panic!("{ports:?}")
    };
    assert_eq!(port.addresses, ["10.0.0.9"]);
    assert_eq!(resources.floating_ips(&auth(), "p").await.unwrap(), ["f"]);
    let mut leads_to = Vec::new();
    for id in ["f", "free", "gone"] {
        let found = resources.floating_ip(&auth(), id).await.unwrap();
        leads_to.push(found.map(|address| address.port_id));
    }
    assert_eq!(leads_to, [Some(Some("p".to_owned())), Some(None), None]);
    resources.delete_floating_ip(&auth(), "gone").await.unwrap();
    let mut names = Vec::new();
    for id in ["s", "theirs", "gone"] {
        names.push(resources.server_name(&auth(), id).await.unwrap());
    }
    assert_eq!(names, [Some("web".to_owned()), None, None]);
}
