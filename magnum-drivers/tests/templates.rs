//! Templates and parameters of the docker driver fit together, and fit Heat and Nova.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use magnum_core::{
    ClientIdentity, Cluster, ClusterDriver as _, ErrorKind, NodeAccess, Parameters, PoolRole, Secret,
    TemplateDefinition as _,
};
use magnum_drivers::docker_ubuntu;
use serde_json::{Value, json};
use support::{arguments, cluster, docker_template, full_cluster, node_access, yaml};

fn top() -> Value {
    yaml(&docker_template().template)
}

fn node() -> Value {
    yaml(&docker_template().files["node.yaml"])
}

fn names(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn sent(cluster: &Cluster, nodes: Option<&NodeAccess>) -> Parameters {
    docker_ubuntu().stack_parameters(cluster, nodes, None).unwrap()
}

/// What `str_replace_strict` puts into the node's script, by name.
fn replacements() -> BTreeMap<String, Value> {
    let node = node();
    let params = &node["resources"]["docker_host"]["properties"]["user_data"]["str_replace_strict"]["params"];
    serde_json::from_value(params.clone()).unwrap()
}

#[test]
fn the_text_is_the_same_for_every_driver_that_is_made() {
    assert_eq!(docker_template(), docker_template());
    assert!(!docker_template().template.is_empty());
    let all = format!("{:?}", docker_template());
    assert!(!all.contains("{{"), "something was not filled in");
}

#[test]
fn the_assembled_top_template() {
    insta::assert_snapshot!(docker_template().template);
}

#[test]
fn parameters_of_a_plain_cluster() {
    insta::assert_snapshot!(serde_json::to_string_pretty(&sent(&cluster(), Some(&node_access()))).unwrap());
}

#[test]
fn parameters_of_a_full_cluster() {
    insta::assert_snapshot!(
        serde_json::to_string_pretty(&sent(&full_cluster(), Some(&node_access()))).unwrap()
    );
}

#[test]
fn every_parameter_sent_is_declared_and_every_required_one_is_sent() {
    let top = top();
    let declared = names(&top["parameters"]);
    let mut open = cluster();
    open.template.tls_disabled = true;
    let access = node_access();
    for (cluster, nodes) in [
        (cluster(), Some(&access)),
        (full_cluster(), Some(&access)),
        (open, None),
    ] {
        let sent = sent(&cluster, nodes);
        for name in sent.keys() {
            assert!(declared.contains(name.as_str()), "{name} is not declared");
        }
        for (name, schema) in top["parameters"].as_object().unwrap() {
            assert!(
                schema.get("default").is_some() || sent.contains_key(name),
                "{name} is missing"
            );
        }
    }
    let driver = docker_ubuntu();
    for mapping in driver.definition().parameters() {
        assert!(
            declared.contains(mapping.parameter),
            "{} is not declared",
            mapping.parameter
        );
    }
    for mapping in driver.definition().outputs() {
        assert!(
            names(&top["outputs"]).contains(mapping.output),
            "{} is no output",
            mapping.output
        );
    }
}

#[test]
fn every_reference_within_a_template_is_there() {
    for template in [top(), node()] {
        let mut found = Vec::new();
        arguments("get_param", &template, &mut found);
        assert!(!found.is_empty());
        for name in found.into_iter().filter(|name| *name != "OS::stack_name") {
            assert!(
                names(&template["parameters"]).contains(name.as_str().unwrap()),
                "parameter {name}"
            );
        }
        let mut used = Vec::new();
        arguments("get_param", &template, &mut used);
        let mut used: BTreeSet<&str> = used.into_iter().filter_map(Value::as_str).collect();
        used.remove("OS::stack_name");
        assert_eq!(used, names(&template["parameters"]), "a parameter is not used");
        let mut found = Vec::new();
        arguments("get_resource", &template, &mut found);
        for name in found {
            assert!(
                names(&template["resources"]).contains(name.as_str().unwrap()),
                "resource {name}"
            );
        }
        let mut found = Vec::new();
        arguments("get_attr", &template, &mut found);
        for path in found {
            assert!(
                names(&template["resources"]).contains(path[0].as_str().unwrap()),
                "resource {path}"
            );
        }
    }
}

#[test]
fn the_group_gives_each_node_exactly_its_parameters() {
    let (top, node) = (top(), node());
    let given = &top["resources"]["docker_hosts"]["properties"]["resource_def"];
    assert_eq!(given["type"], "node.yaml");
    assert_eq!(names(&given["properties"]), names(&node["parameters"]));
    let mut read = Vec::new();
    arguments("get_attr", &top["outputs"], &mut read);
    for path in read.into_iter().filter(|path| path[1] != "refs") {
        assert!(
            names(&node["outputs"]).contains(path[1].as_str().unwrap()),
            "{path}"
        );
    }
}

#[test]
fn addresses_of_nodes_are_looked_for_where_the_template_has_them() {
    let node = node();
    let driver = docker_ubuntu();
    for source in driver.definition().node_names(PoolRole::Worker) {
        assert_eq!(node["resources"][source.resource]["type"], source.kind);
    }
    assert!(driver.definition().node_names(PoolRole::Master).is_empty());
}

#[test]
fn the_script_has_every_name_that_heat_replaces_and_none_is_in_another() {
    let script = &docker_template().files["node.sh"];
    let replaced = replacements();
    for name in replaced.keys() {
        assert!(script.contains(name.as_str()), "{name} is not in the script");
        assert!(
            !replaced
                .keys()
                .any(|other| other != name && other.contains(name.as_str())),
            "{name}"
        );
    }
    let words = script.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let placeholders = words.filter(|w| w.len() > 4 && w.starts_with("__") && w.ends_with("__"));
    for name in placeholders {
        assert!(replaced.contains_key(name), "{name} is replaced by nothing");
    }
}

/// Each parameter that reaches the script has a pattern without the characters that end or escape a quoted string.
#[test]
fn every_value_in_the_script_has_a_grammar() {
    let node = node();
    for (name, value) in replacements() {
        let Some(parameter) = value.get("get_param").and_then(Value::as_str) else {
            continue;
        };
        let constraints = node["parameters"][parameter]["constraints"].as_array();
        // The registry's pattern stands at the top template's parameter of that name.
        let constraints = constraints
            .cloned()
            .or_else(|| top()["parameters"][parameter]["constraints"].as_array().cloned());
        let patterns: Vec<String> = constraints
            .unwrap_or_else(|| panic!("{name} takes {parameter} without constraint"))
            .iter()
            .filter_map(|c| c["allowed_pattern"].as_str().map(ToOwned::to_owned))
            .collect();
        assert_eq!(patterns.len(), 1, "{parameter}");
        for bad in ["'", "\"", "$", "`", "\\s", " ", ";", "&", "!", "^", ".+", ".*)"] {
            assert!(!patterns[0].contains(bad), "{parameter} allows {bad}");
        }
    }
}

/// Nova refuses more than 65535 bytes of base64.
#[test]
fn user_data_fits_nova() {
    let mut length = docker_template().files["node.sh"].len();
    for (name, value) in replacements() {
        let parameter = value.get("get_param").and_then(Value::as_str).unwrap_or_default();
        length += match parameter {
            "node_endpoint_ca" => 16384,
            _ => 1024,
        };
        length -= name.len();
    }
    let encoded = length.div_ceil(3) * 4;
    assert!(encoded <= 65535, "{encoded} bytes");
}

#[test]
fn texts_that_yaml_reads_as_something_else_are_quoted() {
    let (top, node) = (top(), node());
    assert_eq!(top["heat_template_version"], "2018-08-31");
    let tls = &node["resources"]["docker_host"]["properties"]["user_data"]["str_replace_strict"]["params"];
    assert_eq!(tls["__TLS__"]["if"], json!(["without_tls", "off", "on"]));
    // YAML 1.1, which Heat reads, knows more of these than 1.2, which this test reads.
    for text in [
        docker_template().template,
        docker_template().files["node.yaml"].clone(),
    ] {
        for line in text.lines() {
            let value = line
                .trim_start()
                .trim_start_matches("- ")
                .rsplit(": ")
                .next()
                .unwrap_or_default();
            let lower = value.to_lowercase();
            assert!(
                !["yes", "no", "on", "off", "y", "n"].contains(&lower.as_str()),
                "{line}"
            );
        }
    }
}

#[test]
fn secrets_are_hidden_in_every_template() {
    for template in [top(), node()] {
        assert_eq!(template["parameters"]["node_credential"]["hidden"], true);
    }
}

#[test]
fn tls_without_a_node_endpoint_is_refused() {
    let error = docker_ubuntu()
        .stack_parameters(&cluster(), None, None)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("disable TLS"), "{error}");
}

