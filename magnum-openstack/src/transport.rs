//! HTTP over reqwest.

#[cfg(any(feature = "rustls-tls", feature = "native-tls"))]
mod guard;
#[cfg(any(feature = "rustls-tls", feature = "native-tls"))]
mod over_reqwest;
#[cfg(any(feature = "rustls-tls", feature = "native-tls"))]
mod tls_clients;

#[cfg(any(feature = "rustls-tls", feature = "native-tls"))]
pub use self::over_reqwest::{ReqwestTransport, ReqwestTransportBuilder};
