//! How a simulated cloud is described before it is there.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use magnum_core::{Clock, SystemClock};

use super::cloud::{Shared, SimCloud};
use super::dispatch;
use super::guest::Guest;
use super::pace::Pace;
use super::request_log::RequestLog;
use super::world::World;
use super::world::identity::TOKEN_LIFETIME;

/// Describes a [`SimCloud`].
#[derive(Debug)]
pub struct SimCloudBuilder {
    clock: Arc<dyn Clock>,
    seed: u64,
    pace: Pace,
    token_lifetime: Duration,
    base_url: String,
    guest: Option<Arc<dyn Guest>>,
    devstack: bool,
}

impl Default for SimCloudBuilder {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            seed: 0,
            pace: Pace::default(),
            token_lifetime: TOKEN_LIFETIME,
            base_url: "http://sim.cloud".to_owned(),
            guest: None,
            devstack: false,
        }
    }
}

impl SimCloudBuilder {
    /// The clock. Default: the machine's.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// The seed of identifiers, durations and chances. Default: 0.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// How fast things are ready. Default: at once.
    #[must_use]
    pub fn pace(mut self, pace: Pace) -> Self {
        self.pace = pace;
        self
    }

    /// How long tokens live. Default: an hour.
    #[must_use]
    pub fn token_lifetime(mut self, lifetime: Duration) -> Self {
        self.token_lifetime = lifetime;
        self
    }

    /// The URL before every service's prefix, until the cloud is served. Default: `http://sim.cloud`.
    #[must_use]
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = url.into().trim_end_matches('/').to_owned();
        self
    }

    /// Runs this on every server that is up, as a task of its own, in place of the default guest, which
    /// sends the signals that it finds in its user data.
    #[must_use]
    pub fn guest(mut self, guest: Arc<dyn Guest>) -> Self {
        self.guest = Some(guest);
        self
    }

    /// Fills the cloud as a small devstack has it: projects demo, demo2, service and admin; users demo,
    /// demo2, admin and magnum with password `secret`; domain magnum with `magnum_domain_admin`; images,
    /// flavors, the external network `public`, and key pair `testkey` for demo, demo2 and admin.
    #[must_use]
    pub fn devstack(mut self) -> Self {
        self.devstack = true;
        self
    }

    /// The cloud.
    #[must_use]
    pub fn build(self) -> SimCloud {
        let mut world = World::new(Arc::clone(&self.clock), self.seed, self.pace, self.base_url);
        world.identity.token_lifetime = self.token_lifetime;
        world.boots.custom = self.guest.is_some();
        let cloud = SimCloud {
            shared: Arc::new(Shared {
                clock: self.clock,
                world: Mutex::new(world),
                log: Mutex::new(RequestLog::default()),
                router: dispatch::router(),
                guest: self.guest,
                mounts: Mutex::new(Vec::new()),
            }),
        };
        if self.devstack {
            super::devstack::fill(&cloud);
        }
        cloud
    }
}
