//! What goes together and what does not, and what the descriptor says.

use magnum_core::{Cluster, ClusterDriver as _, LabelType, PoolRole, TemplateSpec};

use crate::support::kubernetes::*;

fn problems(change: impl FnOnce(&mut Cluster)) -> Vec<(String, String)> {
    let mut cluster = kubernetes_cluster();
    change(&mut cluster);
    let found = driver().validate(&cluster.template, Some(&cluster));
    found.into_iter().map(|p| (p.field, p.message)).collect()
}

#[track_caller]
fn refused(field: &str, message: &str, change: impl FnOnce(&mut Cluster)) {
    let found = problems(change);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, field);
    assert!(found[0].1.contains(message), "{found:?}");
}

#[track_caller]
fn taken(change: impl FnOnce(&mut Cluster)) {
    assert_eq!(problems(change), []);
}

fn count(cluster: &mut Cluster, nodes: u32) {
    cluster.pool_mut(PoolRole::Worker).unwrap().count = nodes;
}

#[test]
fn volumes_have_room_for_the_storage_driver() {
    let with = |driver: &'static str, size| {
        move |c: &mut Cluster| {
            c.template.docker_storage_driver = Some(driver.into());
            c.template.docker_volume_size = Some(size);
        }
    };
    refused(
        "docker_volume_size",
        "the storage driver devicemapper needs 3 GB or more",
        with("devicemapper", 2),
    );
    taken(with("devicemapper", 3));
    refused(
        "docker_volume_size",
        "the storage driver overlay needs 1 GB or more",
        with("overlay", 0),
    );
    taken(with("overlay", 1));
}

#[test]
fn the_cloud_provider_needs_a_version_that_knows_the_cloud() {
    let with = |tag: &'static str| {
        move |c: &mut Cluster| {
            label(c, "kube_tag", tag);
            label(c, "cloud_provider_enabled", "true");
        }
    };
    refused(
        "labels.cloud_provider_enabled",
        "kube_tag must be v1.10.0 or newer",
        with("v1.9.11"),
    );
    taken(with("v1.10.0"));
    taken(|c| label(c, "kube_tag", "v1.9.0"));
    refused("volume_driver", "kube_tag must be v1.10.0 or newer", |c| {
        label(c, "kube_tag", "v1.9.0");
        c.template.volume_driver = Some("cinder".into());
    });
}

#[test]
fn the_volume_driver_implies_the_cloud_provider() {
    let driver = driver();
    let mut cluster = kubernetes_cluster();
    cluster.template.volume_driver = Some("cinder".into());
    let nodes = access("https://magnum.example", None);
    let sent = driver
        .stack_parameters(&cluster, Some(&nodes), Some(&trust()))
        .unwrap();
    assert_eq!(sent["cloud_provider_enabled"], true);
    assert_eq!(driver.trust_on_nodes(&cluster.template), Some("volume_driver"));
    assert!(
        driver.stack_parameters(&cluster, Some(&nodes), None).is_err(),
        "it needs a trust"
    );
    refused(
        "labels.cloud_provider_enabled",
        "the volume driver cinder needs it",
        |c| {
            c.template.volume_driver = Some("cinder".into());
            label(c, "cloud_provider_enabled", "false");
        },
    );
    assert_eq!(driver.trust_on_nodes(&kubernetes_cluster().template), None);
}

#[test]
fn the_registry_needs_the_trust_on_nodes() {
    refused("registry_enabled", "set it to true", |c| {
        c.template.registry_enabled = true
    });
    taken(|c| {
        c.template.registry_enabled = true;
        label(c, "cloud_provider_enabled", "true");
    });
}

#[test]
fn the_pods_network_overlaps_with_no_other() {
    let with = |cidr: &'static str| move |c: &mut Cluster| label(c, "flannel_network_cidr", cidr);
    let field = "labels.flannel_network_cidr";
    refused(field, "it overlaps with 10.254.0.0/16", with("10.254.0.0/16"));
    refused(field, "it overlaps with 10.254.0.0/16", with("10.254.16.0/20"));
    refused(field, "it overlaps with 10.0.0.0/24", with("10.0.0.0/20"));
    taken(|c| {
        label(c, "flannel_network_cidr", "10.0.0.0/20");
        c.template.fixed_network = Some("net".into());
        c.template.fixed_subnet = Some("subnet".into());
    });
    refused(
        field,
        "bits beyond the prefix must be zero: 10.100.0.0/16",
        with("10.100.1.0/16"),
    );
    for odd in ["127.0.0.0/16", "224.0.0.0/16", "169.254.0.0/16"] {
        refused(field, "cannot be routed", with(odd));
    }
    taken(with("172.16.0.0/12"));
    let length = |cidr: &'static str, length: &'static str| {
        move |c: &mut Cluster| {
            label(c, "flannel_network_cidr", cidr);
            label(c, "flannel_network_subnetlen", length);
        }
    };
    let field = "labels.flannel_network_subnetlen";
    refused(
        field,
        "17 to 30 is allowed in the network 10.100.0.0/16",
        length("10.100.0.0/16", "16"),
    );
    refused(
        field,
        "13 to 28 is allowed in the network 172.16.0.0/12",
        length("172.16.0.0/12", "29"),
    );
    taken(length("10.100.0.0/16", "30"));
}

