//! Kubernetes' stack on CoreOS.

use magnum_core::{RunsAs, ServerType};

use super::version::{DRIVER, VERSION};
use crate::common::kubernetes::{Distribution, Storage};

pub(super) static DISTRIBUTION: Distribution = Distribution {
    driver: DRIVER,
    version: VERSION,
    server_type: ServerType::Vm,
    os: "coreos",
    login: "core",
    image: "CoreOS Container Linux 1632 to 2512, as published",
    apiserver_as: RunsAs::Container,
    // Below /usr nothing can be written.
    programs: "/opt/bin",
    storage: Storage::Image,
    existing_network: false,
    template: include_str!("templates/kubecluster.yaml"),
    docker: &[include_str!("templates/docker.sh")],
    apiserver: include_str!("templates/apiserver.sh"),
    notes: include_str!("notes.md"),
};
