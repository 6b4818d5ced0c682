//! Every script of every driver, and every fragment that can stand alone, passes shellcheck.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::process::Command;

use magnum_core::TemplateDefinition as _;

fn check(name: &str, script: &str, options: &[&str]) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(name);
    std::fs::write(&path, script).unwrap();
    let output = Command::new("shellcheck")
        .args(options)
        .arg(&path)
        .output()
        .expect("shellcheck is needed: install it");
    assert!(
        output.status.success(),
        "{name}: {}",
        String::from_utf8_lossy(&output.stdout)
    );
}

#[test]
fn assembled_scripts() {
    let mut scripts: BTreeMap<String, String> = magnum_drivers::docker_ubuntu()
        .definition()
        .template()
        .files
        .clone();
    scripts.extend(
        magnum_drivers::k8s_fedora_atomic()
            .definition()
            .template()
            .files
            .clone(),
    );
    scripts.retain(|name, _| name.ends_with(".sh"));
    assert_eq!(
        scripts.keys().collect::<Vec<_>>(),
        ["kubemaster.sh", "kubeminion.sh", "node.sh"]
    );
    for (name, script) in scripts {
        check(&name, &script, &["-S", "warning"]);
    }
}

/// Alone, a fragment has variables that only others set or read, and placeholders that are filled in later.
#[test]
fn fragments() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/src/common/script");
    let mut checked = 0;
    let value = regex::Regex::new(r"\{\{[a-z_]+\}\}").unwrap();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let filled = value.replace_all(&text, "value");
        let name = path.file_name().unwrap().to_str().unwrap();
        let options = ["--shell=bash", "-S", "warning", "--exclude=SC2034,SC2154,SC2016"];
        check(name, &filled, &options);
        checked += 1;
    }
    assert!(checked >= 11, "{checked}");
}
