//! The way in: who the host is at a cloud, and every call made under some identity.

mod builder;
mod login;
mod service_catalog;
mod token;
mod token_cache;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use futures::FutureExt;
use http::StatusCode;
use magnum_core::{
    Auth, CloudCatalog, CloudResources, Error, ErrorKind, IdentityEndpoint, Orchestrator, RequestContext,
    Result, Retry, Secret, TrustManager, UserToken, within,
};
use tokio::sync::{Semaphore, SemaphorePermit};
use url::Url;

pub use self::builder::OpenStackBuilder;
pub(crate) use self::login::Identity;
pub(crate) use self::token::Token;
use self::token_cache::{Found, Key, TokenCache};
use crate::catalog::Catalog;
use crate::heat::Heat;
use crate::keystone::Keystone;
use crate::resources::Resources;
use crate::wire::{Deadline, Wire};
use crate::{
    Answer, Call, Credentials, DomainRef, Interface, Limits, Scope, Service, ServiceIdentity, fault,
};

/// One cloud, and who the host is there.
///
/// Cheap to clone; all clones share tokens, connections and limits.
#[derive(Clone)]
pub struct OpenStack {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    wire: Wire,
    auth_url: Url,
    region: Option<String>,
    interface: Interface,
    identity: ServiceIdentity,
    trust_roles: Vec<String>,
    tokens: TokenCache,
    logins: Semaphore,
}

impl OpenStack {
    /// Begins to describe a cloud.
    pub fn builder() -> OpenStackBuilder {
        OpenStackBuilder::default()
    }

    /// The cloud that `clouds.yaml` or the environment describes, over reqwest; see
    /// [`CloudConfig::load`](crate::CloudConfig::load).
    ///
    /// # Errors
    /// `Configuration` names the file and the key that is missing or wrong.
    #[cfg(any(feature = "rustls-tls", feature = "native-tls"))]
    pub fn from_clouds_yaml(name: Option<&str>) -> Result<Self> {
        Self::builder()
            .cloud(crate::CloudConfig::load(name)?)
            .transport(Arc::new(crate::ReqwestTransport::new()))
            .build()
    }

    /// The orchestrator: Heat.
    #[must_use]
    pub fn orchestrator(&self) -> Arc<dyn Orchestrator> {
        Arc::new(Heat::new(self.clone()))
    }

    /// The trust manager: Keystone.
    #[must_use]
    pub fn trusts(&self) -> Arc<dyn TrustManager> {
        Arc::new(Keystone::new(self.clone()))
    }

    /// The look-ups: Glance, Nova, Neutron and Cinder.
    #[must_use]
    pub fn catalog(&self) -> Arc<dyn CloudCatalog> {
        Arc::new(Catalog::new(self.clone()))
    }

    /// Where Keystone is, for nodes that act under their cluster's trust: the URL by which this host reaches it. A host
    /// whose nodes reach it by another says so in `Cloud::identity`.
    #[must_use]
    pub fn identity_endpoint(&self) -> IdentityEndpoint {
        let admin = self.inner.identity.trustee_domain_admin.as_ref();
        let (trustee_domain_id, trustee_domain_name) = match admin.map(Credentials::scope) {
            Some(Scope::Domain(DomainRef::Id(id))) => (Some(id.clone()), None),
            Some(Scope::Domain(DomainRef::Name(name))) => (None, Some(name.clone())),
            _ => (None, None),
        };
        IdentityEndpoint {
            auth_url: self.inner.auth_url.as_str().trim_end_matches('/').to_owned(),
            ca: self.inner.wire.roots().map(ToOwned::to_owned),
            region: self.inner.region.clone(),
            trustee_domain_id,
            trustee_domain_name,
        }
    }

    /// What is in projects beside stacks: Octavia, Cinder, Neutron and Nova.
    #[must_use]
    pub fn resources(&self) -> Arc<dyn CloudResources> {
        Arc::new(Resources::new(self.clone()))
    }

