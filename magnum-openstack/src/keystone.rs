//! Trustees and trusts: the trust manager over Keystone.

mod parse;
mod request;

#[cfg(test)]
mod tests;

use async_trait::async_trait;
use magnum_core::{Auth, Error, ErrorKind, Result, Secret, TrustCredentials, TrustManager, UserToken, shown};

use crate::session::{Identity, Token};
use crate::{Call, Credentials, Named, OpenStack, Service};

/// The trust manager over Keystone.
#[derive(Debug)]
pub(crate) struct Keystone {
    cloud: OpenStack,
}

impl Keystone {
    pub(crate) fn new(cloud: OpenStack) -> Self {
        Self { cloud }
    }

    /// The domain that its administrator's token is for.
    async fn trustee_domain(&self, admin: &Identity) -> Result<String> {
        let token = self.cloud.token_of(admin).await?;
        token.domain_id.clone().ok_or_else(|| {
            let message =
                "the administrator of the trustee domain must log in for that domain, not for a project";
            Error::new(ErrorKind::Configuration, message).at(Service::IDENTITY.name(), "trustee")
        })
    }

    /// Whether the call finds nothing.
    async fn absent(&self, identity: &Identity, call: &Call) -> Result<bool> {
        match self.cloud.call_as(identity, call).await {
            Ok(_) => Ok(false),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Whether a trust whose login is refused is surely gone.
    ///
    /// A refusal alone does not say so: a trust cannot be used either while its owner is disabled or lacks a
    /// role. So somebody else who may look is asked: the trustee for itself, the administrator of its domain
    /// (a trustee's trusts go with it), the administrator of the cloud.
    async fn surely_gone(&self, trust: &TrustCredentials) -> Result<bool> {
        let trustee = Credentials::password(Named::id(&trust.trustee_user_id), trust.password.expose());
        match self.cloud.fresh_login(Identity::Credentials(trustee)).await {
            Ok(token) => {
                let holder = Identity::User(token.value);
                let gone = self.absent(&holder, &request::show_trust(&trust.trust_id)).await;
                self.cloud.forget(&holder);
                return gone;
            }
            Err(error) if error.kind() == ErrorKind::Unauthorized => {}
            Err(error) => return Err(error),
        }
        if let Ok(admin) = self.cloud.trustee_domain_admin()
            && self
                .absent(&admin, &request::show_user(&trust.trustee_user_id))
                .await?
        {
            return Ok(true);
        }
        match self.cloud.admin() {
            Some(admin) => self.absent(&admin, &request::show_trust(&trust.trust_id)).await,
            None => Ok(false),
        }
    }

    /// The roles that a trust by this token carries.
    fn roles(&self, token: &Token) -> Result<Vec<String>> {
        let wanted = self.cloud.trust_roles();
        if wanted.is_empty() {
            // Effective roles, implied ones included: what acts under the trust may have to delegate all that
            // its own token has, and that has the implied ones too.
            return Ok(token.roles.iter().map(|role| role.id.clone()).collect());
        }
        let id_of = |name: &String| {
            let found = token.roles.iter().find(|role| role.name == *name);
            found.map(|role| role.id.clone()).ok_or_else(|| {
                let message = format!(
                    "clusters need the role '{}', which this login does not have",
                    shown(name)
                );
                Error::new(ErrorKind::Forbidden, message).at(Service::IDENTITY.name(), "trust.create")
            })
        };
        wanted.iter().map(id_of).collect()
    }
}

#[async_trait]
impl TrustManager for Keystone {
    async fn create_trustee(&self, name: &str, password: &Secret) -> Result<String> {
        let admin = self.cloud.trustee_domain_admin()?;
        let domain = self.trustee_domain(&admin).await?;
        let call = request::create_user(name, password, &domain);
        parse::user_id(&self.cloud.call_as(&admin, &call).await?)
    }

    async fn find_trustee(&self, name: &str) -> Result<Option<String>> {
        let admin = self.cloud.trustee_domain_admin()?;
        let domain = self.trustee_domain(&admin).await?;
        let answer = self
            .cloud
            .call_as(&admin, &request::find_user(name, &domain))
            .await?;
        parse::user_named(&answer, name, &domain)
    }

    async fn delete_trustee(&self, trustee_id: &str) -> Result<()> {
        let admin = self.cloud.trustee_domain_admin()?;
        self.absent(&admin, &request::delete_user(trustee_id)).await?;
        Ok(())
    }

    async fn check_owner(&self, owner: &UserToken) -> Result<()> {
        self.cloud.trustee_domain_admin()?;
        let identity = Identity::User(owner.token.clone());
        let token = self.cloud.token_of(&identity).await?;
        let refused = |why: &str| {
            Err(Error::new(ErrorKind::Forbidden, why).at(Service::IDENTITY.name(), "trust.check"))
        };
        let roles = self.roles(&token)?;
        match token.why_no_trust() {
            None => Ok(()),
            Some(why) if !token.application_credential => refused(why),
            // Whether these may depends on the credential and on Keystone's release. A trust to a user that does not exist
            // is not found where they may, and forbidden where they may not.
            Some(why) => {
                let project_id = token.project_id.as_deref().unwrap_or_default();
                let call = request::create_trust(&token.user_id, project_id, NOBODY, &roles);
                match self.cloud.call_as(&identity, &call).await {
                    Err(error) if error.kind() == ErrorKind::Forbidden => refused(why),
                    // A Keystone that asks nobody whether the trustee exists.
                    Ok(answer) => {
                        let made = parse::trust_id(&answer)?;
                        self.absent(&identity, &request::delete_trust(&made)).await?;
                        Ok(())
                    }
                    Err(_) => Ok(()),
                }
            }
        }
    }

    async fn create_trust(&self, owner: &UserToken, trustee_id: &str) -> Result<String> {
        let identity = Identity::User(owner.token.clone());
        let token = self.cloud.token_of(&identity).await?;
        let Some(project_id) = token.project_id.as_deref() else {
            let message = "this login is not for a project, and trusts are given in one";
            return Err(
                Error::new(ErrorKind::Forbidden, message).at(Service::IDENTITY.name(), "trust.create")
            );
        };
        let roles = self.roles(&token)?;
        let call = request::create_trust(&token.user_id, project_id, trustee_id, &roles);
        let answer = self.cloud.call_as(&identity, &call).await;
        parse::trust_id(&answer.map_err(|error| explained(error, &token))?)
    }

    async fn trusts(&self, owner: &UserToken, trustee_id: &str) -> Result<Vec<String>> {
        let identity = Identity::User(owner.token.clone());
        let call = request::list_trusts(&owner.user_id, trustee_id);
        let answer = self.cloud.call_as(&identity, &call).await?;
        parse::trust_ids(&answer, trustee_id)
    }

    async fn delete_trust(&self, credentials: &TrustCredentials) -> Result<()> {
        let identity = self.cloud.identity_of(&Auth::Trust(credentials.clone()))?;
        let refusal = match self
            .absent(&identity, &request::delete_trust(&credentials.trust_id))
            .await
        {
            Ok(_) => {
                self.cloud.forget(&identity);
                return Ok(());
            }
            Err(error) => error,
        };
        let login_refused = matches!(refusal.kind(), ErrorKind::Unauthorized | ErrorKind::Forbidden);
        if login_refused && self.surely_gone(credentials).await? {
            self.cloud.forget(&identity);
            return Ok(());
        }
        Err(refusal)
    }
}

/// The id of no user: Keystone's are hexadecimal digits.
const NOBODY: &str = "nobody-at-all";

/// Says which logins can give trusts when this one cannot.
fn explained(error: Error, token: &Token) -> Error {
    if error.kind() != ErrorKind::Forbidden {
        return error;
    }
    let Some(why) = token.why_no_trust() else {
        return error;
    };
    Error::new(ErrorKind::Forbidden, why)
        .at(Service::IDENTITY.name(), "trust.create")
        .with_request_id(error.request_id().map(str::to_owned))
        .with_source(error)
}
