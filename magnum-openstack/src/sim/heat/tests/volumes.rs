//! Volumes and what they are attached to.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Client, output};
use crate::sim::Pace;

const STORE: &str = r"
heat_template_version: 2018-08-31
parameters:
  size: {type: number, default: 2}
  volume_type: {type: string, default: __DEFAULT__, constraints: [{custom_constraint: cinder.vtype}]}
  attach_to: {type: string, default: one}
resources:
  net: {type: OS::Neutron::Net}
  subnet:
    type: OS::Neutron::Subnet
    properties: {network: {get_resource: net}, cidr: 10.0.0.0/24}
  one: &server
    type: OS::Nova::Server
    depends_on: subnet
    properties: {image: ubuntu, flavor: m1.small, networks: [{network: {get_resource: net}}]}
  two: *server
  volume:
    type: OS::Cinder::Volume
    properties:
      size: {get_param: size}
      volume_type: {get_param: volume_type}
      description: for images
      metadata: {cluster: a, number: 1}
  attachment:
    type: OS::Cinder::VolumeAttachment
    properties:
      instance_uuid: {if: [first, {get_resource: one}, {get_resource: two}]}
      volume_id: {get_resource: volume}
      mountpoint: /dev/vdb
conditions:
  first: {equals: [{get_param: attach_to}, one]}
outputs:
  volume: {value: {get_resource: volume}}
  attachment: {value: {get_resource: attachment}}
  one: {value: {get_resource: one}}
  size: {value: {get_attr: [volume, size]}}
  status: {value: {get_attr: [volume, status]}}
  metadata: {value: {get_attr: [volume, metadata]}}
  values: {value: {get_attr: [volume, metadata_values]}}
  type: {value: {get_attr: [volume, volume_type]}}
  name: {value: {get_attr: [volume, display_name]}}
  server: {value: {get_attr: [volume, attachments_list, 0, server_id]}}
  snapshot: {value: {get_attr: [volume, snapshot_id]}}
  shown: {value: {get_attr: [volume, show, bootable]}}
";

