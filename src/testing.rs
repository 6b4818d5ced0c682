//! Conformance kits: those of the ports, and the one of cluster drivers, which needs a whole cloud.

pub use magnum_core::testing::*;

#[cfg(feature = "sim")]
pub mod driver;
