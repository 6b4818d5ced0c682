use std::sync::Arc;

use magnum_core::Limit;
use serde_json::{Value, json};

use super::*;
use crate::scripted::{Reply, Scripted, alice, trust};

const UUID: &str = "11111111-1111-4111-8111-111111111111";

fn services(replies: Vec<(String, Value)>) -> Arc<Scripted> {
    Scripted::new(move |seen| {
        if seen.path.starts_with("/v3/") {
            return None;
        }
        let found = replies.iter().find(|(line, _)| *line == seen.line());
        Some(found.map_or(
            // nova/api/openstack/wsgi.py, release 26 (Zed)
            Reply::json(
                404,
                json!({"itemNotFound": {"code": 404, "message": "not found"}}),
            ),
            |(_, body)| Reply::json(200, body.clone()),
        ))
    })
}

fn auth() -> Auth {
    Auth::Token(alice())
}

fn image(id: &str, name: &str) -> Value {
    json!({"id": id, "name": name, "os_distro": "fedora-coreos", "min_disk": 10, "min_ram": 512,
           "status": "active", "visibility": "public", "size": 1024, "tags": []})
}

#[tokio::test(start_paused = true)]
async fn a_uuid_wins_over_an_equal_name() {
    let cloud = services(vec![
        (format!("GET /v2/images/{UUID}"), image(UUID, "by-id")),
        (
            format!("GET /v2/images?name={UUID}"),
            json!({"images": [image("other", UUID)]}),
        ),
        (
            "GET /v2/images?name=fcos".to_owned(),
            json!({"images": [image("i1", "fcos")]}),
        ),
    ]);
    let catalog = cloud.cloud().catalog();
    let found = catalog.image(&auth(), UUID).await.unwrap();
    assert_eq!(
        (found.name.as_str(), found.os_distro.as_deref()),
        ("by-id", Some("fedora-coreos"))
    );
    assert_eq!((found.min_disk, found.min_ram), (10, 512));
    assert_eq!(catalog.image(&auth(), "fcos").await.unwrap().id, "i1");
}

#[tokio::test(start_paused = true)]
async fn a_name_that_looks_like_a_uuid_is_found_too() {
    let cloud = services(vec![(
        format!("GET /v2/images?name={UUID}"),
        json!({"images": [image("i1", UUID)]}),
    )]);
    assert_eq!(
        cloud.cloud().catalog().image(&auth(), UUID).await.unwrap().id,
        "i1"
    );
}

#[tokio::test(start_paused = true)]
async fn none_and_several_are_told_apart() {
    let network = |id: &str| json!({"id": id, "name": "n", "router:external": true, "status": "ACTIVE"});
    let cloud = services(vec![
        (
            "GET /v2.0/networks?name=n".into(),
            json!({"networks": [network("a"), network("b")]}),
        ),
        ("GET /v2.0/networks?name=none".into(), json!({"networks": []})),
    ]);
    let catalog = cloud.cloud().catalog();
    let error = catalog.network(&auth(), "n").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(
        error.to_string(),
        "there are several networks named 'n', a and b among them: name one by its id"
    );
    let error = catalog.network(&auth(), "none").await.unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (ErrorKind::NotFound, "network 'none' not found")
    );
}

#[tokio::test(start_paused = true)]
async fn glance_operators_in_a_name_are_only_a_name() {
    let cloud = services(vec![(
        "GET /v2/images?name=in%3A%22in%3Aa%2Cb%22".into(),
        json!({"images": [image("i1", "in:a,b"), image("i2", "a")]}),
    )]);
    assert_eq!(
        cloud.cloud().catalog().image(&auth(), "in:a,b").await.unwrap().id,
        "i1"
    );
}

#[tokio::test(start_paused = true)]
async fn an_image_without_optional_properties_is_read() {
    let bare = json!({"id": UUID, "name": null, "os_distro": ""});
    let cloud = services(vec![(format!("GET /v2/images/{UUID}"), bare)]);
    let found = cloud.cloud().catalog().image(&auth(), UUID).await.unwrap();
    assert_eq!((found.os_distro, found.min_disk), (None, 0));
}

#[tokio::test(start_paused = true)]
async fn a_flavor_is_found_by_any_id_and_by_name_on_any_page() {
    let flavor = |id: &str, name: &str| {
        json!({"id": id, "name": name, "vcpus": 2, "ram": 2048, "disk": 20, "swap": "",
               "OS-FLV-EXT-DATA:ephemeral": 0, "links": []})
    };
    let page = |flavors: Value| json!({"flavors": flavors});
    let cloud = services(vec![
        (
            "GET /v2.1/flavors/1".into(),
            json!({"flavor": flavor("1", "m1.tiny")}),
        ),
        (
            "GET /v2.1/flavors/detail".into(),
            page(json!([flavor("1", "m1.tiny")])),
        ),
        (
            "GET /v2.1/flavors/detail?marker=1".into(),
            page(json!([flavor("2", "m1.small")])),
        ),
        ("GET /v2.1/flavors/detail?marker=2".into(), page(json!([]))),
    ]);
    let catalog = cloud.cloud().catalog();
    assert_eq!(catalog.flavor(&auth(), "1").await.unwrap().name, "m1.tiny");
    let small = catalog.flavor(&auth(), "m1.small").await.unwrap();
    assert_eq!((small.vcpus, small.ram, small.disk), (2, 2048, 20));
    assert_eq!(
        catalog.flavor(&auth(), "none").await.unwrap_err().kind(),
        ErrorKind::NotFound
    );
}

