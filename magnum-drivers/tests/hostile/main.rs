//! Hostile values of tenants: each is refused with its field's name, or it is inert in scripts and documents.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/mod.rs"]
mod support;

mod inert;
mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::LazyLock;
use std::time::Instant;

use magnum_core::Cluster;
use proptest::strategy::Strategy as _;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use support::heat::replace;
use support::stacks::*;
use values::{fields, hostile};

/// A value that came through, and what it was put into.
pub(crate) struct Passed {
    pub(crate) field: &'static str,
    pub(crate) value: String,
    pub(crate) script: String,
    /// The assignments of values, and what each variable is to be.
    pub(crate) block: String,
    pub(crate) expected: Vec<(String, String)>,
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
    assert!(expected.len() >= 8, "{expected:?}");
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
fn every_value_is_refused_or_inert_in_kubernetes() {
    of_driver(ATOMIC, 420);
}

/// The drivers of Kubernetes share their text, so fewer will do.
#[test]
fn every_value_is_refused_or_inert_in_kubernetes_elsewhere() {
    of_driver(COREOS, 40);
    of_driver(IRONIC, 40);
}

#[test]
fn every_value_is_refused_or_inert_in_mesos() {
    of_driver(MESOS, 200);
}

/// It has its shared fragments, too.
#[test]
fn every_value_is_refused_or_inert_in_swarm() {
    of_driver(SWARM, 200);
}

fn of_driver(name: &str, values_of_each: usize) {
    let driver = driver_named(name);
    let began = Instant::now();
    let mut runner = TestRunner::deterministic();
    let strategy = hostile();
    let cloud = cloud();
    let (mut cases, mut refused) = (0_usize, BTreeMap::<&str, usize>::new());
    let mut by_field = BTreeMap::<&str, usize>::new();
    let mut seen = BTreeSet::new();
    let mut distinct: Vec<Passed> = Vec::new();
    for (number, (field, parameter, set)) in fields(name).enumerate() {
        for turn in 0..values_of_each {
            cases += 1;
            let value = strategy.new_tree(&mut runner).unwrap().current();
            let mut cluster = cluster_of(name);
            set(&mut cluster, value.clone());
            let problems = driver.validate(&cluster.template, Some(&cluster));
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
                    arrives(&cluster, (field, parameter, &value), (role, &values));
                    *by_field.entry(field).or_default() += 1;
                    // Most are the same script, or fill it in the same way.
                    if seen.insert((role == Role::Master(0), values.clone())) {
                        let (block, expected) = assignments(&script, &values);
                        distinct.push(Passed {
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
    }
    inert::run_assignments(&distinct);
    inert::parse(&distinct);
    if KUBERNETES.contains(&name) {
        inert::documents(&distinct);
    }
    println!(
        "{name}: {cases} hostile values in {:.1} s: {} refused, {} inert in {} distinct scripts; inert by field: {by_field:?}",
        began.elapsed().as_secs_f64(),
        refused.values().sum::<usize>(),
        by_field.values().sum::<usize>(),
        distinct.len()
    );
    assert!(cases >= values_of_each * 20);
    for field in [
        "http_proxy",
        "https_proxy",
        "no_proxy",
        "insecure_registry",
        "discovery_url",
        "fixed_subnet",
        "name",
    ] {
        // Mesos has neither.
        if name == MESOS && ["insecure_registry", "discovery_url"].contains(&field) {
            continue;
        }
        assert!(
            by_field.get(field).is_some_and(|n| *n >= values_of_each / 42),
            "{field} is hardly ever taken: {by_field:?}"
        );
    }
}

/// A value that no script has is the parameter's, to the letter, and changes no script.
fn arrives(
    cluster: &Cluster,
    (field, parameter, value): (&str, &str, &str),
    (role, values): (Role, &[(String, String)]),
) {
    let cloud = cloud();
    let driver = driver_named(&cluster.driver.name);
    let sent = driver
        .stack_parameters(cluster, Some(&cloud.nodes), Some(&cloud.trust))
        .unwrap();
    let elsewhere = [
        "keypair",
        "image_id",
        "flavor_id",
        "master_flavor_id",
        "dns_nameserver",
    ];
    if elsewhere.contains(&field) {
        assert_eq!(sent[parameter], value, "{field}");
    }
    let nowhere = ["tags", "template name", "network_driver", "labels.unknown"];
    if nowhere.contains(&field) {
        let plain = driver
            .stack_parameters(
                &cluster_of(&cluster.driver.name),
                Some(&cloud.nodes),
                Some(&cloud.trust),
            )
            .unwrap();
        assert_eq!(sent, plain, "{field}");
    }
    if elsewhere.contains(&field) || nowhere.contains(&field) {
        assert_eq!(values, plain_values(&cluster.driver.name, role), "{field}");
    }
}

/// What is put into the script of a cluster without anything hostile.
fn plain_values(driver: &str, role: Role) -> &'static [(String, String)] {
    type Plain = BTreeMap<&'static str, [Vec<(String, String)>; 2]>;
    static PLAIN: LazyLock<Plain> = LazyLock::new(|| {
        let of = |driver| BOTH.map(|role| filling(&cluster_of(driver), role, &cloud()).unwrap().1);
        DRIVERS.into_iter().map(|driver| (driver, of(driver))).collect()
    });
    &PLAIN[driver][usize::from(matches!(role, Role::Minion(_)))]
}
