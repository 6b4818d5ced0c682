//! What is different on CoreOS, and on machines of Ironic.

use magnum_core::Cluster;

use crate::support::kubernetes::*;
use crate::{BOTH, ENDPOINT};

fn open(driver: &str) -> Cluster {
    let mut cluster = cluster_of(driver);
    cluster.template.tls_disabled = true;
    cluster
}

#[test]
fn docker_of_coreos_gets_its_registry_and_proxies_by_drop_ins() {
    let mut cluster = open(COREOS);
    cluster.template.insecure_registry = Some("[2001:db8::1]:5000".into());
    cluster.template.http_proxy = Some("http://user:p%40ss@proxy.example:3128".into());
    cluster.template.no_proxy = Some("example.org".into());
    for role in BOTH {
        let server = KubeServer::new(&cluster, role, &ENDPOINT);
        server.comes_up();
        assert_eq!(
            server.read("/etc/systemd/system/docker.service.d/magnum-registry.conf"),
            "[Service]\nEnvironment=\"DOCKER_OPTS=--insecure-registry=[2001:db8::1]:5000\"\n"
        );
        let proxies = server.read("/etc/systemd/system/docker.service.d/magnum-proxy.conf");
        assert!(
            proxies.starts_with(
                "[Service]\nEnvironment=\"HTTP_PROXY=http://user:p%%40ss@proxy.example:3128\"\n"
            ),
            "{proxies}"
        );
        assert!(proxies.contains("NO_PROXY=example.org,localhost,"), "{proxies}");
        for path in ["/usr", "/etc/sysconfig", "/etc/fstab", "/var/lib/docker"] {
            assert!(!server.path(path).exists(), "{path}");
        }
        let pulls = server.commands_of("docker");
        assert!(
            pulls.contains(&"docker pull [2001:db8::1]:5000/google_containers/hyperkube:v1.15.7".to_owned()),
            "{pulls:?}"
        );
    }
}

#[test]
fn an_image_without_the_updates_of_coreos_is_as_good() {
    let server = KubeServer::new(&open(COREOS), Role::Minion(0), &ENDPOINT);
    server.fail_call("systemctl --quiet mask --now update-engine.service locksmithd.service");
    server.comes_up();
    assert_eq!(server.signal()["status"], "SUCCESS");
}

#[test]
fn the_api_server_of_coreos_is_a_container_that_reads_what_it_is_told() {
    let pod = "/etc/kubernetes/manifests/kube-apiserver.yaml";
    let on_unit = KubeServer::new(&cluster_of(ATOMIC), Role::Master(0), &ENDPOINT);
    on_unit.configures();
    assert!(!on_unit.path(pod).exists());
    let server = KubeServer::new(&cluster_of(COREOS), Role::Master(0), &ENDPOINT);
    server.configures();
    assert_eq!(
        server.pod_arguments("kube-apiserver")[2..],
        on_unit.arguments("/etc/kubernetes/apiserver")
    );
    let text = server.plain(pod);
    for argument in server.pod_arguments("kube-apiserver") {
        if let Some((_, path)) = argument.split_once("=/") {
            let directory = format!("/{}", path.rsplit_once('/').unwrap().0);
            let mounted = text
                .lines()
                .any(|line| line.contains("mountPath: ") && directory.starts_with(mount(line)));
            assert!(mounted, "{argument}: {text}");
        }
    }
    let without = KubeServer::new(&open(COREOS), Role::Master(0), &ENDPOINT);
    without.configures();
    assert!(!without.plain(pod).contains("/etc/etcd"));
}

fn mount(line: &str) -> &str {
    let (_, rest) = line.split_once("mountPath: ").unwrap();
    rest.split(',').next().unwrap()
}

fn machine(storage: &str) -> KubeServer {
    let mut cluster = open(IRONIC);
    cluster.template.docker_storage_driver = Some(storage.into());
    KubeServer::new(&cluster, Role::Minion(0), &ENDPOINT)
}

#[test]
fn the_ephemeral_disk_of_a_machine_is_taken_from_where_the_image_mounted_it() {
    let server = machine("overlay");
    let disk = server.path("/dev/disk/sdb").display().to_string();
    server.write(
        "/etc/fstab",
        &format!("/dev/sda1 / xfs defaults 0 0\n{disk} /mnt auto defaults,nofail 0 2\n{disk}1 /other xfs defaults 0 0\n"),
    );
    server.configures();
    let calls = crate::tree::commands(&server);
    assert_eq!(
        calls[2..7],
        [
            "findmnt --source /dev/disk/sdb",
            "umount --all-targets /dev/disk/sdb",
            "wipefs --all --quiet /dev/disk/sdb",
            "mkfs.xfs -f -n ftype=1 -L ephemeral0 /dev/disk/sdb",
            "mount /var/lib/docker"
        ]
    );
    assert_eq!(
        server.plain("/etc/fstab"),
        "/dev/sda1 / xfs defaults 0 0\n/dev/disk/sdb1 /other xfs defaults 0 0\n\
         LABEL=ephemeral0 /var/lib/docker xfs defaults,nofail 0 0\n"
    );
}

#[test]
fn a_disk_that_is_not_mounted_is_not_unmounted() {
    let server = machine("devicemapper");
    server.fail_call(&format!(
        "findmnt --source {}",
        server.path("/dev/disk/sdb").display()
    ));
    server.configures();
    assert!(server.commands_of("umount").is_empty());
    assert_eq!(server.commands_of("vgcreate").len(), 1);
}

#[test]
fn a_machine_without_an_ephemeral_disk_says_what_its_flavor_lacks() {
    let server = machine("devicemapper");
    std::fs::remove_file(server.path("/dev/disk/by-label/ephemeral0")).unwrap();
    assert_eq!(
        server.reason(&server.configure()),
        "prepare the storage of Docker: there is no disk labelled ephemeral0: the flavor must have an ephemeral disk"
    );
    assert!(server.commands_of("wipefs").is_empty());
}
