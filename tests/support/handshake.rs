//! A TLS handshake between two holders of certificates, without a network.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;

use openssl::pkey::{PKey, Private};
use openssl::ssl::{Ssl, SslAcceptor, SslContext, SslMethod, SslVerifyMode};
use openssl::x509::X509;
use openssl::x509::store::{X509Store, X509StoreBuilder};

/// A certificate, its key, and the authorities by which its holder judges others.
#[derive(Clone)]
pub struct Party {
    pub certificate: X509,
    pub key: PKey<Private>,
    pub authorities: Vec<X509>,
}

impl Party {
    fn trusted(&self) -> X509Store {
        let mut store = X509StoreBuilder::new().unwrap();
        for authority in &self.authorities {
            store.add_cert(authority.clone()).unwrap();
        }
        store.build()
    }

    /// Demands a certificate of whoever comes, as `--tlsverify` does; answers one byte.
    fn serves(&self, stream: UnixStream) -> Result<(), String> {
        let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
        acceptor.set_private_key(&self.key).unwrap();
        acceptor.set_certificate(&self.certificate).unwrap();
        acceptor.set_verify_cert_store(self.trusted()).unwrap();
        acceptor.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
        let mut stream = acceptor
            .build()
            .accept(stream)
            .map_err(|error| format!("the server: {error}"))?;
        stream.write_all(b"!").map_err(|error| error.to_string())
    }

    fn calls(&self, stream: UnixStream, host: &str) -> Result<(), String> {
        // Not a connector: that would read all authorities of the system each time.
        let mut context = SslContext::builder(SslMethod::tls_client()).unwrap();
        context.set_private_key(&self.key).unwrap();
        context.set_certificate(&self.certificate).unwrap();
        context.set_cert_store(self.trusted());
        context.set_verify(SslVerifyMode::PEER);
        let mut ssl = Ssl::new(&context.build()).unwrap();
        match host.parse() {
            Ok(address) => ssl.param_mut().set_ip(address).unwrap(),
            Err(_) => ssl.param_mut().set_host(host).unwrap(),
        }
        let mut stream = ssl
            .connect(stream)
            .map_err(|error| format!("the client: {error}"))?;
        stream.read_exact(&mut [0]).map_err(|error| error.to_string())
    }

    /// Whether it may talk to a server that it calls by this address; else who refused, and why.
    pub fn talks_to(&self, server: &Self, host: &str) -> Result<(), String> {
        let (here, there) = UnixStream::pair().unwrap();
        let server = server.clone();
        let served = thread::spawn(move || server.serves(there));
        let called = self.calls(here, host);
        // A server may refuse after the client took the connection for made.
        let served = served.join().unwrap();
        match (called, served) {
            (Err(error), _) if error.starts_with("the client: ") && error.contains("verify failed") => {
                Err(error)
            }
            (called, served) => served.and(called),
        }
    }
}
