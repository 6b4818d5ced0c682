//! Glance's rules, over HTTP.

use super::super::probe::{Probe, builder};

#[tokio::test(start_paused = true)]
async fn images_are_found_by_name_and_show_their_distribution() {
    let cloud = builder().build();
    let demo = Probe::log_in(&cloud, "demo").await;
    let (_, body) = demo.get("/image/v2/images?name=ubuntu").await;
    assert_eq!(body["images"].as_array().unwrap().len(), 1);
    let id = body["images"][0]["id"].as_str().unwrap().to_owned();
    let (status, body) = demo.get(&format!("/image/v2/images/{id}")).await;
    assert_eq!((status, body["os_distro"].as_str()), (200, Some("ubuntu")));
    let (_, body) = demo.get("/image/v2/images?name=no-distro").await;
    assert!(body["images"][0].get("os_distro").is_none());
    let (_, body) = demo.get("/image/v2/images?os_distro=coreos").await;
    assert_eq!(body["images"][0]["name"], "coreos");
    assert_eq!(demo.get("/image/v2/images/nothing").await.0, 404);
}

#[tokio::test(start_paused = true)]
async fn images_come_in_pages() {
    let cloud = builder().build();
    let demo = Probe::log_in(&cloud, "demo").await;
    let mut seen = Vec::new();
    let mut path = "/v2/images?limit=2".to_owned();
    for _ in 0..10 {
        let (_, body) = demo.get(&format!("/image{path}")).await;
        seen.extend(
            body["images"]
                .as_array()
                .unwrap()
                .iter()
                .map(|i| i["name"].as_str().unwrap().to_owned()),
        );
        match body["next"].as_str() {
            Some(next) => path = next.to_owned(),
            None => break,
        }
    }
    seen.sort();
    assert_eq!(
        seen,
        [
            "coreos",
            "fedora",
            "fedora-atomic",
            "fedora-coreos",
            "no-distro",
            "ubuntu",
            "ubuntu-mesos"
        ]
    );
}
