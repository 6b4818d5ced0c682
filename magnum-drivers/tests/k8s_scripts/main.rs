//! The node scripts of Kubernetes, run for real: both roles, both phases, every option.

#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/mod.rs"]
mod support;

mod again;
mod certificates;
mod cloud;
mod distributions;
mod etcd;
mod failures;
mod plain;
mod programs;
mod proxies;
mod reach;
mod renewal;
mod secrets;
mod storage;
mod tree;
mod versions;

use std::sync::LazyLock;

use magnum_core::TemplateDefinition as _;
use support::kubernetes::BOTH;
use support::policy::Endpoint;

/// A node endpoint for the tests that do not look at what it was asked.
static ENDPOINT: LazyLock<Endpoint> = LazyLock::new(new_endpoint);

fn new_endpoint() -> Endpoint {
    Endpoint::new(magnum_drivers::k8s_fedora_atomic().definition().node_policy())
}
