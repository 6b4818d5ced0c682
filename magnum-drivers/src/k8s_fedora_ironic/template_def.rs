//! Kubernetes' stack on machines of Ironic with Fedora.

use magnum_core::{RunsAs, ServerType};

use super::version::{DRIVER, VERSION};
use crate::common::docker;
use crate::common::kubernetes::{APISERVER_UNIT, Distribution, Storage};

pub(super) static DISTRIBUTION: Distribution = Distribution {
    driver: DRIVER,
    version: VERSION,
    server_type: ServerType::Bm,
    os: "fedora",
    login: "fedora",
    image: "Fedora 26 to 29 for bare metal with Docker and its storage set-up tool, by diskimage-builder",
    apiserver_as: RunsAs::Service,
    programs: "/usr/local/bin",
    storage: Storage::Ephemeral,
    existing_network: true,
    template: include_str!("templates/kubecluster.yaml"),
    docker: &[docker::EPHEMERAL, docker::FEDORA],
    apiserver: APISERVER_UNIT,
    notes: include_str!("notes.md"),
};
