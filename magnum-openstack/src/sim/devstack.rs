//! What a small devstack has in it.

use magnum_core::Secret;

use super::cloud::SimCloud;
use super::world::identity::Target;

const PASSWORD: &str = "secret";
const DEMO_ROLES: &[&str] = &["member", "heat_stack_owner", "creator", "load-balancer_member"];

/// Fills an empty cloud. Nothing here can fail in one, so what cannot be made is left out.
pub(crate) fn fill(cloud: &SimCloud) {
    let admin_roles = [&["admin"], DEMO_ROLES].concat();
    for (name, roles) in [
        ("admin", admin_roles.as_slice()),
        ("demo", DEMO_ROLES),
        ("demo2", DEMO_ROLES),
    ] {
        let project = cloud.add_project(name);
        if let Ok(user) = cloud.add_user(name, PASSWORD, &project, roles) {
            cloud.add_keypair(&user, "testkey");
        }
    }
    let service = cloud.add_project("service");
    for name in ["magnum", "heat"] {
        // Whatever cannot be added exists already.
        let _ = cloud.add_user(name, PASSWORD, &service, &["admin", "service"]);
    }
    for (domain, admin) in [("magnum", "magnum_domain_admin"), ("heat", "heat_domain_admin")] {
        let mut world = cloud.world();
        let domain = world.create_domain(domain).id;
        if let Ok(user) = world.create_user(admin, &domain, Secret::new(PASSWORD)) {
            world.grant(&user.id, Target::Domain(domain), "admin");
        }
    }
    for (name, os_distro) in [
        ("fedora-coreos", Some("fedora-coreos")),
        ("fedora-atomic", Some("fedora-atomic")),
        ("ubuntu", Some("ubuntu")),
        ("coreos", Some("coreos")),
        ("fedora", Some("fedora")),
        ("ubuntu-mesos", Some("ubuntu")),
        ("no-distro", None),
    ] {
        cloud.add_image(name, os_distro);
    }
    for (name, ram, vcpus, disk) in [
        ("m1.tiny", 512, 1, 1),
        ("m1.small", 2048, 1, 20),
        ("m1.medium", 4096, 2, 40),
    ] {
        cloud.add_flavor(name, ram, vcpus, disk);
    }
    let _ = cloud.add_external_network("public", "172.24.4.0/24");
}
