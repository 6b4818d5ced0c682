//! Fields that tenants set, and hostile values for them.

use magnum_core::Cluster;
use proptest::prelude::*;

use crate::support::stacks::{MESOS, SWARM, label};

pub(crate) type Set = fn(&mut Cluster, String);

pub(crate) type Field = (&'static str, &'static str, Set);

/// Fields that a tenant sets of a driver's clusters, and the parameter of that name where the names differ.
pub(crate) fn fields(driver: &str) -> impl Iterator<Item = Field> {
    let own: &[Field] = match driver {
        SWARM => &OF_SWARM,
        MESOS => &OF_MESOS,
        _ => &OF_KUBERNETES,
    };
    let nodes = match driver {
        SWARM => "node_flavor",
        MESOS => "slave_flavor",
        _ => "minion_flavor",
    };
    let others = driver == MESOS;
    let named = move |(field, parameter, set): Field| match field {
        "flavor_id" => (field, nodes, set),
        _ => (field, parameter, set),
    };
    // Of these the service says that the driver has none.
    let has = move |field: &&Field| {
        let none = ["discovery_url", "docker_storage_driver"];
        !others || !(field.0.starts_with("labels.flannel") || none.contains(&field.0))
    };
    FIELDS.iter().filter(has).chain(own).copied().map(named)
}

const FIELDS: [Field; 23] = [
    ("name", "node_prefix", |c, v| c.name = v),
    ("keypair", "ssh_key_name", |c, v| c.keypair = Some(v)),
    ("discovery_url", "discovery_url", |c, v| c.discovery_url = Some(v)),
    ("image_id", "server_image", |c, v| c.template.image_id = v),
    ("external_network_id", "external_network", |c, v| {
        c.template.external_network_id = v
    }),
    ("flavor_id", "minion_flavor", |c, v| {
        c.template.flavor_id = Some(v)
    }),
    ("master_flavor_id", "master_flavor", |c, v| {
        c.template.master_flavor_id = Some(v)
    }),
    ("dns_nameserver", "dns_nameserver", |c, v| {
        c.template.dns_nameserver = Some(v)
    }),
    ("fixed_network", "fixed_network", |c, v| {
        c.template.fixed_network = Some(v)
    }),
    ("fixed_subnet", "fixed_subnet", |c, v| {
        c.template.fixed_network = Some("net".into());
        c.template.fixed_subnet = Some(v);
    }),
    ("http_proxy", "http_proxy", |c, v| c.template.http_proxy = Some(v)),
    ("https_proxy", "https_proxy", |c, v| {
        c.template.https_proxy = Some(v)
    }),
    ("no_proxy", "no_proxy", |c, v| c.template.no_proxy = Some(v)),
    ("insecure_registry", "insecure_registry_url", |c, v| {
        c.template.insecure_registry = Some(v)
    }),
    ("tags", "tags", |c, v| c.template.tags = Some(v)),
    ("template name", "template name", |c, v| c.template.name = Some(v)),
    ("volume_driver", "volume_driver", |c, v| {
        c.template.volume_driver = Some(v)
    }),
    ("network_driver", "network_driver", |c, v| {
        c.template.network_driver = Some(v)
    }),
    ("docker_storage_driver", "docker_storage_driver", |c, v| {
        c.template.docker_storage_driver = Some(v)
    }),
    ("labels.flannel_network_cidr", "flannel_network_cidr", |c, v| {
        flannel(c, "flannel_network_cidr", &v)
    }),
    (
        "labels.flannel_network_subnetlen",
        "flannel_network_subnetlen",
        |c, v| flannel(c, "flannel_network_subnetlen", &v),
    ),
    ("labels.flannel_backend", "flannel_backend", |c, v| {
        flannel(c, "flannel_backend", &v)
    }),
    ("labels.unknown", "labels", |c, v| label(c, &v.clone(), &v)),
];

const OF_KUBERNETES: [Field; 2] = [
    ("labels.kube_tag", "kube_version", |c, v| label(c, "kube_tag", &v)),
    (
        "labels.cloud_provider_enabled",
        "cloud_provider_enabled",
        |c, v| label(c, "cloud_provider_enabled", &v),
    ),
];

