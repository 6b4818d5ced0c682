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
