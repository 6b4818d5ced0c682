//! What a driver says of itself: the kinds of cluster that it makes, and what it can do.

use std::collections::BTreeMap;
use std::fmt;

use super::{Effect, Runs, Software};
use crate::model::{ClusterTemplate, ServerType};

/// A kind of cluster: (server type, image's `os_distro`, COE).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClusterType {
    /// Virtual or bare metal.
    pub server_type: ServerType,
    /// The image's `os_distro`.
    pub os: String,
    /// The container orchestration engine.
    pub coe: String,
}

impl ClusterType {
    /// A kind of cluster.
    pub fn new(server_type: ServerType, os: impl Into<String>, coe: impl Into<String>) -> Self {
        Self {
            server_type,
            os: os.into(),
            coe: coe.into(),
        }
    }
}

impl fmt::Display for ClusterType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({}, {}, {})", self.server_type, self.os, self.coe)
    }
}

/// A choice with its default, for example the container network drivers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// What may be chosen.
    pub allowed: Vec<String>,
    /// What is taken when nothing is chosen.
    pub default: Option<String>,
}

/// Form of a label's value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LabelType {
    /// `true` or `false`.
    Boolean,
    /// A whole number within limits.
    Integer {
        /// The least.
        min: i64,
        /// The most.
        max: i64,
    },
    /// One of these.
    OneOf(Vec<String>),
    /// An IPv4 network in CIDR notation.
    Ipv4Cidr,
    /// Some of these, each once, separated by commas.
    SomeOf(Vec<String>),
    /// The absolute path of a directory or file: letters, digits and `. _ - /`, no `..`.
    Path,
    /// Any text of at most so many bytes, of which the driver says more.
    Text {
        /// The most bytes.
        most: usize,
    },
    /// A version like `v1.15.7`.
    Version {
        /// The oldest.
        least: String,
        /// The newest.
        most: String,
    },
}

/// A label that a driver knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelSchema {
    /// Its key.
    pub key: String,
    /// Form of its value.
    pub value: LabelType,
    /// Its value when it is not given.
    pub default: Option<String>,
    /// What it does, in a sentence.
    pub meaning: String,
}

/// What a driver is and can do. The service checks requests against it before any side effect.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DriverDescriptor {
    /// Its name, for example `docker_ubuntu`.
    pub name: String,
    /// Its version, for example `1.0.0`.
    pub version: String,
    /// The kinds of cluster that it makes.
    pub provides: Vec<ClusterType>,
    /// Software that its scripts install, by name.
    pub software: BTreeMap<String, Software>,
    /// Container network drivers.
    pub network_drivers: Choice,
    /// Drivers for persistent volumes.
    pub volume_drivers: Choice,
    /// Docker storage drivers.
    pub storage_drivers: Choice,
    /// Size in GB of each server's volume for images and containers when none is given; 0 where there is one only when a
    /// size is given; `None` where the driver makes no such volumes.
    pub docker_volume_size: Option<u32>,
    /// Labels.
    pub labels: Vec<LabelSchema>,
    /// Whether its COE can be protected by TLS.
    pub tls: bool,
    /// The least and the most masters.
    pub masters: (u32, u32),
    /// Whether it can put a load balancer in front of the masters.
    pub master_lb: bool,
    /// Whether the number of nodes can change.
    pub scalable: bool,
    /// Whether those who leave can be named when the number of nodes shrinks.
    pub named_removal: bool,
    /// Whether its servers find each other through a discovery URL.
    pub discovery: bool,
    /// Whether it can make a registry in the cluster.
    pub registry: bool,
    /// Whether it can use an existing network.
    pub fixed_network: bool,
    /// Whether it can use nothing else: its servers are on a network that exists.
    pub only_fixed_network: bool,
    /// Whether clusters without floating IPs work.
    pub private_only: bool,
    /// Whether the COE's port can be chosen.
    pub apiserver_port: bool,
    /// Login name on its servers.
    pub login: String,
    /// Which images it works with, in a sentence.
    pub image: String,
    /// What runs on its servers, and where that listens.
    pub runs: Vec<Runs>,
    /// Where its top template is, from the directory of its sources; `None` where there is none, since another
    /// orchestrator than Heat makes its clusters.
    pub template_path: Option<String>,
    /// What else its users should know, in Markdown, for the driver's page.
    pub notes: String,
}

impl DriverDescriptor {
    /// A driver that can do nothing in particular; set what it can.
    pub fn new(name: impl Into<String>, version: impl Into<String>, provides: Vec<ClusterType>) -> Self {
        Self {
            name: name.into(),
            version: version.into(),
            provides,
            software: BTreeMap::new(),
            network_drivers: Choice::default(),
            volume_drivers: Choice::default(),
            storage_drivers: Choice::default(),
            docker_volume_size: None,
            labels: Vec::new(),
            tls: false,
            masters: (1, 1),
            master_lb: false,
            scalable: false,
            named_removal: false,
            discovery: false,
            registry: false,
            fixed_network: false,
            only_fixed_network: false,
            private_only: false,
            apiserver_port: false,
            login: String::new(),
            image: String::new(),
            runs: Vec::new(),
            template_path: None,
            notes: String::new(),
        }
    }
}

impl DriverDescriptor {
    /// What another value of an attribute does, as far as the descriptor tells: see [`super::ClusterDriver::effect`].
    #[must_use]
    pub fn effect(&self, attribute: &str) -> Effect {
        match attribute {
            "node_count" if self.scalable => Effect::InPlace,
            _ => Effect::Impossible,
        }
    }
}

impl ClusterTemplate {
    /// The kind of cluster that it makes.
    #[must_use]
    pub fn cluster_type(&self) -> ClusterType {
        ClusterType::new(
            self.spec.server_type,
            self.cluster_distro.clone(),
            self.spec.coe.clone(),
        )
    }
}
