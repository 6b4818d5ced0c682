//! A TLS server on loopback that stands for a cluster's API: it lets in whom the cluster's authority has certified.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use openssl::ssl::SslAcceptor;

use super::certificate::subject;
use super::handshake::Party;

/// What happened to a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Visit {
    /// No connection came about; why, in the words of OpenSSL.
    Refused(String),
    /// A client with this subject asked for this path and got this status.
    Answered(String, String, u16),
}

/// What a client asks.
#[derive(Debug)]
pub struct Question<'a> {
    /// The subject of the client's certificate.
    pub client: &'a str,
    pub method: &'a str,
    /// Without a query.
    pub path: &'a str,
}

/// What it is answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

impl Answer {
    pub fn new(status: u16, kind: &str, body: String) -> Self {
        Self {
            status,
            headers: vec![("Content-Type", kind.to_owned())],
            body,
        }
    }
}

/// What is known of the connections so far.
#[derive(Debug, Default)]
struct Visits {
    open: usize,
    ended: Vec<Visit>,
}

#[derive(Clone, Debug)]
pub struct TlsService(Arc<(Mutex<Visits>, Condvar)>);

impl TlsService {
    /// Serves as long as the process lives. As an HTTP proxy it leads to itself, for who calls it by `address`, host
    /// and port.
    pub fn serve(
        listener: TcpListener,
        server: &Party,
        address: &str,
        answer: impl Fn(&Question<'_>) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let acceptor = server.acceptor();
        let service = Self(Arc::default());
        let (served, address, answer) = (service.clone(), address.to_owned(), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (service, acceptor) = (served.clone(), acceptor.clone());
                let (address, answer) = (address.clone(), Arc::clone(&answer));
                service.0.0.lock().unwrap().open += 1;
                thread::spawn(move || {
                    service.end(visit(&acceptor, stream.unwrap(), &address, &*answer));
                });
            }
        });
        service
    }

    fn end(&self, visit: Option<Visit>) {
        let mut visits = self.0.0.lock().unwrap();
        visits.open -= 1;
        visits.ended.extend(visit);
        self.0.1.notify_all();
    }

    /// The connections since the last call, once none is open.
    pub fn visits(&self) -> Vec<Visit> {
        let visits = self.0.0.lock().unwrap();
        let (mut visits, late) = self
            .0
            .1
            .wait_timeout_while(visits, Duration::from_secs(60), |visits| visits.open > 0)
            .unwrap();
        assert!(!late.timed_out(), "a connection does not end: {visits:?}");
        std::mem::take(&mut visits.ended)
    }

    /// Who was answered what; panics when a connection failed.
    pub fn answered(&self) -> Vec<(String, String, u16)> {
        let one = |visit| match visit {
            Visit::Answered(client, path, status) => (client, path, status),
            Visit::Refused(why) => panic!("a connection failed: {why}"),
        };
        self.visits().into_iter().map(one).collect()
    }

    /// Why connections failed; panics when anything was answered, or nobody came.
    pub fn refusals(&self) -> Vec<String> {
        let visits = self.visits();
        assert!(!visits.is_empty(), "nobody came");
        let one = |visit| match visit {
            Visit::Refused(why) => why,
            answered => panic!("it should have been refused: {answered:?}"),
        };
        visits.into_iter().map(one).collect()
    }
}

/// Serves a connection; one on which nothing was said is none.
fn visit(
    acceptor: &SslAcceptor,
    mut stream: TcpStream,
    address: &str,
    answer: &dyn Fn(&Question<'_>) -> Answer,
) -> Option<Visit> {
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut first = [0];
    if !matches!(stream.peek(&mut first), Ok(1)) {
        return None;
    }
    let visit = match first {
        // TLS begins with another byte.
        [b'C'] => connected(&mut stream, address),
        _ => Ok(()),
    };
    let visit = visit.and_then(|()| conversation(acceptor, stream, answer));
    Some(visit.unwrap_or_else(Visit::Refused))
}

/// What a proxy does with `CONNECT`.
fn connected(stream: &mut TcpStream, address: &str) -> Result<(), String> {
    let head = head(stream)?;
    if !head.starts_with(&format!("CONNECT {address} HTTP/1.1\r\n")) {
        return Err(format!("a proxy to {address} was asked for {head:?}"));
    }
    stream
        .write_all(b"HTTP/1.1 200 OK\r\n\r\n")
        .map_err(|error| error.to_string())
}

fn head(stream: &mut impl Read) -> Result<String, String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            // The client has hung up, or does not like our certificate.
            Ok(_) => return Err("nothing was asked".to_owned()),
            Err(error) => return Err(error.to_string()),
        }
    }
    Ok(String::from_utf8(head).unwrap())
}

fn conversation(
    acceptor: &SslAcceptor,
    stream: TcpStream,
    answer: &dyn Fn(&Question<'_>) -> Answer,
) -> Result<Visit, String> {
    let mut stream = acceptor.accept(stream).map_err(|error| error.to_string())?;
    let peer = stream.ssl().peer_certificate().unwrap();
    let client = subject(peer.subject_name());
    let request = head(&mut stream)?;
    let mut words = request.split(' ');
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    let path = target.split('?').next().unwrap();
    let client = client.as_str();
    let Answer {
        status,
        headers,
        body,
    } = answer(&Question { client, method, path });
    let length = body.len();
    let mut text = format!("HTTP/1.1 {status} x\r\nContent-Length: {length}\r\nConnection: close\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    if method != "HEAD" {
        text.push_str(&body);
    }
    let _ = stream.write_all(text.as_bytes());
    let _ = stream.shutdown();
    Ok(Visit::Answered(client.to_owned(), path.to_owned(), status))
}