#[tokio::test(start_paused = true)]
async fn subnets_key_pairs_and_limits_are_read() {
    let cloud = services(vec![
        (
            "GET /v2.0/subnets?name=s".into(),
            json!({"subnets": [{"id": "s1", "name": "s", "network_id": "n1", "cidr": "10.0.0.0/24", "ip_version": 4}]}),
        ),
        (
            "GET /v2.1/os-keypairs/my%20key".into(),
            json!({"keypair": {"name": "my key", "public_key": "ssh-rsa A", "fingerprint": "f", "id": 1}}),
        ),
        (
            "GET /v2.1/limits".into(),
            json!({"limits": {"rate": [], "absolute": {"maxTotalInstances": 10, "totalInstancesUsed": 1,
                "maxTotalCores": -1, "totalCoresUsed": 2, "maxTotalRAMSize": 51200, "totalRAMUsed": 512,
                "maxServerGroups": 10, "totalServerGroupsUsed": 3, "maxServerMeta": 128}}}),
        ),
    ]);
    let catalog = cloud.cloud().catalog();
    let subnet = catalog.subnet(&auth(), "s").await.unwrap();
    assert_eq!(
        (subnet.network_id.as_str(), subnet.cidr.as_str()),
        ("n1", "10.0.0.0/24")
    );
    assert_eq!(
        catalog.keypair(&auth(), "my key").await.unwrap().public_key,
        "ssh-rsa A"
    );
    let error = catalog.keypair(&auth(), "none").await.unwrap_err();
    assert_eq!(error.to_string(), "key pair 'none' not found");
    let limits = catalog.compute_limits(&auth()).await.unwrap();
    assert_eq!(limits.instances, Limit { limit: 10, used: 1 });
    assert_eq!(limits.cores, Limit { limit: -1, used: 2 });
    assert_eq!(
        limits.ram,
        Limit {
            limit: 51200,
            used: 512
        }
    );
    assert_eq!(limits.server_groups, Limit { limit: 10, used: 3 });
}

fn network_quota(project: &str, networks: i64) -> (String, Value) {
    let quota =
        |limit: i64, used: i64, reserved: i64| json!({"limit": limit, "used": used, "reserved": reserved});
    (
        format!("GET /v2.0/quotas/{project}/details.json"),
        json!({"quota": {"network": quota(100, networks, 0), "subnet": quota(100, 2, 0), "port": quota(500, 4, 5),
            "security_group": quota(10, 6, 0), "security_group_rule": quota(-1, 7, 0), "rbac_policy": quota(10, 0, 0),
            "router": quota(10, 3, 0)}}),
    )
}

#[tokio::test(start_paused = true)]
async fn neutrons_limits_are_those_of_the_project_that_the_credentials_are_of() {
    let services = services(vec![network_quota("p1", 1), network_quota("services", 20)]);
    let cloud = services.cloud();
    for (auth, networks) in [(auth(), 1), (Auth::Trust(trust(1)), 1), (Auth::Service, 20)] {
        let limits = cloud.catalog().network_limits(&auth).await.unwrap();
        let limit = |limit, used| Limit { limit, used };
        assert_eq!(
            limits,
            NetworkLimits {
                networks: limit(100, networks),
                subnets: limit(100, 2),
                routers: limit(10, 3),
                // What is reserved is as good as used.
                ports: limit(500, 9),
                // A Neutron without floating IPs has no limit of them.
                floating_ips: limit(-1, 0),
                security_groups: limit(10, 6),
                security_group_rules: limit(-1, 7),
            }
        );
    }
}

#[tokio::test(start_paused = true)]
async fn cinders_limits_are_read() {
    let with_cinder = Scripted::new(|seen| {
        if seen.line() == "GET /v3/auth/tokens" {
            let endpoint =
                json!({"interface": "public", "region_id": "R", "url": "http://cinder/volume/v3/p1"});
            return Some(Reply::json(
                200,
                json!({"token": {"user": {"id": "alice"}, "project": {"id": "p1"}, "expires_at": "2026-01-01T01:00:00Z",
                    "catalog": [{"type": "block-storage", "endpoints": [endpoint]}]}}),
            ));
        }
        assert_eq!(seen.line(), "GET /volume/v3/p1/limits");
        Some(Reply::json(
            200,
            json!({"limits": {"rate": [], "absolute": {"maxTotalVolumes": 10, "totalVolumesUsed": 2,
                "maxTotalVolumeGigabytes": -1, "totalGigabytesUsed": 30, "maxTotalBackups": 10}}}),
        ))
    });
    let limits = with_cinder
        .cloud()
        .catalog()
        .volume_limits(&auth())
        .await
        .unwrap();
    assert_eq!(limits.volumes, Limit { limit: 10, used: 2 });
    assert_eq!(limits.gigabytes, Limit { limit: -1, used: 30 });
}

#[tokio::test(start_paused = true)]
async fn limits_that_are_not_told_say_why() {
    // Its catalog has no Cinder.
    let without_cinder = services(Vec::new());
    let error = without_cinder
        .cloud()
        .catalog()
        .volume_limits(&auth())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(
        error.to_string().contains("no public endpoint of Cinder"),
        "{error}"
    );
    let close = Scripted::new(|seen| {
        let told = seen.path.starts_with("/v3/");
        (!told).then(|| Reply::json(403, json!({"forbidden": {"code": 403, "message": "not for you"}})))
    });
    let catalog = close.cloud().catalog();
    let error = catalog.network_limits(&auth()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    let error = catalog.compute_limits(&auth()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
}
