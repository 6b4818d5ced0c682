//! The conformance kit of cluster drivers: one call for any [`ClusterDriver`], and a report in words.
//!
//! The kit composes a host with nothing but this driver on a simulated cloud, which evaluates its templates as Heat
//! does and boots its servers, and asks for clusters in every way that the driver's descriptor offers. See
//! [`RULES`] for what it checks.
//!
//! ```
//! # #[cfg(feature = "drivers")]
//! #[tokio::main(flavor = "current_thread", start_paused = true)]
//! async fn main() {
//!     let report = magnum::testing::driver::check(std::sync::Arc::new(magnum::drivers::docker_ubuntu())).await;
//!     println!("{report}");
//!     report.assert();
//! }
//! # #[cfg(not(feature = "drivers"))]
//! # fn main() {}
//! ```
//!
//! Run it under tokio's paused clock (`start_paused`), or the waiting takes real time. Servers that wait for something
//! are taken for well once they have booted: what they signal is played, their scripts are not run.

mod descriptor;
mod hostile;
mod labels;
mod lives;
mod matrix;
mod place;
mod repeated;
mod report;

use std::sync::Arc;

use magnum_core::ClusterDriver;

pub use report::{Finding, Report};

/// The rules that the kit checks, by name, each with what it demands.
pub const RULES: [(&str, &str); 12] = [
    (
        "descriptor",
        "names and versions are of good form; defaults, of labels, too, are among what is allowed",
    ),
    (
        "validate",
        "the same request gives the same problems, each with its field and a sentence",
    ),
    (
        "labels",
        "each label takes its values, and others are refused by its name; unknown ones are refused",
    ),
    (
        "matrix",
        "the plainest cluster is accepted, and what is refused says why",
    ),
    (
        "create",
        "a cluster that is accepted is made, with its address and those of all its servers",
    ),
    (
        "scale",
        "more and fewer nodes are there when it says so; those that were named leave",
    ),
    (
        "delete",
        "a cluster that is deleted leaves nothing, also while it is being made",
    ),
    (
        "failure",
        "a server that fails fails the cluster with a reason, and leaves nothing when it is deleted",
    ),
    (
        "repeated",
        "every call can be repeated, and the delete of what is gone is no error",
    ),
    (
        "observe",
        "looking changes nothing, and two looks at what is at rest see the same",
    ),
    (
        "hostile",
        "hostile values are refused by their field, or change nothing",
    ),
    (
        "needs",
        "what the driver says that a cluster takes is what it takes, if it says something",
    ),
];

/// Checks a driver against all [`RULES`].
///
/// Under a paused clock this takes seconds for each driver; it makes some dozens of clusters.
pub async fn check(driver: Arc<dyn ClusterDriver>) -> Report {
    let mut report = Report::new(&driver.descriptor().name);
    descriptor::check(&*driver, &mut report);
    labels::check(&driver, &mut report).await;
    lives::check(&driver, &mut report).await;
    repeated::check(&driver, &mut report).await;
    hostile::check(&driver, &mut report).await;
    report
}
