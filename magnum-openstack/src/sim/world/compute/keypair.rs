//! Key pairs. They belong to a user, not to a project.

use super::super::{ApiResult, World};
use crate::sim::api_fault::ApiFault;

/// A key pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keypair {
    /// Name; unique for its user.
    pub name: String,
    /// Owner.
    pub user_id: String,
    /// Public key in OpenSSH's form.
    pub public_key: String,
    /// MD5 of the key as Nova writes it.
    pub fingerprint: String,
}

impl World {
    /// A user's key pair.
    ///
    /// # Errors
    /// `KeypairNotFound` (404).
    pub fn find_keypair(&self, user_id: &str, name: &str) -> ApiResult<&Keypair> {
        self.compute
            .keypairs
            .get(&(user_id.to_owned(), name.to_owned()))
            .ok_or_else(|| {
                ApiFault::not_found(
                    "KeypairNotFound",
                    format!("Keypair {name} not found for user {user_id}"),
                )
            })
    }
}