#[test]
fn without_tls_nothing_about_certificates_is_sent() {
    let mut cluster = cluster();
    cluster.template.tls_disabled = true;
    let sent = sent(&cluster, Some(&node_access()));
    assert!(!sent.keys().any(|name| name.starts_with("node_")), "{sent:?}");
}

#[test]
fn a_certificate_authority_travels_in_base64() {
    let sent = sent(&cluster(), Some(&node_access()));
    let decoded = base64::engine::general_purpose::STANDARD
        .decode(sent["node_endpoint_ca"].as_str().unwrap())
        .unwrap();
    assert_eq!(String::from_utf8(decoded).ok(), node_access().ca);
}

#[test]
fn the_number_of_hosts_is_checked() {
    let driver = docker_ubuntu();
    for (count, good) in [(0, false), (1, true), (200, true), (201, false)] {
        let mut cluster = cluster();
        cluster.pool_mut(PoolRole::Worker).unwrap().count = count;
        let problems = driver.validate(&cluster.template, Some(&cluster));
        assert_eq!(problems.is_empty(), good, "{count}: {problems:?}");
    }
    assert_eq!(driver.validate(&full_cluster().template, None), []);
}

fn identity() -> ClientIdentity {
    ClientIdentity {
        ca: "CA".into(),
        certificate: "CERT".into(),
        private_key: Secret::new("KEY"),
    }
}

