//! A simulated cloud: Keystone, Glance, Nova, Neutron, Cinder, Octavia, Barbican and Heat that are not there.
//!
//! [`SimCloud`] holds the state. It is called in process through [`SimCloud::transport`] (no sockets, and
//! time may be tokio's paused clock) or served on loopback with [`SimCloud::serve`]. Faults are data, time
//! comes from a clock, and randomness from a seed: the same test sees the same cloud in every run.
//!
//! Every service has a prefix of its own below one base URL (`/identity/v3`, `/orchestration/v1/{project}`,
//! `/image`, `/compute/v2.1`, `/networking`, `/volume/v3/{project}`, `/load-balancer`, `/key-manager`), so URLs look the same in process and served.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! use magnum_core::{HttpTransport, TlsProfile};
//! use magnum_openstack::sim::SimCloud;
//!
//! let cloud = SimCloud::builder().devstack().build();
//! let request = http::Request::get(cloud.auth_url()).body(bytes::Bytes::new()).unwrap();
//! let answer = cloud.transport().send(request, &TlsProfile::default()).await.unwrap();
//! assert_eq!(answer.status(), 200);
//! # });
//! ```

pub mod api_fault;
pub mod builder;
pub mod cloud;
pub mod fault;
pub mod guest;
pub mod heat;
pub mod hot;
pub mod leftovers;
pub mod pace;
pub mod request_log;
pub mod seed;
pub mod serve;
pub mod transport;
pub mod world;

mod compute_api;
mod devstack;
mod dispatch;
mod http_api;
mod identity_api;
mod image_api;
mod key_manager_api;
mod load_balancer_api;
mod network_api;
#[cfg(test)]
mod probe;
mod volume_api;

pub use api_fault::ApiFault;
pub use builder::SimCloudBuilder;
pub use cloud::SimCloud;
pub use fault::{At, Effect, Fault};
pub use guest::{BootedServer, Guest};
pub use leftovers::Leftovers;
pub use pace::Pace;
pub use request_log::RequestRecord;
pub use serve::Served;
pub use transport::SimTransport;
pub use world::{ApiResult, World};
