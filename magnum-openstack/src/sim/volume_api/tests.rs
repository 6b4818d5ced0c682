//! Cinder's rules, over HTTP.

use serde_json::json;

use super::super::probe::{Probe, builder, id};
use super::super::world::compute::ServerSpec;

#[tokio::test(start_paused = true)]
async fn a_volume_in_use_stays_until_its_server_is_gone() {
    let cloud = builder().build();
    let demo = Probe::log_in(&cloud, "demo").await;
    let volumes = format!("/volume/v3/{}/volumes", demo.project);
    let (status, body) = demo
        .post(&volumes, json!({"volume": {"name": "v", "size": 2}}))
        .await;
    assert_eq!((status, &body["volume"]["status"]), (202, &json!("available")));
    let volume = id(&body, "volume");
    let server = cloud.with(|world| {
        let spec = ServerSpec {
            name: "s".to_owned(),
            flavor_id: world.resolve_flavor("m1.tiny").unwrap().id.clone(),
            ..ServerSpec::default()
        };
        let server = world.create_server(&demo.project, spec).unwrap().id;
        assert_eq!(world.attach_volume(&volume, &server).unwrap().device, "/dev/vdb");
        server
    });
    let path = format!("{volumes}/{volume}");
    let (status, body) = demo.delete(&path).await;
    assert_eq!(status, 400);
    assert!(
        body["badRequest"]["message"]
            .as_str()
            .unwrap()
            .starts_with("Invalid volume")
    );
    assert_eq!(
        demo.delete(&format!("/compute/v2.1/servers/{server}")).await.0,
        204
    );
    let (_, body) = demo.get(&path).await;
    assert_eq!(
        (&body["volume"]["status"], &body["volume"]["attachments"]),
        (&json!("available"), &json!([]))
    );
    assert_eq!(cloud.leftovers(&demo.project).to_string(), "1 volumes (v)");
    assert_eq!(demo.delete(&path).await.0, 202);
    assert_eq!(demo.get(&path).await.0, 404);
}

#[tokio::test(start_paused = true)]
async fn quotas_are_refused_in_cinders_words() {
    let cloud = builder().build();
    let demo = Probe::log_in(&cloud, "demo").await;
    cloud.set_quota(&demo.project, "gigabytes", 3).unwrap();
    let volumes = format!("/volume/v3/{}/volumes", demo.project);
    let body = json!({"volume": {"size": 2}});
    assert_eq!(demo.post(&volumes, body.clone()).await.0, 202);
    let (status, refused) = demo.post(&volumes, body).await;
    assert_eq!(status, 413);
    let message = refused["overLimit"]["message"].as_str().unwrap();
    assert!(
        message.ends_with("Requested 2G, quota is 3G and 2G has been consumed."),
        "{message}"
    );
    cloud.set_quota(&demo.project, "volumes", 1).unwrap();
    let (status, refused) = demo.post(&volumes, json!({"volume": {"size": 1}})).await;
    assert_eq!(status, 413);
    let message = refused["overLimit"]["message"].as_str().unwrap();
    assert!(
        message.ends_with("Maximum number of volumes allowed (1) exceeded for quota 'volumes'."),
        "{message}"
    );
    let (status, limits) = demo.get(&format!("/volume/v3/{}/limits", demo.project)).await;
    assert_eq!(status, 200);
    assert_eq!(
        limits["limits"]["absolute"],
        json!({"maxTotalVolumes": 1, "totalVolumesUsed": 1,
            "maxTotalVolumeGigabytes": 3, "totalGigabytesUsed": 2})
    );
}
