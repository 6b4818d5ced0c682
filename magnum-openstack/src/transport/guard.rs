//! What keeps a transport to the addresses that an egress policy permits.

use std::net::SocketAddr;
use std::sync::Arc;

use magnum_core::{EgressPolicy, literal_address};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Resolves names, and tells of permitted addresses only: what was judged is what is connected to.
pub(super) struct Guard(pub(super) Arc<dyn EgressPolicy>);

/// No address is left.
#[derive(Debug, thiserror::Error)]
#[error("this host does not connect to its address")]
pub(super) struct Denied;

impl Guard {
    /// An address that is its URL's host is not resolved, so it is judged here.
    pub(super) fn check(&self, url: &reqwest::Url) -> Result<(), Denied> {
        match literal_address(url) {
            Some(address) if !self.0.permits(address) => Err(Denied),
            _ => Ok(()),
        }
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = Arc::clone(&self.0);
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let permitted: Vec<SocketAddr> = found.filter(|found| policy.permits(found.ip())).collect();
            if permitted.is_empty() {
                return Err(Denied.into());
            }
            Ok(Box::new(permitted.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, TcpListener};

    use bytes::Bytes;
    use magnum_core::{DefaultEgress, HttpTransport, TlsProfile, TransportError};
    use wiremock::matchers::path;
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use crate::ReqwestTransport;

    use super::*;

    async fn ask(egress: DefaultEgress, url: &str) -> Result<http::Response<Bytes>, TransportError> {
        let request = http::Request::get(url).body(Bytes::new()).unwrap();
        ReqwestTransport::guarded(Arc::new(egress))
            .send(request, &TlsProfile::default())
            .await
    }

    fn local() -> DefaultEgress {
        DefaultEgress::default().allow("127.0.0.0/8".parse().unwrap())
    }

    #[tokio::test]
    async fn a_denied_address_is_never_connected_to() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        for host in [
            "127.0.0.1",
            "127.1",
            "0x7f000001",
            "2130706433",
            "017700000001",
            "0.0.0.0",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[::]",
            "localhost",
            "localhost.",
            "LOCALHOST",
        ] {
            let url = format!("http://{host}:{port}/secret?token=abc");
            let error = ask(DefaultEgress::default(), &url).await.unwrap_err();
            assert!(!error.sent, "{url}: {error}");
            assert!(
                error.message.contains("does not connect to its address"),
                "{url}: {error}"
            );
            assert!(!error.message.contains("secret"), "{url}: {error}");
        }
        let nobody = listener.accept().unwrap_err();
        assert_eq!(
            nobody.kind(),
            std::io::ErrorKind::WouldBlock,
            "somebody has connected"
        );
    }

    /// Knows nothing of loopback in a URL, as if the name were any that a tenant owns.
    #[derive(Debug)]
    struct NoRoute;

    impl EgressPolicy for NoRoute {
        fn permits(&self, _address: IpAddr) -> bool {
            false
        }
    }

    #[tokio::test]
    async fn a_name_gives_its_permitted_addresses_only() {
        let name = || "localhost".parse::<Name>().unwrap();
        let found = Guard(Arc::new(local())).resolve(name()).await.unwrap();
        let found: Vec<IpAddr> = found.map(|address| address.ip()).collect();
        assert_eq!(found, ["127.0.0.1".parse::<IpAddr>().unwrap()]);
        let denied = Guard(Arc::new(NoRoute)).resolve(name()).await.map(|_| ());
        assert!(denied.unwrap_err().is::<Denied>());
    }

    #[tokio::test]
    async fn a_permitted_address_answers_and_its_redirects_are_not_followed() {
        let server = MockServer::start().await;
        Mock::given(path("/moved"))
            .respond_with(ResponseTemplate::new(302).insert_header("location", "/elsewhere"))
            .expect(2)
            .mount(&server)
            .await;
        Mock::given(path("/elsewhere"))
            .respond_with(ResponseTemplate::new(200))
            .expect(0)
            .mount(&server)
            .await;
        let port = server.address().port();
        for host in ["127.0.0.1", "localhost"] {
            let answer = ask(local(), &format!("http://{host}:{port}/moved"))
                .await
                .unwrap();
            assert_eq!(answer.status(), 302);
        }
    }

    #[tokio::test]
    async fn an_answer_has_64_kib_at_most() {
        let server = MockServer::start().await;
        for (name, size) in [("fits", 64 << 10), ("large", (64 << 10) + 1)] {
            Mock::given(path(name))
                .respond_with(ResponseTemplate::new(200).set_body_string("x".repeat(size)))
                .mount(&server)
                .await;
        }
        assert!(ask(local(), &format!("{}/fits", server.uri())).await.is_ok());
        let error = ask(local(), &format!("{}/large", server.uri()))
            .await
            .unwrap_err();
        assert!(error.message.contains("more than 65536 bytes"), "{error}");
    }
}
