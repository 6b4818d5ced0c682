//! What runs on a cluster's servers, and who reaches it.

use std::fmt;

use crate::model::PoolRole;

/// Something that a driver runs on the servers of a cluster, so that who logs in, or sets up a firewall, knows.
///
/// ```
/// use magnum_core::{PoolRole, Reach, Runs, RunsAs};
/// let etcd = Runs::new("etcd", &[PoolRole::Master], RunsAs::Service)
///     .listening("2379/tcp", Reach::Server)
///     .listening("2380/tcp", Reach::Masters);
/// assert_eq!(etcd.ports[1].reach.to_string(), "masters");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Runs {
    /// Its name: of the service, or of the container.
    pub name: &'static str,
    /// On which servers.
    pub on: Vec<PoolRole>,
    /// How it is run.
    pub run_as: RunsAs,
    /// Only then, in words; always when empty.
    pub when: &'static str,
    /// Where it listens beyond loopback, or on loopback for others on its server.
    pub ports: Vec<Listens>,
}

/// How something is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunsAs {
    /// A service of the server's init system.
    Service,
    /// A container.
    Container,
}

/// A port that is listened on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listens {
    /// The port or range, and the protocol, for example `30000-32767/tcp`; with a word where it can be another.
    pub port: &'static str,
    /// Who gets through to it.
    pub reach: Reach,
}

/// Who gets through to a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Everybody who has a route.
    Everybody,
    /// The cluster's servers.
    Cluster,
    /// The cluster's masters.
    Masters,
    /// Its own server only.
    Server,
}

impl Runs {
    /// Something that runs always and listens nowhere.
    #[must_use]
    pub fn new(name: &'static str, on: &[PoolRole], run_as: RunsAs) -> Self {
        Self {
            name,
            on: on.to_vec(),
            run_as,
            when: "",
            ports: Vec::new(),
        }
    }

    /// Only when this is so.
    #[must_use]
    pub const fn when(mut self, condition: &'static str) -> Self {
        self.when = condition;
        self
    }

    /// It listens there, too.
    #[must_use]
    pub fn listening(mut self, port: &'static str, reach: Reach) -> Self {
        self.ports.push(Listens { port, reach });
        self
    }
}

impl fmt::Display for RunsAs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Service => "service",
            Self::Container => "container",
        })
    }
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Everybody => "everybody",
            Self::Cluster => "the cluster's servers",
            Self::Masters => "masters",
            Self::Server => "its own server",
        })
    }
}