#[test]
fn there_is_room_for_all_servers() {
    taken(|c| count(c, 239));
    refused("node_count", "room for 240 servers, masters included", |c| {
        count(c, 240)
    });
    let elsewhere = |c: &mut Cluster| {
        c.template.fixed_network = Some("net".into());
        c.template.fixed_subnet = Some("subnet".into());
    };
    taken(|c| {
        elsewhere(c);
        count(c, 255);
    });
    refused("node_count", "for 256 servers only", |c| {
        elsewhere(c);
        count(c, 256);
    });
    taken(|c| {
        elsewhere(c);
        label(c, "flannel_network_subnetlen", "28");
        count(c, 1000);
    });
    for number in [0, 1001] {
        let found = problems(|c| {
            elsewhere(c);
            label(c, "flannel_network_subnetlen", "28");
            count(c, number);
        });
        assert_eq!(
            found,
            [("node_count".to_owned(), "1 to 1000 is allowed".to_owned())]
        );
    }
}

#[test]
fn what_goes_into_scripts_is_of_plain_characters() {
    for url in ["", "ftp://x", "http://a b", "https://x/$(id)", "https://x'"] {
        refused("discovery_url", "must be http:// or https://", |c| {
            c.discovery_url = Some(url.into())
        });
    }
    refused("discovery_url", "at most 255", |c| {
        c.discovery_url = Some(format!("http://{}", "a".repeat(249)))
    });
    taken(|c| c.discovery_url = Some(format!("http://{}", "a".repeat(248))));
    refused("fixed_subnet", "must be an id", |c| {
        c.template.fixed_subnet = Some("x'; reboot; '".into())
    });
    // Docker would read it as an option.
    refused("insecure_registry", "must be host:port", |c| {
        c.template.insecure_registry = Some("--help".into())
    });
    // Heat would refuse the blank, when it is too late.
    refused("dns_nameserver", "separated by commas", |c| {
        c.template.dns_nameserver = Some("8.8.8.8, 8.8.4.4".into());
    });
    taken(|c| c.template.dns_nameserver = Some("8.8.8.8,8.8.4.4".into()));
}

#[test]
fn versions_are_written_without_padding() {
    // The script compares the second number, and bash reads 08 as a broken octal number.
    for padded in ["v1.08.0", "v01.9.0", "v1.9.01", "v1.015.7"] {
        refused("labels.kube_tag", "do not begin with 0", |c| {
            label(c, "kube_tag", padded)
        });
    }
    taken(|c| label(c, "kube_tag", "v1.10.0"));
}

#[test]
fn the_descriptor_tells_the_versions() {
    let driver = driver();
    let descriptor = driver.descriptor();
    let kubernetes = &descriptor.software["kubernetes"];
    assert_eq!(kubernetes.default, "v1.15.7");
    let (least, most, label) = kubernetes.range.clone().unwrap();
    assert_eq!(
        (least.as_str(), most.as_str(), label),
        ("v1.9.0", "v1.15.12", "kube_tag")
    );
    let schema = descriptor.labels.iter().find(|l| l.key == "kube_tag").unwrap();
    assert_eq!(schema.value, LabelType::Version { least, most });
    assert_eq!(kubernetes.features[0].since, "v1.10.0");
    let script = &kubernetes_template().files["kubemaster.sh"];
    for name in ["etcd", "flannel", "coredns"] {
        let version = &descriptor.software[name].default;
        assert!(script.contains(&format!("{name}:{version}")), "{name}");
    }
    let registry = &descriptor.software["registry"].default;
    assert!(kubernetes_template().files["kubeminion.sh"].contains(&format!("registry:{registry}")));
    assert_eq!(descriptor.masters, (1, 9));
    assert_eq!(driver.validate(&TemplateSpec::default(), None), []);
}

#[test]
fn a_port_that_something_else_has_is_refused() {
    for port in [2379, 2380, 4194, 6444, 10_250, 30_000, 32_767] {
        refused(
            "apiserver_port",
            "something else of Kubernetes listens there",
            |c| {
                c.template.apiserver_port = Some(port);
            },
        );
    }
    for port in [1024, 6443, 8080, 9443, 29_999, 32_768] {
        taken(|c| c.template.apiserver_port = Some(port));
    }
}

#[test]
fn an_existing_subnet_must_be_beside_the_clusters_own_networks() {
    let spec = kubernetes_cluster().template;
    let problems = |subnet: &str| {
        use magnum_core::TemplateDefinition as _;
        let driver = magnum_drivers::k8s_fedora_atomic();
        let found = driver
            .definition()
            .subnet_problems(&spec, subnet.parse().unwrap());
        found.into_iter().map(|p| p.message).collect::<Vec<_>>()
    };
    assert!(problems("192.168.0.0/24").is_empty());
    assert!(problems("10.100.3.0/24")[0].contains("the containers' network 10.100.0.0/16"));
    assert!(problems("10.254.0.0/24")[0].contains("the services' network 10.254.0.0/16"));
    assert_eq!(problems("10.0.0.0/8").len(), 2);
}

#[test]
fn flannel_needs_room() {
    refused(
        "labels.flannel_network_cidr",
        "flannel needs a prefix of 28 or less",
        |c| {
            label(c, "flannel_network_cidr", "10.100.0.0/29");
            label(c, "flannel_network_subnetlen", "30");
        },
    );
}
