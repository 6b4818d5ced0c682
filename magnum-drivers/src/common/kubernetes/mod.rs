//! Kubernetes on any distribution: one stack, of which a distribution says what is different on it.

mod descriptor;
pub(crate) mod kubeconfig;
mod node_policy;
mod rules;
mod runs;
mod stack;
mod text;

use magnum_core::{RunsAs, ServerType};

pub use stack::KubernetesStack;

/// What is different on one distribution.
#[derive(Debug)]
pub(crate) struct Distribution {
    /// Name of the driver.
    pub(crate) driver: &'static str,
    /// Version of the driver.
    pub(crate) version: &'static str,
    pub(crate) server_type: ServerType,
    /// The image's `os_distro`.
    pub(crate) os: &'static str,
    /// Login name on the servers.
    pub(crate) login: &'static str,
    /// Which images it works with.
    pub(crate) image: &'static str,
    /// How the API server is run.
    pub(crate) apiserver_as: RunsAs,
    /// Where programs go on the servers.
    pub(crate) programs: &'static str,
    /// Where Docker keeps its images and containers.
    pub(crate) storage: Storage,
    /// Whether servers can only be on a network that exists.
    pub(crate) existing_network: bool,
    /// The top template, around what is common to all.
    pub(crate) template: &'static str,
    /// The fragments by which scripts prepare Docker: one text after the other.
    pub(crate) docker: &'static [&'static str],
    /// The fragment by which a master runs the API server.
    pub(crate) apiserver: &'static str,
    /// What users should know, in Markdown, around what is common to all.
    pub(crate) notes: &'static str,
}

/// Where Docker keeps its images and containers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Storage {
    /// On a volume of Cinder for each server.
    Volume,
    /// On the ephemeral disk of the flavor.
    Ephemeral,
    /// As the image says.
    Image,
}

/// The fragment by which a master runs the API server as a service of its own.
pub(crate) const APISERVER_UNIT: &str = include_str!("templates/apiserver_unit.sh");
