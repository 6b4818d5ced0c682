//! The library's own discovery service: registries in the store, served below the node endpoint.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use crate::model::{ClusterId, DiscoveryRegistry, Revision, discovery_url};
use crate::ports::{Commit, Discovery, Entropy, Store, SystemRandom, Write};
use crate::secret::Secret;
use crate::service::NodeEndpoint;
use crate::{Error, ErrorKind, Result, Retry};

/// The library's own discovery service: the members of etcd ask
/// [`Magnum::node_request`](crate::Magnum::node_request) at `<node endpoint>/v1/discovery/<cluster>/<token>`.
///
/// It needs no service of anybody else's. Registries are kept in the store and go with their clusters.
///
/// ```
/// # use std::sync::Arc;
/// use magnum_core::{Magnum, NodeEndpoint, Store, StoreDiscovery};
/// # fn f(store: Arc<dyn Store>) -> magnum_core::Result<()> {
/// let endpoint = NodeEndpoint::new("https://magnum.example.com/nodes")?;
/// let discovery = StoreDiscovery::new(store.clone(), &endpoint)?;
/// let builder = Magnum::builder()
///     .store(store)
///     .node_endpoint(endpoint)
///     .discovery(Arc::new(discovery));
/// # Ok(()) }
/// ```
pub struct StoreDiscovery {
    store: Arc<dyn Store>,
    prefix: String,
    entropy: Arc<dyn Entropy>,
    others: Option<Arc<dyn Discovery>>,
}

impl StoreDiscovery {
    /// Registries in `store`, reached by nodes below `endpoint`: the same two as the [`Magnum`](crate::Magnum)'s.
    ///
    /// # Errors
    /// `InvalidInput` when the endpoint's URL is too long, or of characters that cannot go into scripts.
    pub fn new(store: Arc<dyn Store>, endpoint: &NodeEndpoint) -> Result<Self> {
        let discovery = Self {
            store,
            prefix: format!("{}/v1/discovery/", endpoint.url()),
            entropy: Arc::new(SystemRandom),
            others: None,
        };
        let example = discovery.url(&DiscoveryRegistry {
            cluster_id: ClusterId(Uuid::nil()),
            token: URL_SAFE_NO_PAD.encode([0; TOKEN_BYTES]),
            size: 1,
            members: Vec::new(),
            revision: Revision(1),
        });
        match discovery_url(&example) {
            Ok(_) => Ok(discovery),
            Err(problem) => Err(Error::field("node_endpoint", endpoint.url(), problem.message)),
        }
    }

    /// Who checks URLs that users give and that are not its own. Without, such URLs are refused.
    #[must_use]
    pub fn with_others(mut self, discovery: Arc<dyn Discovery>) -> Self {
        self.others = Some(discovery);
        self
    }

    /// Where tokens come from. Default the operating system.
    #[must_use]
    pub fn with_entropy(mut self, entropy: Arc<dyn Entropy>) -> Self {
        self.entropy = entropy;
        self
    }

    fn url(&self, registry: &DiscoveryRegistry) -> String {
        format!("{}{}/{}", self.prefix, registry.cluster_id, registry.token)
    }

    fn new_token(&self) -> Result<String> {
        let mut random = zeroize::Zeroizing::new([0u8; TOKEN_BYTES]);
        self.entropy.fill(&mut random[..])?;
        Ok(URL_SAFE_NO_PAD.encode(&random[..]))
    }
}

/// As many as nobody guesses.
const TOKEN_BYTES: usize = 32;

impl fmt::Debug for StoreDiscovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreDiscovery")
            .field("prefix", &self.prefix)
            .field("others", &self.others)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Discovery for StoreDiscovery {
    async fn create(&self, cluster: ClusterId, size: u32) -> Result<Option<String>> {
        let before = self.store.discovery(cluster).await?;
        let registry = match before {
            // Made before a crash, or by a former owner of the cluster's lease.
            Some(made) if made.members.is_empty() => made,
            // Of an earlier try whose servers are gone, if there is one.
            before => {
                let new = DiscoveryRegistry {
                    cluster_id: cluster,
                    token: self.new_token()?,
                    size,
                    members: Vec::new(),
                    revision: before.map_or(Revision(1), |before| before.revision.next()),
                };
                let put = Write::PutDiscovery(Box::new(new.clone()));
                self.store.commit(Commit::new().write(put)).await?;
                new
            }
        };
        size_fits(registry.size, size)?;
        Ok(Some(self.url(&registry)))
    }

    async fn check(&self, url: &str, size: u32) -> Result<()> {
        let Some(own) = url.strip_prefix(&self.prefix) else {
            return match &self.others {
                Some(others) => others.check(url, size).await,
                None => Err(refused("this host can check no discovery URLs but its own")),
            };
        };
        let unknown = || refused("this host does not know the discovery URL");
        let (cluster, token) = own.trim_end_matches('/').split_once('/').ok_or_else(unknown)?;
        let registry = match cluster.parse() {
            Ok(cluster) => of_token(&*self.store, cluster, token).await?,
            Err(_) => None,
        };
        size_fits(registry.ok_or_else(unknown)?.size, size)
    }
}

/// A cluster's registry, for whoever knows its token.
pub(crate) async fn of_token(
    store: &dyn Store,
    cluster: ClusterId,
    token: &str,
) -> Result<Option<DiscoveryRegistry>> {
    let given = Secret::new(token);
    let registry = store.discovery(cluster).await?;
    Ok(registry.filter(|registry| Secret::new(registry.token.as_str()) == given))
}

fn size_fits(members: u32, masters: u32) -> Result<()> {
    if members == masters {
        return Ok(());
    }
    let message =
        format!("the discovery URL is for {members} members of etcd, and the cluster has {masters} masters");
    Err(refused(message))
}

fn refused(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Configuration, message)
        .with_retry(Retry::Never)
        .at("discovery", "store")
}
