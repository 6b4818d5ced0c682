//! Templates, parameters and rules of Kubernetes on Fedora Atomic fit together, and fit Heat and Nova.

#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/mod.rs"]
mod support;

mod kubeconfig;
mod names;
mod rules;
