//! The handle on a simulated cloud, and what a test or its owner does with it.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use magnum_core::{Clock, HttpTransport, Secret};

use super::api_fault::ApiFault;
use super::builder::SimCloudBuilder;
use super::fault::Fault;
use super::guest::Guest;
use super::heat;
use super::leftovers::Leftovers;
use super::request_log::{RequestLog, RequestRecord};
use super::transport::SimTransport;
use super::world::compute::{Flavor, Keypair};
use super::world::identity::Target;
use super::world::image::Image;
use super::world::network::{NetworkSpec, SubnetSpec};
use super::world::{ApiResult, World};

/// A simulated cloud. Clones are handles on the same cloud.
#[derive(Clone)]
pub struct SimCloud {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) world: Mutex<World>,
    pub(crate) log: Mutex<RequestLog>,
    pub(crate) router: Router<SimCloud>,
    pub(crate) guest: Option<Arc<dyn Guest>>,
    /// Other hosts that requests in process may reach, by authority.
    pub(crate) mounts: Mutex<Vec<(String, Arc<dyn HttpTransport>)>>,
}

impl fmt::Debug for SimCloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimCloud")
            .field("base_url", &self.base_url())
            .finish_non_exhaustive()
    }
}

impl SimCloud {
    /// Starts to describe a cloud.
    #[must_use]
    pub fn builder() -> SimCloudBuilder {
        SimCloudBuilder::default()
    }

    /// A transport that calls the cloud in process.
    #[must_use]
    pub fn transport(&self) -> SimTransport {
        SimTransport::new(self.clone())
    }

    /// Lets requests in process for another authority (such as `node.example:443` or `10.0.0.5:6443`) reach
    /// a transport of the test: the node endpoint of a host, or the API of a cluster.
    pub fn mount(&self, authority: impl Into<String>, transport: Arc<dyn HttpTransport>) {
        lock(&self.shared.mounts).push((authority.into(), transport));
    }

    /// Where Keystone is.
    #[must_use]
    pub fn auth_url(&self) -> String {
        format!("{}/identity/v3", self.base_url())
    }

    /// The URL before every service's prefix.
    #[must_use]
    pub fn base_url(&self) -> String {
        self.world().base_url().to_owned()
    }

