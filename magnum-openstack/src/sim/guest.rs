//! What runs on simulated servers.
//!
//! The default guest needs no task: when its boot is over it sends the signals whose URLs its user data
//! holds, evaluated when somebody looks (see [`World::due_boots`](super::World::due_boots)). A guest of the
//! test's own runs as a tokio task per server and may call anything over the cloud's transport.

use std::fmt;
use std::net::Ipv4Addr;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::cloud::SimCloud;
use super::transport::SimTransport;

/// A guest operating system, as far as the cloud can tell.
#[async_trait]
pub trait Guest: fmt::Debug + Send + Sync + 'static {
    /// Runs when a server has become ACTIVE. Boot time is the guest's own to take
    /// ([`BootedServer::boot_time`] is what the cloud's time model suggests).
    async fn boot(&self, server: BootedServer);
}

/// A server that has just become ACTIVE.
#[derive(Clone, Debug)]
pub struct BootedServer {
    /// Identifier.
    pub id: String,
    /// Name.
    pub name: String,
    /// Owner.
    pub project_id: String,
    /// User data, decoded; empty if there is none.
    pub user_data: String,
    /// Its addresses, by network name.
    pub addresses: Vec<(String, Ipv4Addr)>,
    /// How long booting takes by the cloud's time model.
    pub boot_time: Duration,
    /// What it reaches the network by.
    pub transport: SimTransport,
}

impl SimCloud {
    /// Starts the guests of servers that were made since the last call.
    pub(crate) fn start_guests(&self) {
        let Some(guest) = &self.shared.guest else { return };
        let unstarted = std::mem::take(&mut self.world().boots.unstarted);
        if unstarted.is_empty() {
            return;
        }
        // Outside a runtime nothing can run; the next request from inside one starts them.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            self.world().boots.unstarted.extend(unstarted);
            return;
        };
        for (server_id, active_at) in unstarted {
            let (cloud, guest) = (self.clone(), std::sync::Arc::clone(guest));
            runtime.spawn(async move {
                let wait = until(active_at, cloud.shared.clock.now());
                cloud.shared.clock.sleep(wait).await;
                // It may have been deleted or have failed since.
                if let Some(server) = cloud.booted_server(&server_id, active_at) {
                    guest.boot(server).await;
                }
            });
        }
    }

    fn booted_server(&self, server_id: &str, active_at: Timestamp) -> Option<BootedServer> {
        let world = self.world();
        let server = world.find_server(server_id).ok()?;
        if server.fails_with.is_some() || server.gone_at.is_some() {
            return None;
        }
        Some(BootedServer {
            id: server.id.clone(),
            name: server.name.clone(),
            project_id: server.project_id.clone(),
            user_data: server.user_data.clone().unwrap_or_default(),
            addresses: world.server_addresses(server),
            boot_time: world
                .boot_ends_at(server_id)
                .map_or(Duration::ZERO, |end| until(end, active_at)),
            transport: self.transport(),
        })
    }
}

fn until(at: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::super::fault::{At, Effect, Fault};
    use super::super::pace::Pace;
    use super::super::probe::builder;
    use super::super::world::World;
    use super::super::world::boot::Signal;
    use super::super::world::compute::ServerSpec;
    use super::*;

    fn server(world: &mut World, name: &str, user_data: &str) -> String {
        let spec = ServerSpec {
            name: name.to_owned(),
            image_id: world.resolve_image("p", "ubuntu").unwrap().id.clone(),
            flavor_id: world.resolve_flavor("m1.small").unwrap().id.clone(),
            user_data: Some(user_data.to_owned()),
            ..ServerSpec::default()
        };
        world.create_server("p", spec).unwrap().id
    }

    fn signal(resource: &str) -> Signal {
        Signal {
            url: format!("http://sim.cloud/signal/{resource}"),
            token: Some("T0K".to_owned()),
            stack_id: "stack".to_owned(),
            resource: resource.to_owned(),
            server_id: None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_default_guest_sends_what_its_user_data_holds_once() {
        let cloud = builder().pace(Pace::Real).build();
        cloud.with(|world| {
            world.register_signal(signal("a"));
            world.register_signal(signal("b"));
            let id = server(world, "s", "curl -H T0K http://sim.cloud/signal/a");
            // A URL without the token is of no use to a guest.
            let other = server(world, "t", "curl http://sim.cloud/signal/b");
            let end = world.boot_ends_at(&id).unwrap();
            assert!(end.duration_since(world.now()).as_secs() >= 48);
            assert!(world.due_boots(world.now()).is_empty());
            let first = end.min(world.boot_ends_at(&other).unwrap());
            assert_eq!(world.next_boot_after(world.now()), Some(first));
            let due = world.due_boots(end + Duration::from_secs(600));
            assert_eq!(due.len(), 1);
            assert_eq!((due[0].at, due[0].signals.as_slice()), (end, &[signal("a")][..]));
            assert_eq!(due[0].outcome, Ok(()));
            assert!(world.due_boots(end + Duration::from_secs(900)).is_empty());
        });
    }

    #[tokio::test(start_paused = true)]
    async fn faults_silence_a_guest_or_make_it_fail() {
        let cloud = builder().build();
        let at = |name: &str| At::Resource {
            resource_type: "OS::Nova::Server".into(),
            name: name.into(),
        };
        cloud.inject(Fault::once(at("mute"), Effect::GuestSilent));
        cloud.inject(Fault::once(
            at("sick"),
            Effect::GuestFailure("disk on fire".into()),
        ));
        cloud.with(|world| {
            world.register_signal(signal("a"));
            server(world, "mute", "T0K http://sim.cloud/signal/a");
            assert!(world.due_boots(world.now()).is_empty());
            assert!(world.due_boots(world.now()).is_empty());
            server(world, "sick", "T0K http://sim.cloud/signal/a");
            let due = world.due_boots(world.now());
            assert_eq!(due[0].outcome, Err("disk on fire".to_owned()));
        });
    }

    #[derive(Debug, Default)]
    struct Recorder(Mutex<Vec<BootedServer>>);

    #[async_trait]
    impl Guest for Recorder {
        async fn boot(&self, server: BootedServer) {
            self.0.lock().unwrap().push(server);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_custom_guest_runs_on_each_server_that_comes_up() {
        let recorder = Arc::new(Recorder::default());
        let cloud = builder().pace(Pace::Real).guest(recorder.clone()).build();
        let gone = cloud.with(|world| {
            server(world, "stays", "hello");
            server(world, "goes", "")
        });
        cloud.start_guests();
        cloud.with(|world| world.delete_server(&gone)).unwrap();
        tokio::time::sleep(Duration::from_secs(120)).await;
        let booted = recorder.0.lock().unwrap();
        let names: Vec<&str> = booted.iter().map(|server| server.name.as_str()).collect();
        assert_eq!(names, ["stays"]);
        assert_eq!(booted[0].user_data, "hello");
        assert!(booted[0].boot_time >= Duration::from_secs(40));
    }
}
