//! The hooks of the image's elements, run in a scratch root with recorders in the place of apt and services.

use std::process::{Command, Output};

use crate::support::scratch::Scratch;
use crate::support::server::Server;

const IMAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/mesos_ubuntu/image");

const COMMANDS: [&str; 8] = [
    "apt-get",
    "apt-key",
    "apt-mark",
    "add-apt-repository",
    "service",
    "disk-image-create",
    "qemu-img",
    "systemctl",
];

fn scratch() -> Scratch {
    let scratch = Scratch::new(&COMMANDS, Server::start(|_| (200, "the key".into())));
    std::fs::create_dir_all(scratch.path("/etc/init")).unwrap();
    scratch
}

/// Runs a hook whose paths below `/etc` are in the scratch root.
fn run(scratch: &Scratch, hook: &str, variables: &[(&str, &str)]) -> Output {
    let text = std::fs::read_to_string(format!("{IMAGE}/{hook}")).unwrap();
    scratch.install("hook", &text, &["/etc/"]);
    let home = scratch.directory.path();
    Command::new("/bin/bash")
        .arg(scratch.beside("hook"))
        .env_clear()
        .envs(variables.iter().copied())
        .env("PATH", format!("{}:/usr/bin:/bin", home.join("bin").display()))
        .env("SCRATCH_HOME", home)
        .output()
        .unwrap()
}

fn succeeded(output: &Output) {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn the_repositories_are_the_given_ones_and_nothing_without_them() {
    for (element, name, then) in [
        (
            "mesos/pre-install.d/10-mesos-repository",
            "MESOS",
            &["add-apt-repository --yes ppa:openjdk-r/ppa", "apt-get update"][..],
        ),
        (
            "docker/pre-install.d/10-docker-repository",
            "DOCKER",
            &["apt-get update"],
        ),
    ] {
        let scratch = scratch();
        let (repository, key_url) = (format!("DIB_{name}_REPOSITORY"), format!("DIB_{name}_KEY"));
        let given = (repository.as_str(), "http://mirror.example/ubuntu trusty main");
        for missing in [&[][..], &[given]] {
            let output = run(&scratch, element, missing);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(
                !output.status.success() && said.contains(&format!("DIB_{name}_")),
                "{said}"
            );
            assert!(scratch.commands().is_empty());
        }
        let key = format!("http://{}/key.asc", scratch.heat.address);
        succeeded(&run(
            &scratch,
            element,
            &[given, (key_url.as_str(), key.as_str())],
        ));
        assert_eq!(
            scratch.read(&format!("/etc/apt/sources.list.d/{}.list", name.to_lowercase())),
            "deb http://mirror.example/ubuntu trusty main\n"
        );
        let calls = scratch.commands();
        assert!(calls[0].starts_with("apt-key add /"), "{calls:?}");
        assert_eq!(calls[1..], *then);
        assert_eq!(scratch.heat.asked("/key.asc").len(), 1);
    }
}

#[test]
fn exactly_the_versions_of_the_documents_are_installed_and_held() {
    let plain = scratch();
    succeeded(&run(&plain, "mesos/install.d/50-mesos", &[]));
    assert_eq!(
        plain.commands(),
        [
            "apt-get install --yes --no-install-recommends mesos=0.25.0-0.2.70.ubuntu1404 \
             marathon=0.11.1-1.0.432.ubuntu1404",
            "apt-mark hold mesos marathon"
        ]
    );
    let readme = std::fs::read_to_string(format!("{IMAGE}/mesos/README.md")).unwrap();
    for version in ["0.25.0-0.2.70.ubuntu1404", "0.11.1-1.0.432.ubuntu1404"] {
        assert!(readme.contains(version), "{version}");
    }
    let docker = scratch();
    succeeded(&run(&docker, "docker/install.d/50-docker", &[]));
    assert_eq!(
        docker.commands(),
        [
            "apt-get install --yes --no-install-recommends docker-engine=1.13.1-0~ubuntu-trusty",
            "apt-mark hold docker-engine"
        ]
    );
    let others = scratch();
    let variables = [("DIB_MESOS_VERSION", "1.0"), ("DIB_MARATHON_VERSION", "1.1")];
    succeeded(&run(&others, "mesos/install.d/50-mesos", &variables));
    assert!(others.commands()[0].ends_with("mesos=1.0 marathon=1.1"));
}

#[test]
fn nothing_starts_by_itself() {
    let scratch = scratch();
    scratch.fail("service", "not running");
    succeeded(&run(&scratch, "mesos/post-install.d/60-mesos-by-hand", &[]));
    for name in ["zookeeper", "mesos-master", "mesos-slave", "marathon"] {
        assert_eq!(scratch.read(&format!("/etc/init/{name}.override")), "manual\n");
        assert!(scratch.commands().contains(&format!("service {name} stop")));
    }
    succeeded(&run(&scratch, "docker/post-install.d/60-docker-by-hand", &[]));
    assert_eq!(scratch.read("/etc/init/docker.override"), "manual\n");
}

#[test]
fn an_element_names_what_it_needs() {
    for element in ["docker", "mesos"] {
        let dependencies = std::fs::read_to_string(format!("{IMAGE}/{element}/element-deps")).unwrap();
        assert_eq!(dependencies, "package-installs\n", "{element}");
    }
    let packages = std::fs::read_to_string(format!("{IMAGE}/mesos/package-installs.yaml")).unwrap();
    assert!(crate::support::yaml(&packages).is_object());
}

#[test]
fn an_image_is_built_of_both_elements_and_checked() {
    let scratch = scratch();
    let built = scratch.beside("ubuntu-mesos.qcow2");
    let build = |path: &str| {
        Command::new(format!("{IMAGE}/build_image.sh"))
            .arg(path)
            .env_clear()
            .env(
                "PATH",
                format!("{}:/usr/bin:/bin", scratch.beside("bin").display()),
            )
            .env("SCRATCH_HOME", scratch.directory.path())
            .output()
            .unwrap()
    };
    // The recorder makes no image.
    let output = build(built.to_str().unwrap());
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("is not a file"));
    let file = std::fs::File::create(&built).unwrap();
    file.set_len(681_574_399).unwrap();
    let output = build(built.to_str().unwrap());
    assert!(String::from_utf8_lossy(&output.stderr).contains("too few for an image with Mesos"));
    file.set_len(681_574_400).unwrap();
    let output = build(built.to_str().unwrap());
    succeeded(&output);
    assert!(
        String::from_utf8_lossy(&output.stdout)
            .ends_with(&format!("Image file {} created...\n", built.display()))
    );
    let expected = format!("disk-image-create -o {} ubuntu vm docker mesos", built.display());
    assert!(scratch.commands().contains(&expected), "{:?}", scratch.commands());
    scratch.fail("qemu-img", "leaked clusters");
    let output = build(built.to_str().unwrap());
    assert!(String::from_utf8_lossy(&output.stderr).contains("is damaged"));
}

/// The element of the image for bare metal is as small.
#[test]
fn docker_of_machines_waits_for_its_disk() {
    let scratch = scratch();
    succeeded(&run(
        &scratch,
        "../../k8s_fedora_ironic/image/docker-storage/post-install.d/60-docker-waits",
        &[],
    ));
    assert_eq!(
        scratch.commands(),
        ["systemctl disable docker.service docker-storage-setup.service"]
    );
}
