//! Discoveries: services elsewhere, asked over HTTP, and the library's own, kept in the store.

mod over_http;
mod over_store;

pub use over_http::HttpDiscovery;
pub use over_store::StoreDiscovery;

pub(crate) use over_store::of_token;
