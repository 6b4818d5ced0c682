//! The state of the simulated cloud, and what its services do with it.
//!
//! Everything is evaluated lazily: a resource keeps the time at which it is ready, and its status follows
//! from [`World::now`]. Nothing runs in the background, so a test that jumps in time sees the same cloud as
//! one that waits.
//!
//! Heat's resource plug-ins and the HTTP handlers of the services call the same functions, so that a rule
//! (a quota, a dependency) holds for both.

mod attachment;
pub mod boot;
pub mod compute;
pub mod identity;
pub mod image;
pub mod key_manager;
pub mod load_balancing;
pub mod network;
pub mod volume;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use magnum_core::Clock;

use super::api_fault::ApiFault;
use super::fault::{Effect, FaultPlan};
use super::heat::Heat;
use super::pace::{Pace, real_duration};
use super::seed::Seed;
use boot::Boots;
use compute::Compute;
use identity::Identity;
use image::Images;
use key_manager::KeyManager;
use load_balancing::LoadBalancing;
use network::Networking;
use volume::Volumes;

/// What a function of the world returns.
pub type ApiResult<T> = Result<T, ApiFault>;

/// Everything the cloud knows.
#[derive(Debug)]
pub struct World {
    clock: Arc<dyn Clock>,
    as_of: Option<Timestamp>,
    pace: Pace,
    seed: Seed,
    base_url: String,
    former_base_urls: Vec<String>,
    region: String,
    pub(crate) faults: FaultPlan,
    /// Keystone.
    pub identity: Identity,
    /// Nova.
    pub compute: Compute,
    /// Neutron.
    pub network: Networking,
    /// Glance.
    pub images: Images,
    /// Barbican.
    pub key_manager: KeyManager,
    /// Cinder.
    pub volumes: Volumes,
    /// Octavia.
    pub load_balancing: LoadBalancing,
    /// Guests of servers, and the signals that they send.
    pub boots: Boots,
    /// Heat.
    pub heat: Heat,
}

impl World {
    pub(crate) fn new(clock: Arc<dyn Clock>, seed: u64, pace: Pace, base_url: String) -> Self {
        let mut seed = Seed::new(seed);
        Self {
            identity: Identity::new(&mut seed),
            clock,
            as_of: None,
            pace,
            seed,
            base_url,
            former_base_urls: Vec::new(),
            region: "RegionOne".to_owned(),
            faults: FaultPlan::default(),
            compute: Compute::default(),
            network: Networking::default(),
            images: Images::default(),
            key_manager: KeyManager::default(),
            volumes: Volumes::default(),
            load_balancing: LoadBalancing::default(),
            boots: Boots::default(),
            heat: Heat::default(),
        }
    }

