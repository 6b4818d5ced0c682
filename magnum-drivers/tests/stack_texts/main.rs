//! The templates of all stacks of masters and nodes: what refers to what, and what may go into scripts.

#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/mod.rs"]
mod support;

mod patterns;
mod reach;
mod references;
mod size;
mod swarm;
