//! A small HTTP server that answers as a test says and keeps what it was asked.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

use openssl::ssl::{SslAcceptor, SslFiletype, SslMethod};

use super::authority::Authority;

/// What was asked.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    pub path: String,
    pub headers: Vec<String>,
    pub body: String,
}

impl Asked {
    /// Whether this header line was sent.
    pub fn has_header(&self, line: &str) -> bool {
        self.headers.iter().any(|h| h == line)
    }
}

type Answers = Box<dyn Fn(&Asked) -> (u16, String) + Send + Sync>;

/// A server on loopback; it lives as long as the test's process.
#[derive(Clone)]
pub struct Server {
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    pub fn start(answers: impl Fn(&Asked) -> (u16, String) + Send + Sync + 'static) -> Self {
        Self::accepting(None, answers)
    }

    /// An HTTPS server, with a certificate of this authority.
    pub fn secure(
        authority: &Authority,
        answers: impl Fn(&Asked) -> (u16, String) + Send + Sync + 'static,
    ) -> Self {
        authority.openssl(
            "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=server \
             -addext subjectAltName=IP:127.0.0.1 -keyout server.key -out server.csr",
        );
        authority.openssl(
            "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -days 1 -copy_extensions copyall -out server.pem",
        );
        let mut tls = SslAcceptor::mozilla_intermediate(SslMethod::tls()).unwrap();
        tls.set_private_key_file(authority.file("server.key"), SslFiletype::PEM)
            .unwrap();
        tls.set_certificate_chain_file(authority.file("server.pem"))
            .unwrap();
        Self::accepting(Some(tls.build()), answers)
    }

    fn accepting(
        tls: Option<SslAcceptor>,
        answers: impl Fn(&Asked) -> (u16, String) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (kept, answers): (_, Arc<Answers>) = (Arc::clone(&asked), Arc::new(Box::new(answers)));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (kept, answers, tls) = (Arc::clone(&kept), Arc::clone(&answers), tls.clone());
                std::thread::spawn(move || {
                    let stream = stream.unwrap();
                    match tls {
                        None => serve(stream, &kept, &answers),
                        // Who does not trust the certificate ends the handshake.
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream) {
                                serve(stream, &kept, &answers);
                            }
                        }
                    }
                });
            }
        });
        Self { address, asked }
    }

    /// What was asked so far whose path starts like this.
    pub fn asked(&self, path: &str) -> Vec<Asked> {
        self.asked
            .lock()
            .unwrap()
            .iter()
            .filter(|a| a.path.starts_with(path))
            .cloned()
            .collect()
    }

    pub fn forget(&self) {
        self.asked.lock().unwrap().clear();
    }
}

fn serve(stream: impl std::io::Read + std::io::Write, kept: &Mutex<Vec<Asked>>, answers: &Answers) {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let line = line.trim_end().to_owned();
        if line.is_empty() {
            break;
        }
        lines.push(line);
    }
    let mut first = lines[0].split(' ').map(ToOwned::to_owned);
    let length = lines
        .iter()
        .find_map(|l| l.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).unwrap();
    let asked = Asked {
        method: first.next().unwrap(),
        path: first.next().unwrap(),
        headers: lines[1..].to_vec(),
        body: String::from_utf8(body).unwrap(),
    };
    kept.lock().unwrap().push(asked.clone());
    let (status, text) = answers(&asked);
    let _ = write!(
        reader.get_mut(),
        "HTTP/1.1 {status} Status\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}",
        text.len()
    );
}

/// A server that always answers the same.
pub fn answering(status: u16, body: &'static str) -> Server {
    Server::start(move |_| (status, body.to_owned()))
}