    /// The cloud's clock.
    #[must_use]
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.shared.clock)
    }

    /// Looks at the world, or changes it behind the services' backs, at the present moment.
    pub fn with<R>(&self, action: impl FnOnce(&mut World) -> R) -> R {
        let mut world = self.world();
        world.settle();
        heat::advance(&mut world);
        action(&mut world)
    }

    /// Arms a fault.
    pub fn inject(&self, fault: Fault) {
        self.world().faults.add(fault);
    }

    /// Disarms every fault that is left.
    pub fn clear_faults(&self) {
        self.world().faults.clear();
    }

    /// The requests so far, those that a fault kept from the services included.
    #[must_use]
    pub fn requests(&self) -> Vec<RequestRecord> {
        lock(&self.shared.log).records()
    }

    /// How many requests there were; the next has this index.
    #[must_use]
    pub fn request_count(&self) -> u64 {
        lock(&self.shared.log).count()
    }

    /// Forgets the requests so far: the next has index 0.
    pub fn clear_requests(&self) {
        lock(&self.shared.log).clear();
    }

    /// What is left of a project's things, and of the trustees and trusts of all projects.
    #[must_use]
    pub fn leftovers(&self, project_id: &str) -> Leftovers {
        self.with(|world| Leftovers::count(world, project_id))
    }

    /// Makes a project in the default domain; returns its identifier.
    pub fn add_project(&self, name: &str) -> String {
        self.world().create_project(name, "default").id
    }

    /// Makes a user in the default domain with roles in a project; returns its identifier.
    ///
    /// # Errors
    /// 409 when there is one of this name.
    pub fn add_user(
        &self,
        name: &str,
        password: &str,
        project_id: &str,
        roles: &[&str],
    ) -> ApiResult<String> {
        let mut world = self.world();
        let user = world.create_user(name, "default", Secret::new(password))?;
        for role in roles {
            world.grant(&user.id, Target::Project(project_id.to_owned()), role);
        }
        Ok(user.id)
    }

    /// Makes a public image; returns its identifier.
    pub fn add_image(&self, name: &str, os_distro: Option<&str>) -> String {
        let mut world = self.world();
        let image = Image {
            id: world.new_uuid(),
            name: name.to_owned(),
            project_id: String::new(),
            public: true,
            status: "active".to_owned(),
            min_disk_gib: 0,
            min_ram_mib: 0,
            properties: os_distro
                .map(|d| ("os_distro".to_owned(), d.to_owned()))
                .into_iter()
                .collect(),
            created_at: world.now(),
        };
        let id = image.id.clone();
        world.images.images.insert(id.clone(), image);
        id
    }

    /// Says what an image needs: GiB of disk and MiB of memory. An image that is not there needs nothing.
    pub fn set_image_needs(&self, image_id: &str, min_disk_gib: u64, min_ram_mib: u64) {
        if let Some(image) = self.world().images.images.get_mut(image_id) {
            image.min_disk_gib = min_disk_gib;
            image.min_ram_mib = min_ram_mib;
        }
    }

    /// Gives an image another `os_distro`, or none.
    pub fn set_image_distro(&self, image_id: &str, os_distro: Option<&str>) {
        if let Some(image) = self.world().images.images.get_mut(image_id) {
            image.properties.remove("os_distro");
            let property = os_distro.map(|distro| ("os_distro".to_owned(), distro.to_owned()));
            image.properties.extend(property);
        }
    }

    /// Makes a flavor; returns its identifier.
    pub fn add_flavor(&self, name: &str, ram_mib: u64, vcpus: u64, disk_gib: u64) -> String {
        let mut world = self.world();
        let id = world.new_uuid();
        let flavor = Flavor {
            id: id.clone(),
            name: name.to_owned(),
            ram_mib,
            vcpus,
            disk_gib,
        };
        world.compute.flavors.insert(id.clone(), flavor);
        id
    }

    /// Gives a user a key pair.
    pub fn add_keypair(&self, user_id: &str, name: &str) {
        let mut world = self.world();
        let digits = world.new_hex_id();
        let fingerprint: Vec<&str> = (0..16).filter_map(|i| digits.get(i * 2..i * 2 + 2)).collect();
        let keypair = Keypair {
            name: name.to_owned(),
            user_id: user_id.to_owned(),
            public_key: format!("ssh-rsa AAAAB3NzaC1yc2E{digits} {name}"),
            fingerprint: fingerprint.join(":"),
        };
        world
            .compute
            .keypairs
            .insert((user_id.to_owned(), name.to_owned()), keypair);
    }

    /// Makes an external network with one subnet; returns its identifier.
    ///
    /// # Errors
    /// 400 for a CIDR that is none.
    pub fn add_external_network(&self, name: &str, cidr: &str) -> ApiResult<String> {
        let mut world = self.world();
        let spec = NetworkSpec {
            name: name.to_owned(),
            external: true,
            ..NetworkSpec::default()
        };
        let network = world.create_network("", spec)?;
        world.create_subnet(
            "",
            SubnetSpec {
                name: format!("{name}-subnet"),
                network_id: network.id.clone(),
                cidr: cidr.to_owned(),
                enable_dhcp: Some(false),
                ..SubnetSpec::default()
            },
        )?;
        Ok(network.id)
    }

    /// Makes a type of volumes; returns its identifier.
    pub fn add_volume_type(&self, name: &str) -> String {
        let mut world = self.world();
        let id = world.new_uuid();
        world.volumes.types.insert(id.clone(), name.to_owned());
        id
    }

    /// Sets a limit by the name that its service has for it: of Nova (`instances`, `cores`, `ram`, `server_groups`,
    /// …), Neutron (`network`, `subnet`, `router`, `port`, `floatingip`, `security_group`, `security_group_rule`, …)
    /// or Cinder (`volumes`, `gigabytes`); -1 is none.
    ///
    /// # Errors
    /// 404 for a resource that none of them knows.
    pub fn set_quota(&self, project_id: &str, resource: &str, limit: i64) -> ApiResult<()> {
        let mut world = self.world();
        let key = (project_id.to_owned(), resource.to_owned());
        if World::is_compute_quota(resource) {
            world.compute.quotas.insert(key, limit);
        } else if World::is_network_quota(resource) {
            world.network.quotas.insert(key, limit);
        } else if World::is_volume_quota(resource) {
            world.volumes.quotas.insert(key, limit);
        } else {
            return Err(ApiFault::not_found(
                "NotFound",
                format!("No quota for '{resource}'."),
            ));
        }
        Ok(())
    }

    /// Makes every token of a user expire.
    pub fn expire_tokens_of(&self, user_id: &str) {
        self.world().expire_tokens_of(user_id);
    }

    /// The identifier of a project of the default domain.
    #[must_use]
    pub fn project_id(&self, name: &str) -> Option<String> {
        self.world()
            .project_by_name(name, "default")
            .map(|project| project.id.clone())
    }

    /// The identifier of a user of the default domain.
    #[must_use]
    pub fn user_id(&self, name: &str) -> Option<String> {
        self.world()
            .user_by_name(name, "default")
            .map(|user| user.id.clone())
    }

    /// Makes an unrestricted application credential of a user with these roles; returns its identifier and its secret.
    pub fn add_application_credential(
        &self,
        user_id: &str,
        project_id: &str,
        roles: &[&str],
    ) -> (String, Secret) {
        let made = self
            .world()
            .give_application_credential(user_id, project_id, roles);
        (made.id, made.secret)
    }

    /// Gives a user a role in a project.
    pub fn grant_role(&self, user_id: &str, project_id: &str, role: &str) {
        self.world()
            .grant(user_id, Target::Project(project_id.to_owned()), role);
    }

    /// Takes a role in a project from a user.
    pub fn revoke_role(&self, user_id: &str, project_id: &str, role: &str) {
        self.world()
            .revoke(user_id, &Target::Project(project_id.to_owned()), role);
    }

    /// Deletes a user, as an administrator who does not ask what depends on it.
    ///
    /// # Errors
    /// 404.
    pub fn remove_user(&self, user_id: &str) -> ApiResult<()> {
        self.world().delete_user(user_id)
    }

    /// Disables a user, or enables it again.
    pub fn set_user_enabled(&self, user_id: &str, enabled: bool) {
        if let Some(user) = self.world().identity.users.get_mut(user_id) {
            user.enabled = enabled;
        }
    }

    /// Deletes a project, as an administrator who does not ask what is in it.
    ///
    /// # Errors
    /// 404.
    pub fn remove_project(&self, project_id: &str) -> ApiResult<()> {
        self.world().delete_project(project_id)
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        lock(&self.shared.world)
    }
}

/// A panic elsewhere while the lock was held leaves data that is still good enough to test with.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
