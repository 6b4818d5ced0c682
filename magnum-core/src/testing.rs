//! Conformance kits for implementations of the ports.
//!
//! A kit is a set of assertions: it panics when a rule is broken, and says which.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a kit reports by panicking, as tests do"
)]

pub mod cert_manager;
pub mod store;
