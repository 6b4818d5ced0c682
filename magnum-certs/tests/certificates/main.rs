//! The crate from outside: issued chains before `openssl verify`, every refusal, hostile requests, sealing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod barbican;
mod client_requests;
mod dropped_wishes;
mod hostile_requests;
mod intermediate_authorities;
mod issued_chains;
mod key_sources;
mod keypair_store;
#[cfg(unix)]
mod local;
mod refused_authorities;
mod refused_requests;
mod requests;
mod sealing;
mod setting;
mod verify;
