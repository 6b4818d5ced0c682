//! Kubernetes' stack on Fedora Atomic.

use magnum_core::{RunsAs, ServerType};

use super::version::{DRIVER, VERSION};
use crate::common::docker;
use crate::common::kubernetes::{APISERVER_UNIT, Distribution, Storage};

pub(super) static DISTRIBUTION: Distribution = Distribution {
    driver: DRIVER,
    version: VERSION,
    server_type: ServerType::Vm,
    os: "fedora-atomic",
    login: "fedora",
    image: "Fedora Atomic Host 26 to 29, as published",
    apiserver_as: RunsAs::Service,
    programs: "/usr/local/bin",
    storage: Storage::Volume,
    existing_network: false,
    template: include_str!("templates/kubecluster.yaml"),
    docker: &[docker::VOLUME, docker::FEDORA],
    apiserver: APISERVER_UNIT,
    notes: include_str!("notes.md"),
};
