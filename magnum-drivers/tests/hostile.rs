//! Hostile values of tenants: each is refused with its field's name, or it is inert in scripts and documents.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::Command;
use std::sync::LazyLock;
use std::time::Instant;

use magnum_core::{Cluster, ClusterDriver as _};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use support::heat::replace;
use support::kubernetes::*;

type Set = fn(&mut Cluster, String);

/// Fields that a tenant sets, and the parameter of that name where the names differ.
const FIELDS: [(&str, &str, Set); 25] = [
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
        label(c, "flannel_network_cidr", &v)
    }),
    (
        "labels.flannel_network_subnetlen",
        "flannel_network_subnetlen",
        |c, v| label(c, "flannel_network_subnetlen", &v),
    ),
    ("labels.flannel_backend", "flannel_backend", |c, v| {
        label(c, "flannel_backend", &v)
    }),
    ("labels.kube_tag", "kube_version", |c, v| label(c, "kube_tag", &v)),
    (
        "labels.cloud_provider_enabled",
        "cloud_provider_enabled",
        |c, v| label(c, "cloud_provider_enabled", &v),
    ),
    ("labels.unknown", "labels", |c, v| label(c, &v.clone(), &v)),
];

/// How many values each field gets.
const VALUES: usize = 420;

fn hostile() -> impl Strategy<Value = String> {
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

/// A value that came through, and what it was put into.
struct Passed {
    field: &'static str,
    value: String,
    script: String,
    /// The assignments of values, and what each variable is to be.
    block: String,
    expected: Vec<(String, String)>,
}

/// The lines of the script that set a variable to one placeholder, or to several and plain text.
fn assignments(script: &str, values: &[(String, String)]) -> (String, Vec<(String, String)>) {
    let mut block = String::new();
    let mut expected = Vec::new();
    for line in script.lines() {
        let Some((name, rest)) = line.split_once("='") else {
            continue;
        };
        let plain = name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        let Some(inner) = rest.strip_suffix('\'').filter(|i| plain && i.contains("__")) else {
            continue;
        };
        writeln!(block, "{}", replace(line, values)).unwrap();
        expected.push((name.to_owned(), replace(inner, values)));
    }
    assert!(expected.len() > 20, "{expected:?}");
    (block, expected)
}

fn cloud() -> Cloud {
    Cloud {
        nodes: access("https://magnum.example/v1/clusters/c", None),
        trust: trust(),
        signal: "curl -i -X POST https://heat.example/signal".into(),
        wait: None,
    }
}

/// The words of a refusal name the field, as the tenant or as the template calls it.
fn names_field(said: &str, field: &str, parameter: &str) -> bool {
    // A network that is too small shows in what is to fit into it.
    let follows = field == "labels.flannel_network_cidr"
        && (said.contains("flannel_network_subnetlen") || said.contains("node_count"));
    said.contains(field) || said.contains(parameter) || follows
}

#[test]
fn every_value_is_refused_or_inert() {
    let began = Instant::now();
    let mut runner = TestRunner::deterministic();
    let strategy = hostile();
    let cloud = cloud();
    let (mut cases, mut refused) = (0_usize, BTreeMap::<&str, usize>::new());
    let mut passed: Vec<Passed> = Vec::new();
    for (number, (field, parameter, set)) in FIELDS.into_iter().enumerate() {
        for turn in 0..VALUES {
            cases += 1;
            let value = strategy.new_tree(&mut runner).unwrap().current();
            let mut cluster = kubernetes_cluster();
            set(&mut cluster, value.clone());
            let problems = driver().validate(&cluster.template, Some(&cluster));
            if !problems.is_empty() {
                let said = format!("{problems:?}");
                assert!(names_field(&said, field, parameter), "{field}: {said}");
                assert!(said.chars().all(|c| !c.is_control()), "{said:?}");
                *refused.entry(field).or_default() += 1;
                continue;
            }
            let role = if (number + turn) % 2 == 0 {
                Role::Master(0)
            } else {
                Role::Minion(0)
            };
            match filling(&cluster, role, &cloud) {
                Err(said) => {
                    assert!(names_field(&said, field, parameter), "{field}: {said}");
                    *refused.entry(field).or_default() += 1;
                }
                Ok((script, values)) => {
                    arrives(&cluster, field, parameter, &value, &cloud);
                    let (block, expected) = assignments(&script, &values);
                    passed.push(Passed {
                        field,
                        value,
                        script: replace(&script, &values),
                        block,
                        expected,
                    });
                }
            }
        }
    }
    let mut by_field = BTreeMap::<&str, usize>::new();
    for case in &passed {
        *by_field.entry(case.field).or_default() += 1;
    }
    let distinct: BTreeMap<&str, &Passed> = passed.iter().map(|c| (c.script.as_str(), c)).collect();
    let distinct: Vec<&Passed> = distinct.into_values().collect();
    run_assignments(&distinct);
    parse(&distinct);
    documents(&distinct);
    println!(
        "{cases} hostile values in {:.1} s: {} refused, {} inert in {} distinct scripts; inert by field: {by_field:?}",
        began.elapsed().as_secs_f64(),
        refused.values().sum::<usize>(),
        passed.len(),
        distinct.len()
    );
    assert!(cases >= 10_000);
    for field in [
        "http_proxy",
        "https_proxy",
        "no_proxy",
        "insecure_registry",
        "discovery_url",
        "fixed_subnet",
        "name",
    ] {
        assert!(
            by_field.get(field).is_some_and(|n| *n >= 10),
            "{field} is hardly ever taken: {by_field:?}"
        );
    }
}

/// A value that no script has is the parameter's, to the letter, and changes no script.
fn arrives(cluster: &Cluster, field: &str, parameter: &str, value: &str, cloud: &Cloud) {
    let sent = driver()
        .stack_parameters(cluster, Some(&cloud.nodes), Some(&cloud.trust))
        .unwrap();
    let elsewhere = [
        "keypair",
        "image_id",
        "external_network_id",
        "flavor_id",
        "master_flavor_id",
        "dns_nameserver",
    ];
    if elsewhere.contains(&field) {
        assert_eq!(sent[parameter], value, "{field}");
    }
    let nowhere = ["tags", "template name", "network_driver", "labels.unknown"];
    if nowhere.contains(&field) {
        let plain = driver()
            .stack_parameters(&kubernetes_cluster(), Some(&cloud.nodes), Some(&cloud.trust))
            .unwrap();
        assert_eq!(sent, plain, "{field}");
    }
    if elsewhere.contains(&field) || nowhere.contains(&field) {
        for role in [Role::Master(0), Role::Minion(0)] {
            assert_eq!(user_data(cluster, role, cloud), plain_script(role), "{field}");
        }
    }
}

/// The script of a cluster without anything hostile.
fn plain_script(role: Role) -> String {
    static PLAIN: LazyLock<[String; 2]> = LazyLock::new(|| {
        [Role::Master(0), Role::Minion(0)].map(|role| user_data(&kubernetes_cluster(), role, &cloud()))
    });
    PLAIN[usize::from(matches!(role, Role::Minion(_)))].clone()
}

/// bash gives each variable the intended value, and runs nothing else.
fn run_assignments(cases: &[&Passed]) {
    let directory = tempfile::tempdir().unwrap();
    let mut program = String::from("PATH=/usr/bin:/bin\n");
    for case in cases {
        program.push_str("(\n");
        program.push_str(&case.block);
        for (name, _) in &case.expected {
            writeln!(program, "printf '%s\\0' \"${name}\"").unwrap();
        }
        program.push_str(")\n");
    }
    let path = directory.path().join("program");
    std::fs::write(&path, program).unwrap();
    let output = Command::new("bash")
        .arg(&path)
        .current_dir(directory.path())
        .output()
        .unwrap();
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(!directory.path().join("canary").exists(), "a value was run");
    let said = String::from_utf8(output.stdout).unwrap();
    let mut read = said.split('\0');
    for case in cases {
        for (name, value) in &case.expected {
            assert_eq!(
                read.next().unwrap(),
                value,
                "{}={:?}: {name}",
                case.field,
                case.value
            );
        }
    }
    assert_eq!(read.collect::<Vec<_>>(), [""]);
}

/// bash parses the whole of each script: many in one, as functions, where one that is not whole would show.
fn parse(cases: &[&Passed]) {
    let directory = tempfile::tempdir().unwrap();
    for (number, chunk) in cases.chunks(40).enumerate() {
        let mut whole = String::new();
        for (place, case) in chunk.iter().enumerate() {
            writeln!(whole, "script_{place}() {{\n{}\n}}", case.script).unwrap();
        }
        whole.push_str("declare -F\n");
        let path = directory.path().join(number.to_string());
        std::fs::write(&path, whole).unwrap();
        let output = Command::new("bash").arg(&path).output().unwrap();
        assert!(
            output.status.success() && output.stderr.is_empty(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let functions = String::from_utf8(output.stdout).unwrap().lines().count();
        assert_eq!(
            functions,
            chunk.len(),
            "only the functions were made, and nothing was run"
        );
    }
}

/// The documents that the scripts write parse, and the registry in them is the given one.
fn documents(cases: &[&Passed]) {
    let directory = tempfile::tempdir().unwrap();
    let wanted = [
        "insecure_registry",
        "labels.kube_tag",
        "labels.flannel_network_cidr",
        "name",
    ];
    for field in wanted {
        let of_field = cases.iter().filter(|c| c.field == field).take(12);
        for case in of_field {
            let (before, _) = case.script.split_once("\nreach_cloud ").unwrap();
            let write = "put_file() { cat; printf '\\0'; }\nput_directory() { :; }\nconfigure_kube_proxy\n\
                         write_kubeconfig x \"https://$api_private_address\" kubelet\n";
            let addons = if before.contains("write_addons()") {
                "write_addons\n"
            } else {
                ""
            };
            let path = directory.path().join("script");
            std::fs::write(&path, format!("{before}\n{write}{addons}")).unwrap();
            let output = Command::new("bash")
                .arg(&path)
                .current_dir(directory.path())
                .output()
                .unwrap();
            assert!(
                output.status.success(),
                "{}",
                String::from_utf8_lossy(&output.stderr)
            );
            let said = String::from_utf8(output.stdout).unwrap();
            let values: BTreeMap<&str, &str> = case
                .expected
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect();
            let registry = values["insecure_registry"];
            let mut images = 0;
            for document in said
                .split('\0')
                .flat_map(|text| text.split("\n---\n"))
                .filter(|t| !t.is_empty())
            {
                let document = support::yaml(document);
                let pod = document["spec"]["template"]
                    .get("spec")
                    .unwrap_or(&document["spec"]);
                if let Some(image) = pod["containers"][0]["image"].as_str() {
                    images += 1;
                    let from = if registry.is_empty() {
                        "registry.k8s.io".to_owned()
                    } else {
                        format!("{registry}/google_containers")
                    };
                    assert!(image.starts_with(&format!("{from}/")), "{image}");
                }
                if document["kind"] == "Pod" {
                    let command = &pod["containers"][0]["command"];
                    assert_eq!(command[4], format!("--hostname-override={}", values["node_name"]));
                    assert_eq!(command[3], format!("--cluster-cidr={}", values["flannel_cidr"]));
                }
            }
            assert!(images >= 1);
        }
    }
    assert!(!directory.path().join("canary").exists());
}
