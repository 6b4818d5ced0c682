//! The trust port: a cluster's own identity at Keystone, and whose credentials a call uses.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::Result;
use crate::model::UserToken;
use crate::secret::Secret;

/// Whose credentials a call to the cloud uses.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Auth {
    /// The caller's token.
    Token(UserToken),
    /// A cluster's trust.
    Trust(TrustCredentials),
    /// The host's service user, in its own project.
    Service,
    /// The cloud's administrator, where the host has one.
    Admin,
}

/// What is needed to act under a trust.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustCredentials {
    /// The trustee's user id.
    pub trustee_user_id: String,
    /// The trustee's password.
    pub password: Secret,
    /// The trust.
    pub trust_id: String,
}

/// Makes and removes trustee users and trusts.
///
/// | Rule | Mandatory |
/// | --- | --- |
/// | `create_trustee` under a name that exists MUST fail with `Conflict` | yes |
/// | `delete_trustee` and `delete_trust` of what is gone MUST return `Ok` | yes |
/// | A trust MUST NOT allow redelegation | yes |
/// | When the caller's credentials cannot make trusts, `check_owner` and `create_trust` MUST fail with `Forbidden` and say which can | yes |
/// | `check_owner` MUST NOT make anything | yes |
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait TrustManager: fmt::Debug + Send + Sync + 'static {
    /// Makes a user in the trustee domain and returns its id.
    async fn create_trustee(&self, name: &str, password: &Secret) -> Result<String>;

    /// The id of the user of this name in the trustee domain.
    async fn find_trustee(&self, name: &str) -> Result<Option<String>>;

    /// Removes a trustee user, and with it every trust to it.
    async fn delete_trustee(&self, trustee_id: &str) -> Result<()>;

    /// Whether the token's user can give a trust as clusters need it; what cannot be told beforehand is no error.
    async fn check_owner(&self, owner: &UserToken) -> Result<()>;

    /// Makes a trust from the token's user, in the token's project, to the trustee; returns its id.
    async fn create_trust(&self, owner: &UserToken, trustee_id: &str) -> Result<String>;

    /// The ids of the trusts from the token's user to the trustee.
    async fn trusts(&self, owner: &UserToken, trustee_id: &str) -> Result<Vec<String>>;

    /// Removes a trust under its own credentials.
    async fn delete_trust(&self, credentials: &TrustCredentials) -> Result<()>;
}

/// Who owns the stacks.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum TrustMode {
    /// The caller; each cluster gets a trustee and a trust, under which its stack is changed, read and removed.
    Trust(Arc<dyn TrustManager>),
    /// The host: its service identity makes and owns every stack. For hosts that serve one project,
    /// since an ordinary account cannot make trustees.
    None,
}
