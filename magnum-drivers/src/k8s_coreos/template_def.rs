//! Kubernetes' stack on CoreOS.

use magnum_core::ServerType;

use super::version::{DRIVER, VERSION};
use crate::common::kubernetes::{Distribution, Storage};

pub(super) static DISTRIBUTION: Distribution = Distribution {
    driver: DRIVER,
    version: VERSION,
    server_type: ServerType::Vm,
    os: "coreos",
    login: "core",
    // Below /usr nothing can be written.
    programs: "/opt/bin",
    storage: Storage::Image,
    existing_network: false,
    template: include_str!("templates/kubecluster.yaml"),
    docker: &[include_str!("templates/docker.sh")],
    apiserver: include_str!("templates/apiserver.sh"),
    notes: include_str!("notes.md"),
};
