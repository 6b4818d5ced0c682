//! OpenStack clients of openstack-magnum, and a cloud that is not there.
//!
//! [`OpenStack`] is the way in: it knows who the host is, keeps tokens, finds services in the catalog,
//! and makes the ports that the engine works with.
//!
//! ```no_run
//! # #[cfg(any(feature = "rustls-tls", feature = "native-tls"))]
//! # async fn example() -> magnum_core::Result<()> {
//! use std::sync::Arc;
//! use magnum_openstack::{CloudConfig, OpenStack, ReqwestTransport};
//!
//! let cloud = OpenStack::builder()
//!     .cloud(CloudConfig::load(Some("devstack"))?)
//!     .transport(Arc::new(ReqwestTransport::new()))
//!     .build()?;
//! let orchestrator = cloud.orchestrator();
//! # Ok(())
//! # }
//! ```
//!
//! | Feature | Adds |
//! | --- | --- |
//! | `rustls-tls` | `ReqwestTransport`, over rustls |
//! | `native-tls` | `ReqwestTransport`, over the system's TLS library |
//! | `sim` | the simulated cloud |

mod call;
mod catalog;
mod config;
mod credentials;
mod fault;
mod heat;
mod keystone;
mod resources;
mod retry;
mod service;
mod session;
mod transport;
mod wire;

#[cfg(test)]
mod scripted;
#[cfg(test)]
mod scripted_log;

#[cfg(feature = "sim")]
pub mod sim;

pub use call::{Answer, Call};
pub use config::{CloudConfig, ConfigFile};
pub use credentials::{AuthMethod, Credentials, DomainRef, Named, Scope, ServiceIdentity};
pub use service::{Interface, Service};
pub use session::{OpenStack, OpenStackBuilder};
#[cfg(any(feature = "rustls-tls", feature = "native-tls"))]
pub use transport::{ReqwestTransport, ReqwestTransportBuilder};
pub use wire::Limits;
