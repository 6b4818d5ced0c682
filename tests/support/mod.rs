//! What the tests against the simulated cloud share: a scene with everything in it, and interruptions.
#![allow(dead_code, reason = "each test program uses a part of it")]

pub mod certificate;
pub mod docker_api;
pub mod handshake;
pub mod hosts;
pub mod interrupt;
pub mod kubernetes;
pub mod kubernetes_api;
pub mod limits;
pub mod lives;
pub mod mesos;
pub mod node;
pub mod observer;
pub mod programs;
pub mod random;
pub mod reshaping;
pub mod scene;
pub mod swarm;
pub mod tls_service;
