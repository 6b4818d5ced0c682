//! A TLS handshake between two holders of certificates, without a network, by OpenSSL and by rustls.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread;

use openssl::pkey::{PKey, Private};
use openssl::ssl::{Ssl, SslAcceptor, SslContext, SslMethod, SslVerifyMode};
use openssl::x509::X509;
use openssl::x509::store::{X509Store, X509StoreBuilder};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection};

/// Who does the TLS of a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Library {
    OpenSsl,
    Rustls,
}

/// Client's and server's.
pub const PAIRINGS: [(Library, Library); 4] = [
    (Library::OpenSsl, Library::OpenSsl),
    (Library::OpenSsl, Library::Rustls),
    (Library::Rustls, Library::OpenSsl),
    (Library::Rustls, Library::Rustls),
];

/// A certificate, its key, and the authorities by which its holder judges others.
#[derive(Clone)]
pub struct Party {
    pub certificate: X509,
    pub key: PKey<Private>,
    pub authorities: Vec<X509>,
}

type Talk = Result<(), String>;

impl Party {
    fn trusted(&self) -> X509Store {
        let mut store = X509StoreBuilder::new().unwrap();
        for authority in &self.authorities {
            store.add_cert(authority.clone()).unwrap();
        }
        store.build()
    }

    /// Demands a certificate of whoever comes, as `--tlsverify` does.
    pub fn acceptor(&self) -> SslAcceptor {
        let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
        acceptor.set_private_key(&self.key).unwrap();
        acceptor.set_certificate(&self.certificate).unwrap();
        acceptor.check_private_key().unwrap();
        acceptor.set_verify_cert_store(self.trusted()).unwrap();
        acceptor.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
        acceptor.build()
    }

    /// Not a connector: that would read all authorities of the system each time.
    fn openssl_client(&self, host: &str, shows_certificate: bool) -> Ssl {
        let mut context = SslContext::builder(SslMethod::tls_client()).unwrap();
        if shows_certificate {
            context.set_private_key(&self.key).unwrap();
            context.set_certificate(&self.certificate).unwrap();
        }
        context.set_cert_store(self.trusted());
        context.set_verify(SslVerifyMode::PEER);
        let mut ssl = Ssl::new(&context.build()).unwrap();
        match host.parse() {
            Ok(address) => ssl.param_mut().set_ip(address).unwrap(),
            Err(_) => ssl.param_mut().set_host(host).unwrap(),
        }
        ssl
    }

    fn chain(&self) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        let certificate = CertificateDer::from(self.certificate.to_der().unwrap());
        let key = PrivateKeyDer::Pkcs8(self.key.private_key_to_pkcs8().unwrap().into());
        (vec![certificate], key)
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        for authority in &self.authorities {
            roots.add(authority.to_der().unwrap().into()).unwrap();
        }
        roots
    }

    fn rustls_server(&self) -> ServerConfig {
        let (chain, key) = self.chain();
        let roots = Arc::new(self.roots());
        let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider());
        ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier.build().unwrap())
            .with_single_cert(chain, key)
            .unwrap()
    }

    fn rustls_client(&self, shows_certificate: bool) -> ClientConfig {
        let config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(self.roots());
        if shows_certificate {
            let (chain, key) = self.chain();
            config.with_client_auth_cert(chain, key).unwrap()
        } else {
            config.with_no_client_auth()
        }
    }

    /// Answers one byte to whom it lets in.
    fn serves(&self, library: Library, mut stream: UnixStream) -> Talk {
        match library {
            Library::OpenSsl => {
                let mut stream = self.acceptor().accept(stream).map_err(of_server)?;
                stream.write_all(b"!").map_err(of_server)
            }
            Library::Rustls => {
                let config = Arc::new(self.rustls_server());
                let mut connection = ServerConnection::new(config).unwrap();
                while connection.is_handshaking() {
                    connection.complete_io(&mut stream).map_err(of_server)?;
                }
                let mut stream = rustls::Stream::new(&mut connection, &mut stream);
                stream.write_all(b"!").map_err(of_server)
            }
        }
    }

    fn calls(&self, library: Library, mut stream: UnixStream, host: &str, shows_certificate: bool) -> Talk {
        match library {
            Library::OpenSsl => {
                let ssl = self.openssl_client(host, shows_certificate);
                let mut stream = ssl.connect(stream).map_err(of_client)?;
                stream.read_exact(&mut [0]).map_err(of_client)
            }
            Library::Rustls => {
                let config = Arc::new(self.rustls_client(shows_certificate));
                let name = ServerName::try_from(host.to_owned()).unwrap();
                let mut connection = ClientConnection::new(config, name).unwrap();
                let mut stream = rustls::Stream::new(&mut connection, &mut stream);
                stream.read_exact(&mut [0]).map_err(of_client)
            }
        }
    }

    /// Whether it may talk to a server that it calls by this address; else who refused, and why.
    pub fn talks_to(&self, server: &Self, host: &str) -> Talk {
        self.talks(server, host, PAIRINGS[0], true)
    }

    /// The same by the client's and the server's library, with a certificate or without.
    pub fn talks(
        &self,
        server: &Self,
        host: &str,
        (mine, theirs): (Library, Library),
        shows_certificate: bool,
    ) -> Talk {
        let (here, there) = UnixStream::pair().unwrap();
        let server = server.clone();
        let served = thread::spawn(move || server.serves(theirs, there));
        let called = self.calls(mine, here, host, shows_certificate);
        // Who was told of a refusal repeats it as an alert; a server may refuse after the client took the connection
        // for made.
        let told = |talk: &Talk| talk.as_ref().is_err_and(|why| is_hearsay(why));
        match (called, served.join().unwrap()) {
            (Err(why), served) if !is_hearsay(&why) || served.is_ok() || told(&served) => Err(why),
            (called, served) => served.and(called),
        }
    }
}

/// The one that is here anyway, whatever else is compiled in.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

fn of_server(error: impl std::fmt::Display) -> String {
    format!("the server: {error}")
}

fn of_client(error: impl std::fmt::Display) -> String {
    format!("the client: {error}")
}

/// What a side says whom the other has refused.
fn is_hearsay(why: &str) -> bool {
    ["alert", "eof", "reset", "Broken pipe", "closed"]
        .iter()
        .any(|word| why.contains(word))
}