    /// The time, or the past moment that is being caught up with (see [`World::as_of`]).
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.as_of.unwrap_or_else(|| self.clock.now())
    }

    /// Runs `action` as if it were `at`, never later than now.
    ///
    /// Who catches up with things that happened between two requests does each at the time at which it
    /// happened, so that the times that follow from it do not depend on when somebody looked.
    pub fn as_of<R>(&mut self, at: Timestamp, action: impl FnOnce(&mut Self) -> R) -> R {
        let before = self.as_of;
        self.as_of = Some(at.min(self.now()));
        let result = action(self);
        self.as_of = before;
        result
    }

    /// When something of this kind and name that starts now is ready.
    ///
    /// The kind is a Heat resource type, `boot` or `server-delete`; see [`real_duration`].
    #[must_use]
    pub fn ready_at(&self, kind: &str, name: &str) -> Timestamp {
        self.after(real_duration(&self.seed, kind, name))
    }

    /// The time when something that takes `real` at [`Pace::Real`] and starts now is done.
    #[must_use]
    pub fn after(&self, real: Duration) -> Timestamp {
        self.now()
            .checked_add(self.pace.apply(real))
            .unwrap_or(Timestamp::MAX)
    }

    /// A fresh identifier with dashes (Nova, Neutron, Glance, Heat).
    pub fn new_uuid(&mut self) -> String {
        self.seed.uuid()
    }

    /// A fresh identifier of 32 hexadecimal digits (Keystone).
    pub fn new_hex_id(&mut self) -> String {
        self.seed.hex_id()
    }

    /// The seeded randomness, for random strings and short names.
    pub fn seed_mut(&mut self) -> &mut Seed {
        &mut self.seed
    }

    /// The URL before every service's prefix, without a slash at the end: `http://sim.cloud`, or where the
    /// cloud is served.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    pub(crate) fn set_base_url(&mut self, url: String) {
        let former = std::mem::replace(&mut self.base_url, url);
        self.former_base_urls.push(former);
    }

    /// Whether a request for this authority is for the cloud.
    pub(crate) fn answers_for(&self, authority: &str) -> bool {
        self.former_base_urls.iter().chain([&self.base_url]).any(|url| {
            url.split_once("://")
                .is_some_and(|(_, rest)| rest.split('/').next() == Some(authority))
        })
    }

    /// The cloud's only region.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The pace of the time model.
    #[must_use]
    pub fn pace(&self) -> Pace {
        self.pace
    }

    /// The reason for which an injected fault fails this resource, if one does. Asking uses the fault up,
    /// so ask once for each attempt to create or change a resource.
    pub fn resource_failure(&mut self, resource_type: &str, name: &str) -> Option<String> {
        match self
            .faults
            .strike_resource(resource_type, name, |e| matches!(e, Effect::ResourceFailure(_)))
        {
            Some(Effect::ResourceFailure(reason)) => Some(reason),
            _ => None,
        }
    }

    /// Whether an injected fault makes this stack vanish now. Asking uses the fault up.
    pub fn stack_vanishes(&mut self, stack_name: &str) -> bool {
        self.faults
            .strike_resource("OS::Heat::Stack", stack_name, |e| {
                matches!(e, Effect::StackVanished)
            })
            .is_some()
    }

    /// Ends what has ended by [`World::now`]: servers, load balancers and attachments of volumes that were
    /// being deleted are gone.
    ///
    /// Runs before every request. Who moves time with [`World::as_of`] calls it there, too.
    pub fn settle(&mut self) {
        self.reap_servers();
        self.reap_attachments();
        self.reap_load_balancers();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::sim::pace::Pace;
    use crate::sim::probe::builder;

    #[tokio::test(start_paused = true)]
    async fn catching_up_gives_the_times_that_looking_at_once_would_have_given() {
        let cloud = builder().pace(Pace::Real).build();
        let started = cloud.clock().now();
        let at_once = cloud.with(|world| world.ready_at("OS::Nova::Server", "s"));
        tokio::time::sleep(Duration::from_secs(3600)).await;
        let (later, future, now) = cloud.with(|world| {
            let later = world.as_of(started, |world| world.ready_at("OS::Nova::Server", "s"));
            let far = started + Duration::from_secs(86_400);
            (later, world.as_of(far, |world| world.now()), world.now())
        });
        assert_eq!(later, at_once);
        assert_eq!(future, now);
    }

    #[tokio::test(start_paused = true)]
    async fn a_project_that_is_deleted_keeps_what_it_held_and_nobody_gets_in() {
        let cloud = builder().build();
        let demo = crate::sim::probe::Probe::log_in(&cloud, "demo").await;
        let body = serde_json::json!({"network": {"name": "n"}});
        assert_eq!(demo.post("/networking/v2.0/networks", body).await.0, 201);
        cloud.remove_project(&demo.project).unwrap();
        assert_eq!(demo.get("/networking/v2.0/networks").await.0, 401);
        assert_eq!(cloud.leftovers(&demo.project).to_string(), "1 networks (n)");
    }
}