    /// The limits in force.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        self.inner.wire.limits()
    }

    /// Logs in and returns the token, for callers that have credentials and no token yet.
    ///
    /// # Errors
    /// `Unauthorized` when they are refused, `Configuration` when they are not scoped to a project.
    pub async fn login(&self, credentials: Credentials) -> Result<UserToken> {
        let deadline = self.inner.wire.deadline();
        let token = self
            .inner
            .log_in(Identity::Credentials(credentials), deadline)
            .await?;
        let user = token.user_token()?;
        let token = Arc::new(token);
        self.inner.tokens.put(Key::user(&user.token), &token);
        Ok(user)
    }

    /// The caller that a token stands for, with roles and domain, as Keystone says.
    ///
    /// For hosts whose web framework hands them a bare `X-Auth-Token`.
    ///
    /// # Errors
    /// `Unauthorized` when Keystone does not accept it, `Configuration` when it has no project.
    pub async fn context(&self, token: &Secret) -> Result<RequestContext> {
        let deadline = self.inner.wire.deadline();
        let identity = Identity::User(token.clone());
        let token = self.inner.token(&identity, None, deadline).await?;
        let (user_domain_id, trust_id) = (token.user_domain_id.clone(), token.trust_id.clone());
        let mut cx = RequestContext::from_token(token.user_token()?)
            .with_roles(token.roles.iter().map(|role| role.name.clone()));
        cx.user_domain_id = user_domain_id;
        cx.trust_id = trust_id;
        Ok(cx)
    }

    /// Whether clusters can be made under this login: whether it can give a trust, told without giving one. Services ask
    /// this themselves before they accept a cluster.
    ///
    /// # Errors
    /// `Forbidden` says why not: trusts, and in patched Keystones application credentials, cannot give trusts.
    /// `Configuration` when the host has no administrator of a trustee domain.
    pub async fn probe_trusts(&self, owner: &UserToken) -> Result<()> {
        self.trusts().check_owner(owner).await
    }

    /// Makes a call to any service under somebody's credentials.
    ///
    /// The answer has a status of success. A token that is refused is renewed once.
    ///
    /// # Errors
    /// What the service answered, by kind; `Configuration` when the catalog does not have the service.
    pub async fn call(&self, auth: &Auth, call: &Call) -> Result<Answer> {
        self.call_as(&self.inner.identity_of(auth)?, call).await
    }

    pub(crate) async fn call_as(&self, identity: &Identity, call: &Call) -> Result<Answer> {
        let inner = &self.inner;
        let deadline = inner.wire.deadline();
        let mut token = inner.token(identity, None, deadline).await?;
        let mut answer = inner.send(call, &token, deadline).await?;
        let own = !matches!(identity, Identity::User(_));
        if answer.status() == StatusCode::UNAUTHORIZED {
            if own {
                token = inner.token(identity, Some(&token), deadline).await?;
                answer = inner.send(call, &token, deadline).await?;
            } else {
                inner.tokens.forget(&identity.key(&inner.identity));
            }
        } else if own && is_not_validated(&answer) {
            match inner.token(identity, Some(&token), deadline).await {
                Ok(renewed) => {
                    token = renewed;
                    answer = inner.send(call, &token, deadline).await?;
                }
                Err(error) if error.kind() == ErrorKind::Unauthorized => return Err(error),
                // Keystone is away indeed.
                Err(_) => {}
            }
        }
        if answer.status().is_success() {
            return Ok(answer);
        }
        Err(fault::error(call, &answer, Some(token.value.expose())))
    }

    /// Whether the catalog has a service in this region, whatever its endpoints are.
    pub(crate) async fn has(&self, auth: &Auth, service: Service) -> Result<bool> {
        let token = self.token_of(&self.inner.identity_of(auth)?).await?;
        Ok(token.catalog.has(service, self.inner.region.as_deref()))
    }

    /// The user that calls under these credentials are made by.
    ///
    /// # Errors
    /// What the login answers.
    pub async fn user_id(&self, auth: &Auth) -> Result<String> {
        let token = self.token_of(&self.inner.identity_of(auth)?).await?;
        Ok(token.user_id.clone())
    }

    /// The project that calls under these credentials are made in.
    pub(crate) async fn project_of(&self, auth: &Auth) -> Result<String> {
        let token = self.token_of(&self.inner.identity_of(auth)?).await?;
        token.user_token().map(|token| token.project_id)
    }

    /// The token in force of an identity.
    pub(crate) async fn token_of(&self, identity: &Identity) -> Result<Arc<Token>> {
        let deadline = self.inner.wire.deadline();
        self.inner.token(identity, None, deadline).await
    }

    /// The identity that administers the trustee domain.
    pub(crate) fn trustee_domain_admin(&self) -> Result<Identity> {
        let credentials = self.inner.identity.trustee_domain_admin.clone();
        credentials
            .map(Identity::Credentials)
            .ok_or_else(no_trustee_domain)
    }

    /// The cloud's administrator, where the host has one.
    pub(crate) fn admin(&self) -> Option<Identity> {
        self.inner.identity.admin.clone().map(Identity::Credentials)
    }

    /// The roles that trusts carry; none means all that the owner's token has.
    pub(crate) fn trust_roles(&self) -> &[String] {
        &self.inner.trust_roles
    }

    /// Logs in anew, leaving the kept tokens alone.
    pub(crate) async fn fresh_login(&self, identity: Identity) -> Result<Token> {
        let deadline = self.inner.wire.deadline();
        self.inner.log_in(identity, deadline).await
    }

    /// Drops the kept token of an identity that is no more.
    pub(crate) fn forget(&self, identity: &Identity) {
        self.inner.tokens.forget(&identity.key(&self.inner.identity));
    }

    pub(crate) fn identity_of(&self, auth: &Auth) -> Result<Identity> {
        self.inner.identity_of(auth)
    }
}