#[tokio::test(start_paused = true)]
async fn a_volume_is_made_attached_enlarged_moved_and_gone() {
    let client = Client::new(Pace::Real).await;
    let path = client.create("store", STORE, json!({})).await;
    let made = client.settle(&path).await;
    assert_eq!(made["stack_status"], "CREATE_COMPLETE", "{made}");
    assert_eq!(output(&made, "status"), "in-use");
    assert_eq!(output(&made, "attachment"), output(&made, "volume"));
    assert_eq!(output(&made, "server"), output(&made, "one"));
    assert_eq!(output(&made, "values"), json!({"cluster": "a", "number": "1"}));
    assert_eq!(output(&made, "metadata"), r#"{"cluster": "a", "number": "1"}"#);
    assert_eq!(
        (output(&made, "size"), output(&made, "type")),
        (json!("2"), json!("__DEFAULT__"))
    );
    assert_eq!(output(&made, "snapshot"), "None");
    assert_eq!(output(&made, "shown"), "false");
    assert!(
        output(&made, "name")
            .as_str()
            .unwrap()
            .starts_with("store-volume-")
    );

    let grown = client.change(&path, json!({"size": 5})).await;
    assert_eq!(grown["stack_status"], "UPDATE_COMPLETE", "{grown}");
    assert_eq!(output(&grown, "volume"), output(&made, "volume"));
    assert_eq!(
        (output(&grown, "size"), output(&grown, "status")),
        (json!("5"), json!("in-use"))
    );
    let smaller = client.change(&path, json!({"size": 1})).await;
    assert_eq!(
        smaller["stack_status_reason"],
        "Resource UPDATE failed: NotSupported: resources.volume: Shrinking volume is not supported."
    );

    let moved = client.change(&path, json!({"size": 5, "attach_to": "two"})).await;
    assert_eq!(moved["stack_status"], "UPDATE_COMPLETE", "{moved}");
    assert_ne!(output(&moved, "server"), output(&made, "one"));
    assert_eq!(output(&moved, "status"), "in-use");

    assert_eq!(client.delete(&path).await["stack_status"], "DELETE_COMPLETE");
    let left = client.cloud.leftovers(&client.project);
    assert!(left.is_empty(), "{left}");
}

#[tokio::test(start_paused = true)]
async fn a_volume_in_error_fails_and_is_replaced() {
    let client = Client::new(Pace::Real).await;
    client.fail("OS::Cinder::Volume", "volume");
    let path = client.create("store", STORE, json!({})).await;
    let failed = client.settle(&path).await;
    assert_eq!(
        failed["stack_status_reason"],
        "Resource CREATE failed: ResourceInError: resources.volume: Went to status error due to \"Unknown\""
    );
    let mended = client.change(&path, json!({})).await;
    assert_eq!(mended["stack_status"], "UPDATE_COMPLETE", "{mended}");
    client
        .cloud
        .with(|world| assert_eq!(world.volumes.volumes().count(), 1));
    client.fail("OS::Cinder::Volume", "volume");
    let stuck = client.change(&path, json!({"size": 3})).await;
    assert_eq!(
        stuck["stack_status_reason"],
        "Resource UPDATE failed: ResourceUnknownStatus: resources.volume: Volume resize failed - Unknown status \
         error_extending due to \"Unknown\""
    );
    // A volume in this state does not count as detached.
    let stuck = client.delete(&path).await;
    assert_eq!(
        stuck["stack_status_reason"],
        "Resource DELETE failed: ResourceUnknownStatus: resources.attachment: Volume detachment failed - Unknown status \
         error_extending due to \"Unknown\""
    );
    client.cloud.with(|world| {
        world
            .volumes
            .volumes
            .values_mut()
            .for_each(|v| v.fails_with = None)
    });
    assert_eq!(client.delete(&path).await["stack_status"], "DELETE_COMPLETE");
    assert!(client.cloud.leftovers(&client.project).volumes.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_goes_frees_its_volume_and_a_volume_in_use_stays() {
    let client = Client::new(Pace::Real).await;
    let path = client.create("store", STORE, json!({})).await;
    let made = client.settle(&path).await;
    let (volume, server) = (output(&made, "volume"), output(&made, "one"));
    let (volume, server) = (volume.as_str().unwrap(), server.as_str().unwrap());
    client.cloud.with(|world| world.delete_server(server).unwrap());
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(output(&client.show(&path).await, "status"), "available");
    // Somebody else takes it.
    client.cloud.with(|world| {
        let other = world.compute.servers().next().unwrap().id.clone();
        world.attach_volume(volume, &other).unwrap();
    });
    tokio::time::sleep(Duration::from_secs(20)).await;
    let alone = "
heat_template_version: 2018-08-31
resources: {volume: {type: OS::Cinder::Volume, properties: {size: 1}}}
outputs: {volume: {value: {get_resource: volume}}}
";
    let other = client.create("alone", alone, json!({})).await;
    let id = output(&client.settle(&other).await, "volume");
    let id = id.as_str().unwrap();
    client.cloud.with(|world| {
        let host = world.compute.servers().next().unwrap().id.clone();
        world.attach_volume(id, &host).unwrap();
    });
    tokio::time::sleep(Duration::from_secs(20)).await;
    let stuck = client.delete(&other).await;
    assert_eq!(
        stuck["stack_status_reason"],
        "Resource DELETE failed: Error: resources.volume: Volume in use"
    );
    client.cloud.with(|world| world.detach_volume(id).unwrap());
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(client.delete(&other).await["stack_status"], "DELETE_COMPLETE");
}

#[tokio::test(start_paused = true)]
async fn what_a_volume_is_made_of_is_checked() {
    let client = Client::new(Pace::Instant).await;
    let refused = |properties: &'static str| {
        let template = format!(
            "heat_template_version: 2018-08-31\nresources: {{v: {{type: OS::Cinder::Volume, properties: {properties}}}}}\n"
        );
        let client = &client;
        async move {
            let (status, answer) = client.try_create("v", &template, json!({})).await;
            assert_eq!(status, 400, "{answer}");
            answer["error"]["message"].as_str().unwrap_or_default().to_owned()
        }
    };
    let message = refused("{}").await;
    assert!(
        message.starts_with("If neither \"backup_id\" nor \"size\" is provided"),
        "{message}"
    );
    let message = refused("{size: 1, volume_type: fast}").await;
    assert!(
        message.contains("The VolumeType (fast) could not be found."),
        "{message}"
    );
    let message = refused("{size: 0}").await;
    assert!(message.contains("0 is out of range"), "{message}");
    let message = refused("{size: 1, source_volid: nope}").await;
    assert!(
        message.contains("The Volume (nope) could not be found."),
        "{message}"
    );
    client.cloud.add_volume_type("fast");
    let template = "
heat_template_version: 2018-08-31
resources: {v: {type: OS::Cinder::Volume, properties: {size: 1, volume_type: fast, image: ubuntu}}}
";
    let path = client.create("v", template, json!({})).await;
    assert_eq!(client.show(&path).await["stack_status"], "CREATE_COMPLETE");
    client.cloud.set_quota(&client.project, "volumes", 1).unwrap();
    let path = client.create("w", template, json!({})).await;
    let reason = client.show(&path).await["stack_status_reason"].clone();
    let reason = reason.as_str().unwrap();
    assert!(
        reason.starts_with(
            "Resource CREATE failed: OverLimit: resources.v: VolumeLimitExceeded: Maximum number of volumes allowed \
             (1) exceeded for quota 'volumes'. (HTTP 413) (Request-ID: req-"
        ),
        "{reason}"
    );
    let (_, types) = client.call("GET", "/resource_types", Value::Null).await;
    let types = types["resource_types"].as_array().unwrap().clone();
    assert!(types.contains(&json!("OS::Cinder::VolumeAttachment")));
    assert!(types.contains(&json!("OS::Octavia::PoolMember")));
}

#[tokio::test(start_paused = true)]
async fn server_groups_are_counted_and_refused_beyond_their_quota() {
    let client = Client::new(Pace::Instant).await;
    client
        .cloud
        .set_quota(&client.project, "server_groups", 1)
        .unwrap();
    let used = || {
        let project = client.project.clone();
        client
            .cloud
            .with(|world| world.compute_usage(&project, "server_groups"))
    };
    let template = "
heat_template_version: 2018-08-31
resources: {g: {type: OS::Nova::ServerGroup, properties: {policies: [affinity]}}}
";
    let first = client.create("v", template, json!({})).await;
    assert_eq!(client.show(&first).await["stack_status"], "CREATE_COMPLETE");
    assert_eq!(used(), 1);
    let second = client.create("w", template, json!({})).await;
    let reason = client.show(&second).await["stack_status_reason"].clone();
    let reason = reason.as_str().unwrap();
    assert!(
        reason.starts_with(
            "Resource CREATE failed: Forbidden: resources.g: Quota exceeded, too many server groups. (HTTP 403) \
             (Request-ID: req-"
        ),
        "{reason}"
    );
    client.delete(&first).await;
    assert_eq!(used(), 0);
}
