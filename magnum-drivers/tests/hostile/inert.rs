//! What bash and YAML make of values that came through.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::Command;

use crate::{Passed, support};

/// bash gives each variable the intended value, and runs nothing else.
pub(crate) fn run_assignments(cases: &[Passed]) {
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
pub(crate) fn parse(cases: &[Passed]) {
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

/// The documents that the scripts of Kubernetes write parse, and the registry in them is the given one.
pub(crate) fn documents(cases: &[Passed]) {
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
                "certs=.\n: >ca.crt\nwrite_addons\n"
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