const OF_MESOS: [Field; 5] = [
    ("labels.rexray_preempt", "rexray_preempt", |c, v| {
        c.template.volume_driver = Some("rexray".into());
        label(c, "rexray_preempt", &v);
    }),
    ("labels.mesos_slave_isolation", "mesos_slave_isolation", |c, v| {
        label(c, "mesos_slave_isolation", &v)
    }),
    (
        "labels.mesos_slave_image_providers",
        "mesos_slave_image_providers",
        |c, v| {
            label(c, "mesos_slave_isolation", "docker/runtime");
            label(c, "mesos_slave_image_providers", &v);
        },
    ),
    ("labels.mesos_slave_work_dir", "mesos_slave_work_dir", |c, v| {
        label(c, "mesos_slave_work_dir", &v)
    }),
    (
        "labels.mesos_slave_executor_env_variables",
        "mesos_slave_executor_env_variables",
        |c, v| {
            let object = serde_json::json!({ v.clone(): v });
            label(c, "mesos_slave_executor_env_variables", &object.to_string());
        },
    ),
];

const OF_SWARM: [Field; 3] = [
    ("labels.rexray_preempt", "rexray_preempt", |c, v| {
        c.template.volume_driver = Some("rexray".into());
        label(c, "rexray_preempt", &v);
    }),
    ("labels.swarm_strategy", "swarm_strategy", |c, v| {
        label(c, "swarm_strategy", &v)
    }),
    ("labels.swarm_version", "swarm_version", |c, v| {
        label(c, "swarm_version", &v)
    }),
];

pub(crate) fn hostile() -> impl Strategy<Value = String> {
    let evil = prop::sample::select(vec![
        "'",
        "\"",
        "\n",
        "\r",
        "\0",
        "\t",
        " ",
        "$(touch canary)",
        "`touch canary`",
        "; touch canary;",
        "'; touch canary; '",
        "\"; touch canary; \"",
        "\\",
        "\\'",
        "${IFS}",
        "$HOME",
        "&& touch canary",
        "| touch canary",
        "> canary",
        "{{x}}",
        "{{> report.sh}}",
        "__TLS__",
        "__NODE_CREDENTIAL__",
        "__WAIT_CURL_CLI__",
        "%index%",
        "%s",
        "- a",
        ": b",
        "# c",
        "!!x",
        "&a",
        "*a",
        "[",
        "]",
        "{",
        "}",
        "é",
        "漢",
        "\u{202e}",
        "\u{2028}",
        "\u{feff}",
        "EOF",
        "ADDON\n",
        "UNIT\n",
        "NETWORK\n",
        "\nExecStart=/bin/touch canary",
        "--",
        "-x",
        "~",
        "*",
        "?",
        "..",
        "/etc/passwd",
        "http://",
        "https://",
        "v1.9.0",
        "10.0.0.0/8",
        "true",
    ]);
    let plain = "[a-zA-Z0-9._~:/@%,*=?&\\[\\]-]{1,10}";
    prop_oneof![
        2 => prop::collection::vec(prop_oneof![evil.clone().prop_map(ToOwned::to_owned), plain.prop_map(|s| s)], 1..5).prop_map(|p| p.concat()),
        1 => evil.prop_map(ToOwned::to_owned),
        1 => any::<String>(),
        1 => "[a-z0-9.-]{1,300}",
        2 => "(http://|https://)[a-zA-Z0-9._~:@%-]{1,30}",
        1 => "[A-Za-z0-9.*:/_,-]{1,60}",
        1 => "v1\\.(8|9|10|11|12|13|14|15)\\.[0-9]{1,2}",
        1 => "(9|1[1-9]|[2-9][0-9])\\.[0-9]{1,2}\\.0\\.0/(1[6-9]|2[0-9])",
        1 => "[0-9]{1,2}",
        1 => (300_usize..5000).prop_map(|n| "x'".repeat(n)),
    ]
}

/// A label of flannel's, which must be the network then.
fn flannel(cluster: &mut Cluster, key: &str, value: &str) {
    cluster.template.network_driver = Some("flannel".into());
    label(cluster, key, value);
}
