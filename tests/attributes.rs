//! The page of attributes is whole, and what it says of tests is true.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test program: it has no users, and a panic is its verdict"
)]

use std::collections::BTreeSet;
use std::path::Path;

use magnum::*;

const PAGE: &str = include_str!("../docs/attributes.md");

/// The rows below a heading: what they are about, and the tests that they name.
fn rows(heading: &str) -> Vec<(String, String)> {
    let after = PAGE.split(&format!("## {heading}\n")).nth(1).unwrap();
    let section = after.split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").collect();
        let [what, _, _, tests] = cells.as_slice() else {
            panic!("not four cells: {line}")
        };
        let what = what.trim().trim_matches('`').to_owned();
        (what, tests.trim().to_owned())
    })
    .collect()
}

fn named(heading: &str) -> BTreeSet<String> {
    let rows = rows(heading);
    let names: BTreeSet<String> = rows.iter().map(|(name, _)| name.clone()).collect();
    assert_eq!(names.len(), rows.len(), "no row twice under {heading}");
    names
}

fn attributes(default: &serde_json::Value) -> BTreeSet<String> {
    default.as_object().unwrap().keys().cloned().collect()
}

#[test]
fn every_attribute_and_label_has_a_row() {
    assert_eq!(
        named("Cluster templates"),
        attributes(&serde_json::to_value(TemplateSpec::default()).unwrap())
    );
    let mut clusters = attributes(&serde_json::to_value(ClusterSpec::default()).unwrap());
    clusters.extend(["health_status".to_owned(), "health_status_reason".to_owned()]);
    assert_eq!(named("Clusters"), clusters);
    let drivers = magnum::drivers::all();
    let labels = drivers.iter().flat_map(|driver| &driver.descriptor().labels);
    assert_eq!(named("Labels"), labels.map(|label| label.key.clone()).collect());
}

#[test]
fn every_test_that_is_named_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut checked = 0;
    for (what, tests) in ["Cluster templates", "Clusters", "Labels"]
        .into_iter()
        .flat_map(rows)
    {
        for group in tests.split("; ") {
            let (file, names) = group
                .split_once(": ")
                .unwrap_or_else(|| panic!("{what}: {group}"));
            let path = if file.contains('/') {
                root.join(file)
            } else {
                root.join(format!("tests/{file}.rs"))
            };
            let text =
                std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            for name in names.split(", ") {
                let name = name.trim_matches('`');
                assert!(
                    text.contains(&format!("fn {name}(")),
                    "{what}: {name} in {}",
                    path.display()
                );
                checked += 1;
            }
        }
    }
    assert!(checked > 60, "{checked}");
}
