//! Docker's storage on the server's volume.

use crate::support::kubernetes::*;
use crate::{BOTH, ENDPOINT};

fn with_driver(driver: &str) -> magnum_core::Cluster {
    let mut cluster = kubernetes_cluster();
    cluster.template.tls_disabled = true;
    cluster.template.docker_storage_driver = Some(driver.into());
    cluster
}

fn device() -> String {
    format!("/dev/disk/by-id/virtio-{}", &VOLUME[..20])
}

#[test]
fn devicemapper_gets_a_volume_group() {
    for role in BOTH {
        let server = KubeServer::new(&with_driver("devicemapper"), role, &ENDPOINT);
        server.configures();
        let calls = crate::tree::commands(&server);
        let device = device();
        assert_eq!(
            calls[..3],
            [
                format!("wipefs --all --quiet {device}"),
                format!("pvcreate --yes {device}"),
                format!("vgcreate docker {device}")
            ]
        );
        assert_eq!(
            server.read("/etc/sysconfig/docker-storage-setup"),
            "STORAGE_DRIVER=devicemapper\nVG=docker\n"
        );
        assert_eq!(
            server.read("/etc/sysconfig/docker-storage"),
            "DOCKER_STORAGE_OPTIONS=\n"
        );
        assert!(server.read("/etc/sysconfig/docker").contains("--selinux-enabled"));
        assert!(!server.path("/etc/fstab").exists());
    }
}

#[test]
fn overlay_gets_a_file_system_and_the_newest_driver_of_the_kernel() {
    for (kernel, driver) in [
        ("3.18.0-1.fc20.x86_64", "overlay"),
        ("3.19+", "overlay"),
        ("4.0.0", "overlay2"),
        ("4.19.8-200.fc28.x86_64", "overlay2"),
        ("5.2-rc1", "overlay2"),
    ] {
        let server = KubeServer::new(&with_driver("overlay"), Role::Minion(0), &ENDPOINT);
        std::fs::write(server.beside("kernel"), kernel).unwrap();
        server.write(
            "/etc/fstab",
            "/dev/vda1 / xfs defaults 0 0\n/dev/old /var/lib/docker xfs defaults 0 0\n",
        );
        let text = server
            .read("/etc/fstab")
            .replace("/var/lib", &server.path("/var/lib").display().to_string());
        server.write("/etc/fstab", &text);
        server.configures();
        let calls = crate::tree::commands(&server);
        let device = device();
        for call in [
            format!("mkfs.xfs -f -n ftype=1 {device}"),
            "mount /var/lib/docker".to_owned(),
        ] {
            assert!(calls.contains(&call), "{call}: {calls:?}");
        }
        assert!(!calls.iter().any(|c| c.starts_with("pvcreate")), "{calls:?}");
        assert_eq!(
            server.plain("/etc/fstab"),
            format!("/dev/vda1 / xfs defaults 0 0\n{device} /var/lib/docker xfs defaults,nofail 0 0\n")
        );
        assert_eq!(server.mode("/var/lib/docker"), 0o711);
        assert_eq!(
            server.read("/etc/sysconfig/docker-storage-setup"),
            format!("STORAGE_DRIVER={driver}\n"),
            "{kernel}"
        );
        assert_eq!(
            server.read("/etc/sysconfig/docker"),
            "OPTIONS=' --log-driver=journald'\n"
        );
    }
}

#[test]
fn overlay_on_an_old_kernel_is_refused_before_anything_is_wiped() {
    for kernel in ["3.10.0-957.el7.x86_64", "2.6.32", "3.17.9"] {
        let server = KubeServer::new(&with_driver("overlay"), Role::Master(0), &ENDPOINT);
        std::fs::write(server.beside("kernel"), kernel).unwrap();
        let reason = server.reason(&server.configure());
        assert_eq!(
            reason,
            format!(
                "prepare the storage of Docker: the overlay storage driver needs a kernel of 3.18 or newer; this is \
                 {kernel}"
            )
        );
        assert!(server.commands_of("wipefs").is_empty());
    }
}

#[test]
fn a_volume_that_comes_late_is_waited_for_and_one_that_never_comes_fails_the_server() {
    let server = KubeServer::new(&with_driver("devicemapper"), Role::Minion(0), &ENDPOINT);
    std::fs::remove_file(server.path(&device())).unwrap();
    let reason = server.reason(&server.configure());
    assert_eq!(
        reason,
        format!(
            "prepare the storage of Docker: the volume {VOLUME} does not show under {}",
            server.path("/dev/disk/by-id").display()
        )
    );
    assert_eq!(server.commands_of("sleep").len(), 300);
    assert_eq!(server.commands_of("udevadm").len(), 30);
    assert!(
        server.commands_of("wipefs").is_empty(),
        "the partition is not the volume"
    );
    // The same server, once it is there.
    server.forget();
    server.write(&device(), "");
    server.configures();
    assert_eq!(server.commands_of("wipefs").len(), 1);
}
