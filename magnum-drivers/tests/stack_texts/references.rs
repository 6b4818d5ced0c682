//! What refers to what, within templates and from the driver to them.

use std::collections::{BTreeMap, BTreeSet};

use magnum_core::{Cluster, PoolRole, TemplateDefinition as _};
use serde_json::Value;

use crate::support::stacks::*;
use crate::support::{arguments, yaml};

fn templates(driver: &str) -> BTreeMap<String, Value> {
    let all = driver_named(driver).definition().template();
    let nested = all.files.iter().filter(|(name, _)| name.ends_with(".yaml"));
    let mut parsed: BTreeMap<String, Value> = nested.map(|(n, t)| (n.clone(), yaml(t))).collect();
    parsed.insert("top".into(), yaml(&all.template));
    parsed
}

/// Every template of every driver, by driver and name.
fn every_template() -> impl Iterator<Item = (String, Value)> {
    DRIVERS.into_iter().flat_map(|driver| {
        let all = templates(driver).into_iter();
        all.map(move |(name, template)| (format!("{driver}: {name}"), template))
    })
}

fn names(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn all(function: &str, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    arguments(function, value, &mut found);
    let name = |argument: &Value| {
        argument
            .as_str()
            .or_else(|| argument[0].as_str())
            .unwrap()
            .to_owned()
    };
    found.into_iter().map(name).collect()
}

/// Clusters with nothing and with everything.
fn clusters(driver: &str) -> Vec<Cluster> {
    let mut open = cluster_of(driver);
    open.template.tls_disabled = true;
    let mut full = cluster_of(driver);
    if [SWARM, MESOS].contains(&driver) {
        full.template.volume_driver = Some("rexray".into());
        full.template.docker_volume_size = Some(4);
    } else {
        label(&mut full, "cloud_provider_enabled", "true");
        full.template.apiserver_port = Some(8443);
    }
    full.discovery_url = Some("https://discovery.example/x".into());
    let spec = &mut full.template;
    spec.registry_enabled = true;
    spec.insecure_registry = Some("registry.example:5000".into());
    spec.http_proxy = Some("http://proxy.example:3128".into());
    spec.https_proxy = spec.http_proxy.clone();
    spec.no_proxy = Some("example.org".into());
    spec.fixed_network = Some("net".into());
    spec.fixed_subnet = Some("subnet".into());
    if driver == MESOS {
        let spec = &mut full.template;
        spec.registry_enabled = false;
        spec.insecure_registry = None;
        full.discovery_url = None;
        for (key, value) in [
            ("mesos_slave_isolation", "docker/runtime"),
            ("mesos_slave_image_providers", "docker"),
            ("mesos_slave_work_dir", "/tmp/mesos"),
            ("mesos_slave_executor_env_variables", r#"{"PATH": "/bin"}"#),
        ] {
            label(&mut full, key, value);
        }
        let variables = "mesos_slave_executor_env_variables";
        label(&mut open, variables, "/home/ubuntu/test.json");
    }
    vec![cluster_of(driver), open, full]
}

#[test]
fn every_parameter_sent_is_declared_and_every_required_one_is_sent() {
    for name in DRIVERS {
        every_parameter(name);
    }
}

fn every_parameter(driver: &str) {
    let top = &templates(driver)["top"];
    let declared = names(&top["parameters"]);
    let mut ever = BTreeSet::new();
    for cluster in clusters(driver) {
        let sent = driver_named(driver)
            .stack_parameters(
                &cluster,
                Some(&access("https://magnum.example", None)),
                Some(&trust()),
            )
            .unwrap();
        for name in sent.keys() {
            assert!(declared.contains(name.as_str()), "{name} is not declared");
        }
        for (name, schema) in top["parameters"].as_object().unwrap() {
            assert!(
                schema.get("default").is_some() || sent.contains_key(name),
                "{name} is missing"
            );
        }
        ever.extend(sent.into_keys());
    }
    // The rest has its default always.
    let never: Vec<&str> = declared
        .iter()
        .copied()
        .filter(|name| !ever.contains(*name))
        .collect();
    let of_registry = ["registry_chunksize", "registry_container", "registry_port"];
    let expected: Vec<&str> = match driver {
        MESOS => vec![
            "executor_registration_timeout",
            "fixed_network_cidr",
            "marathon_port",
            "mesos_port",
        ],
        SWARM => [&["fixed_network_cidr"][..], &of_registry, &["swarm_port"]].concat(),
        _ => [&["fixed_network_cidr"][..], &of_registry].concat(),
    };
    assert_eq!(never, expected);
}

#[test]
fn every_parameter_is_used_and_every_reference_is_there() {
    for (name, template) in every_template() {
        let used: BTreeSet<String> = all("get_param", &template).into_iter().collect();
        let used: BTreeSet<&str> = used.iter().map(String::as_str).collect();
        assert_eq!(used, names(&template["parameters"]), "{name}");
        let resources = names(&template["resources"]);
        for function in ["get_resource", "get_attr"] {
            for resource in all(function, &template) {
                assert!(resources.contains(resource.as_str()), "{name}: {resource}");
            }
        }
        let mut depends = Vec::new();
        arguments("depends_on", &template, &mut depends);
        for resource in depends.into_iter().flat_map(|d| d.as_array().unwrap()) {
            assert!(
                resources.contains(resource.as_str().unwrap()),
                "{name}: {resource}"
            );
        }
        let Some(conditions) = template.get("conditions") else {
            continue;
        };
        let mut named: BTreeSet<String> = all("if", &template).into_iter().collect();
        for resource in template["resources"].as_object().unwrap().values() {
            named.extend(
                resource
                    .get("condition")
                    .and_then(Value::as_str)
                    .map(ToOwned::to_owned),
            );
        }
        for condition in conditions.as_object().unwrap().values() {
            named.extend(condition["not"].as_str().map(ToOwned::to_owned));
            named.extend(
                condition["and"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|c| c.as_str().unwrap().to_owned()),
            );
        }
        let named: BTreeSet<&str> = named.iter().map(String::as_str).collect();
        assert_eq!(named, names(conditions), "{name}: conditions");
    }
}

#[test]
fn each_group_gives_its_members_exactly_their_parameters() {
    let of_drivers = DRIVERS.map(|driver| (shape(driver), templates(driver)));
    let groups = of_drivers.iter().flat_map(|(shape, all)| {
        [shape.ports, shape.master.group, shape.node.group].map(|group| (all, group))
    });
    for (all, group) in groups {
        let top = &all["top"];
        let given = &top["resources"][group]["properties"]["resource_def"];
        let member = &all[given["type"].as_str().unwrap()];
        assert_eq!(
            names(&given["properties"]),
            names(&member["parameters"]),
            "{group}"
        );
        let mut read = Vec::new();
        arguments("get_attr", top, &mut read);
        for path in read
            .into_iter()
            .filter(|path| path[0] == *group && path[1] != "refs")
        {
            assert!(
                names(&member["outputs"]).contains(path[1].as_str().unwrap()),
                "{path}"
            );
        }
    }
}

#[test]
fn outputs_and_groups_that_others_look_for_are_there() {
    for name in DRIVERS {
        outputs_and_groups(name);
    }
}

fn outputs_and_groups(driver: &str) {
    let all = templates(driver);
    let shape = shape(driver);
    let servers = match driver {
        SWARM => "swarm_node_servers",
        MESOS => "mesos_slave_servers",
        _ => "minions",
    };
    let driver = driver_named(driver);
    let outputs = names(&all["top"]["outputs"]);
    for mapping in driver.definition().outputs() {
        assert!(outputs.contains(mapping.output), "{}", mapping.output);
    }
    assert!(outputs.contains(servers));
    for group in [shape.master.group, shape.node.group] {
        assert_eq!(all["top"]["resources"][group]["type"], "OS::Heat::ResourceGroup");
    }
    let resources: BTreeMap<&str, &Value> = all
        .values()
        .flat_map(|t| t["resources"].as_object().unwrap())
        .map(|(name, resource)| (name.as_str(), resource))
        .collect();
    for role in [PoolRole::Master, PoolRole::Worker] {
        for source in driver.definition().node_names(role) {
            assert_eq!(resources[source.resource]["type"], source.kind);
        }
    }
}

#[test]
fn the_text_is_the_same_for_every_driver_that_is_made() {
    assert_eq!(
        magnum_drivers::k8s_fedora_atomic().definition().template(),
        driver_named(ATOMIC).definition().template()
    );
    let texts = DRIVERS.into_iter().flat_map(|driver| {
        let template = driver_named(driver).definition().template();
        let top = (format!("{driver}: top"), template.template.clone());
        let rest = template.files.clone().into_iter();
        rest.map(move |(name, text)| (format!("{driver}: {name}"), text))
            .chain([top])
    });
    for (name, text) in texts {
        // Docker's own template language is the one exception.
        let text = text
            .replace("'{{.Server.Version}}'", "")
            .replace("'{{.State.Running}}'", "");
        assert!(!text.contains("{{"), "{name}: something was not filled in");
    }
}

#[test]
fn every_placeholder_is_replaced_and_none_is_in_another() {
    let of_drivers = DRIVERS.map(|driver| (driver, templates(driver)));
    let servers = of_drivers.iter().flat_map(|(driver, all)| {
        let shape = shape(driver);
        [&shape.master, &shape.node].map(|part| (driver, all, part.file, part.server))
    });
    for (driver, all, file, server) in servers {
        let script = &driver_named(driver).definition().template().files[&format!("{file}.sh")];
        let template = &all[&format!("{file}.yaml")];
        let call = &template["resources"][server]["properties"]["user_data"]["str_replace_strict"];
        let replaced = names(&call["params"]);
        for name in &replaced {
            assert!(script.contains(name), "{name} is not in {file}.sh");
            assert!(
                !replaced.iter().any(|other| other != name && other.contains(name)),
                "{name}"
            );
        }
        let words = script.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        for name in words.filter(|w| w.len() > 4 && w.starts_with("__") && w.ends_with("__")) {
            assert!(
                replaced.contains(name),
                "{file}.sh: {name} is replaced by nothing"
            );
        }
    }
}

#[test]
fn secrets_are_hidden_in_every_template() {
    for (name, template) in every_template() {
        for (parameter, schema) in template["parameters"].as_object().unwrap() {
            let secret = ["credential", "password", "trust_id"]
                .iter()
                .any(|word| parameter.contains(word));
            assert_eq!(schema["hidden"] == true, secret, "{name}: {parameter}");
        }
    }
}

#[test]
fn each_value_of_a_script_has_a_grammar_without_what_a_shell_reads() {
    for driver in [ATOMIC, SWARM, MESOS] {
        grammars(driver);
    }
}

fn grammars(driver: &str) {
    let all_templates = templates(driver);
    let shape = shape(driver);
    let top = &all_templates["top"];
    // They are made by the template itself of words, numbers, addresses and ids.
    let made = [
        "index",
        "private_addresses",
        "addresses",
        "api_private_address",
        "api_public_address",
    ];
    for part in [&shape.master, &shape.node] {
        let (file, server) = (part.file, part.server);
        let template = &all_templates[&format!("{file}.yaml")];
        let call = &template["resources"][server]["properties"]["user_data"]["str_replace_strict"];
        for parameter in all("get_param", &call["params"]) {
            if made.contains(&parameter.as_str()) {
                continue;
            }
            let own = &template["parameters"][&parameter];
            if own["type"] == "number" || own["type"] == "boolean" {
                continue;
            }
            // A member's parameter may get its constraint from the top template's of that name.
            let constraints = own
                .get("constraints")
                .or_else(|| top["parameters"][&parameter].get("constraints"));
            let constraints = constraints
                .unwrap_or_else(|| panic!("{parameter} has no constraint"))
                .as_array()
                .unwrap();
            let fits = |value: &str| {
                let schema = serde_json::json!({"constraints": constraints});
                crate::support::heat::check(&parameter, &schema, &serde_json::json!(value)).is_ok()
            };
            for bad in [
                "'", "\"", "$", "`", "\\", " ", ";", "|", "<", ">", "(", ")", "{", "}", "!", "\n", "é",
            ] {
                for good in ["", "a", "http://a", "https://a/b", "10.0.0.0/8", "v1.9.0", "udp"] {
                    for value in [
                        format!("{good}{bad}"),
                        format!("{bad}{good}"),
                        format!("{good}{bad}{good}"),
                    ] {
                        assert!(!fits(&value), "{parameter} allows {value:?}");
                    }
                }
            }
        }
    }
}