#[test]
fn client_configuration_with_tls() {
    let mut cluster = cluster();
    cluster.api_address = Some("tcp://172.24.4.5:2376".into());
    let config = docker_ubuntu()
        .client_config(&cluster, Some(&identity()))
        .unwrap();
    let files: Vec<(&str, &str)> = config
        .files
        .iter()
        .map(|(name, text)| (name.as_str(), text.expose()))
        .collect();
    assert_eq!(
        files,
        [("ca.pem", "CA"), ("cert.pem", "CERT"), ("key.pem", "KEY")]
    );
    let environment: Vec<String> = config
        .environment
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    assert_eq!(
        environment,
        [
            "DOCKER_CERT_PATH={dir}",
            "DOCKER_HOST=tcp://172.24.4.5:2376",
            "DOCKER_TLS_VERIFY=True"
        ]
    );
    assert!(docker_ubuntu().client_config(&cluster, None).is_err());
}

#[test]
fn client_configuration_without_tls() {
    let mut cluster = cluster();
    cluster.template.tls_disabled = true;
    cluster.api_address = Some("tcp://172.24.4.5:2375".into());
    let config = docker_ubuntu().client_config(&cluster, None).unwrap();
    assert!(config.files.is_empty());
    assert_eq!(
        config.environment.into_iter().collect::<Vec<_>>(),
        [
            ("DOCKER_CERT_PATH".into(), String::new()),
            ("DOCKER_HOST".into(), "tcp://172.24.4.5:2375".into()),
            ("DOCKER_TLS_VERIFY".into(), String::new()),
        ]
    );
}

#[test]
fn client_configuration_of_a_cluster_without_address_is_a_conflict() {
    let error = docker_ubuntu()
        .client_config(&cluster(), Some(&identity()))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
}