impl fmt::Debug for OpenStack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenStack")
            .field("auth_url", &self.inner.auth_url.as_str())
            .field("region", &self.inner.region)
            .field("interface", &self.inner.interface)
            .finish_non_exhaustive()
    }
}

/// Whether a service could not have a token confirmed, in the words of keystonemiddleware: Keystone is away, or it
/// forbids the confirmation, as of a trust whose owner has lost a role. A new login tells.
fn is_not_validated(answer: &Answer) -> bool {
    const WORDS: &[u8] = b"The Keystone service is temporarily unavailable";
    answer.status() == StatusCode::SERVICE_UNAVAILABLE
        && answer.body().windows(WORDS.len()).any(|part| part == WORDS)
}

fn no_trustee_domain() -> Error {
    Error::new(
        ErrorKind::Configuration,
        "the host has no administrator of a trustee domain, so clusters cannot get users of their own",
    )
    .at(Service::IDENTITY.name(), "trustee")
}

impl Inner {
    fn identity_of(&self, auth: &Auth) -> Result<Identity> {
        match auth {
            Auth::Token(token) => Ok(Identity::User(token.token.clone())),
            Auth::Trust(trust) => Ok(Identity::Trust(trust.clone())),
            Auth::Service => Ok(Identity::Credentials(self.identity.service.clone())),
            Auth::Admin => self
                .identity
                .admin
                .clone()
                .map(Identity::Credentials)
                .ok_or_else(|| {
                    let message = "the host has no administrator of the cloud, who alone could do this";
                    Error::new(ErrorKind::Configuration, message).at(Service::IDENTITY.name(), "login")
                }),
            _ => Err(Error::new(
                ErrorKind::Unsupported,
                "these credentials are of a kind that is not known here",
            )),
        }
    }

    /// Sends a call at the place that the token's catalog names.
    async fn send(&self, call: &Call, token: &Token, deadline: Deadline) -> Result<Answer> {
        // Keystone is where the host says it is: its catalog entry often names an address for others.
        let endpoint = if call.service == Service::IDENTITY {
            self.auth_url.clone()
        } else {
            token
                .catalog
                .endpoint(call.service, self.region.as_deref(), self.interface, token)
                .map_err(|error| error.at(call.service.name(), call.operation))?
        };
        self.wire
            .exchange(call, &endpoint, Some(&token.value), deadline)
            .await
    }
}

impl Inner {
    /// The token of an identity: the kept one, or by a login that everybody who needs it waits for.
    /// A `refused` token is not given out again.
    async fn token(
        self: &Arc<Self>,
        identity: &Identity,
        refused: Option<&Arc<Token>>,
        deadline: Deadline,
    ) -> Result<Arc<Token>> {
        let key = identity.key(&self.identity);
        let now = self.wire.clock().now();
        let found = self.tokens.get(&key, now, refused, || {
            let (inner, identity, key) = (Arc::clone(self), identity.clone(), key.clone());
            async move {
                // Others may wait for this login, so it has a deadline of its own.
                let deadline = inner.wire.deadline();
                let token = Arc::new(inner.log_in(identity, deadline).await?);
                inner.tokens.put(key, &token);
                Ok(token)
            }
            .boxed()
        });
        match found {
            Found::Ready(token) => Ok(token),
            Found::Wait(login) => {
                let remaining = self.wire.remaining(deadline);
                within(self.wire.clock(), remaining, login)
                    .await
                    .unwrap_or_else(|elapsed| {
                        Err(Error::new(ErrorKind::Timeout, "Keystone did not answer in time")
                            .at(Service::IDENTITY.name(), "login")
                            .with_retry(Retry::Later)
                            .with_source(elapsed))
                    })
            }
        }
    }

    /// Waits until few enough logins are under way.
    async fn login_permit(&self, deadline: Deadline) -> Result<SemaphorePermit<'_>> {
        let remaining = self.wire.remaining(deadline);
        match within(self.wire.clock(), remaining, self.logins.acquire()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(Error::new(ErrorKind::Timeout, "too many logins are under way")
                .at(Service::IDENTITY.name(), "login")
                .with_retry(Retry::Later)),
        }
    }

    /// One login. A login changes nothing, so it may be repeated.
    async fn log_in(&self, identity: Identity, deadline: Deadline) -> Result<Token> {
        let _permit = self.login_permit(deadline).await?;
        let call = identity.call();
        let answer = self
            .wire
            .exchange(&call, &self.auth_url, identity.own_token(), deadline)
            .await?;
        match answer.status() {
            status if status.is_success() => {
                Token::read(&answer, identity.own_token(), self.wire.clock().now())
            }
            status if identity.refused_by(status) => {
                Err(Error::new(ErrorKind::Unauthorized, identity.refusal())
                    .at(Service::IDENTITY.name(), call.operation)
                    .with_request_id(answer.request_id()))
            }
            _ => Err(fault::error(
                &call,
                &answer,
                identity.own_token().map(Secret::expose),
            )),
        }
    }
}
