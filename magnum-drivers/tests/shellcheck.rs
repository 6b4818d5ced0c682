//! Every script of every driver, and every fragment that can stand alone, passes shellcheck.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::process::Command;

use magnum_core::{StackDriver, TemplateDefinition};

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

/// The files of a driver's stack.
fn files<T: TemplateDefinition>(driver: &StackDriver<T>) -> BTreeMap<String, String> {
    driver.definition().template().files.clone()
}

#[test]
fn assembled_scripts() {
    let drivers = [
        files(&magnum_drivers::docker_ubuntu()),
        files(&magnum_drivers::k8s_coreos()),
        files(&magnum_drivers::k8s_fedora_atomic()),
        files(&magnum_drivers::k8s_fedora_ironic()),
        files(&magnum_drivers::mesos_ubuntu()),
        files(&magnum_drivers::swarm_fedora_atomic()),
    ];
    assert_eq!(drivers.len(), magnum_drivers::all().len(), "a driver is left out");
    for files in drivers {
        let mut scripts = 0;
        for (name, script) in files.into_iter().filter(|(name, _)| name.ends_with(".sh")) {
            check(&name, &script, &["-S", "warning"]);
            scripts += 1;
        }
        assert!(scripts > 0);
    }
}

/// CoreOS has bash 4.3, and so has Ubuntu 14.04: under `set -u` an array without elements is unset for it.
#[test]
fn arrays_that_may_be_empty() {
    let of_old_bash = [
        files(&magnum_drivers::k8s_coreos()),
        files(&magnum_drivers::k8s_fedora_atomic()),
        files(&magnum_drivers::k8s_fedora_ironic()),
        files(&magnum_drivers::mesos_ubuntu()),
        files(&magnum_drivers::swarm_fedora_atomic()),
    ];
    let empty = regex::Regex::new(r"\b([a-z_]+)=\(\)").unwrap();
    let mut found = 0;
    for (name, script) in of_old_bash.into_iter().flatten() {
        for array in empty.captures_iter(&script).map(|found| found[1].to_owned()) {
            let all = format!("\"${{{array}[@]}}\"");
            let if_any = format!("${{{array}[@]+{all}}}");
            assert!(
                script.contains(&if_any),
                "{name}: nothing reads {array} as {if_any}"
            );
            assert!(
                !script.replace(&if_any, "").contains(&all),
                "{name}: {array} may be empty"
            );
            found += 1;
        }
    }
    assert!(found >= 3, "{found}");
}

/// Alone, a fragment has variables that only others set or read, and placeholders that are filled in later.
#[test]
fn fragments() {
    let directories = [
        "common/script",
        "common/kubernetes/templates",
        "k8s_coreos/templates",
        "mesos_ubuntu/templates",
        "swarm_fedora_atomic/templates",
    ];
    let mut checked = 0;
    let value = regex::Regex::new(r"\{\{[a-z_]+\}\}").unwrap();
    let entries = directories.into_iter().flat_map(|directory| {
        std::fs::read_dir(format!("{}/src/{directory}", env!("CARGO_MANIFEST_DIR"))).unwrap()
    });
    for entry in entries {
        let path = entry.unwrap().path();
        // What begins as a script has fragments within, and is checked when it is assembled.
        if path.extension() != Some("sh".as_ref())
            || std::fs::read_to_string(&path).unwrap().starts_with("#!")
        {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let filled = value.replace_all(&text, "value");
        let name = path.file_name().unwrap().to_str().unwrap();
        let options = ["--shell=bash", "-S", "warning", "--exclude=SC2034,SC2154,SC2016"];
        check(name, &filled, &options);
        checked += 1;
    }
    assert!(checked >= 20, "{checked}");
}

/// What builds images: programs, and the hooks of elements, which have no ending.
#[test]
fn images() {
    let mut pending = vec![std::path::PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/src"
    ))];
    let mut checked = 0;
    while let Some(directory) = pending.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                pending.push(path);
                continue;
            }
            let of_image = path.components().any(|part| part.as_os_str() == "image");
            let text = std::fs::read_to_string(&path).unwrap();
            if of_image && text.starts_with("#!") {
                let name = path.file_name().unwrap().to_str().unwrap();
                check(name, &text, &["-S", "style"]);
                let mode = std::os::unix::fs::PermissionsExt::mode(&path.metadata().unwrap().permissions());
                assert_eq!(mode & 0o111, 0o111, "{} cannot be run", path.display());
                checked += 1;
            }
        }
    }
    assert!(checked >= 8, "{checked}");
}
