//! Calls in process.

use async_trait::async_trait;
use bytes::Bytes;
use magnum_core::{HttpTransport, TlsProfile, TransportError};

use super::cloud::{SimCloud, lock};

/// Calls a [`SimCloud`] without sockets.
///
/// The cloud answers for the authority of its base URL. Other authorities reach what was mounted for them
/// ([`SimCloud::mount`]); to any else there is no route. TLS profiles are not looked at: there is no TLS.
#[derive(Clone, Debug)]
pub struct SimTransport {
    cloud: SimCloud,
}

impl SimTransport {
    pub(crate) fn new(cloud: SimCloud) -> Self {
        Self { cloud }
    }
}

#[async_trait]
impl HttpTransport for SimTransport {
    async fn send(
        &self,
        request: http::Request<Bytes>,
        profile: &TlsProfile,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let Some(authority) = request.uri().authority().map(|a| a.as_str().to_owned()) else {
            return Err(TransportError::not_sent("the request's URI is not absolute"));
        };
        let own = self.cloud.world().answers_for(&authority);
        if own {
            return self.cloud.handle(request).await;
        }
        let mounted = lock(&self.cloud.shared.mounts)
            .iter()
            .rev()
            .find(|(name, _)| *name == authority)
            .map(|(_, transport)| std::sync::Arc::clone(transport));
        match mounted {
            Some(transport) => transport.send(request, profile).await,
            None => Err(TransportError::not_sent(format!("no route to {authority}"))),
        }
    }
}
