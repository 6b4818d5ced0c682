//! The same cloud on a socket, for clients that are programs of their own.

use std::io;
use std::net::SocketAddr;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use axum::{Router, routing::any};
use bytes::Bytes;
use futures::{future, stream};
use http::StatusCode;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::cloud::SimCloud;

/// A cloud that is being served. Dropping this ends it.
#[derive(Debug)]
pub struct Served {
    base_url: String,
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Served {
    /// The URL before every service's prefix.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Where Keystone is.
    #[must_use]
    pub fn auth_url(&self) -> String {
        format!("{}/identity/v3", self.base_url)
    }

    /// The address listened on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl SimCloud {
    /// Serves the cloud on a loopback address (port 0 picks one). From now on its URLs name that address;
    /// calls in process work for those as well as for the old ones.
    ///
    /// Where a fault breaks a connection, the client gets a 502 whose body breaks off.
    ///
    /// # Errors
    /// When the address cannot be listened on or is not a loopback address: there is no protection here.
    pub async fn serve(&self, address: SocketAddr) -> io::Result<Served> {
        if !address.ip().is_loopback() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "a simulated cloud is served on loopback only",
            ));
        }
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let base_url = format!("http://{address}");
        self.world().set_base_url(base_url.clone());
        let router = Router::new().fallback(any(answer)).with_state(self.clone());
        let task = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::warn!(%error, "the simulated cloud is no longer served");
            }
        });
        Ok(Served {
            base_url,
            address,
            task,
        })
    }
}

async fn answer(State(cloud): State<SimCloud>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, 64 << 20).await else {
        return broken();
    };
    match cloud.handle(http::Request::from_parts(parts, body)).await {
        Ok(response) => response.map(Body::from),
        Err(_) => broken(),
    }
}

/// An answer whose body fails, so that the connection closes in the middle of it.
fn broken() -> Response {
    let fails = future::ready(Err::<Bytes, _>(io::Error::other("injected reset")));
    let mut response = Response::new(Body::from_stream(stream::once(fails)));
    *response.status_mut() = StatusCode::BAD_GATEWAY;
    response
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::super::fault::{At, Effect, Fault};
    use super::super::probe::{Probe, builder};

    async fn get(address: std::net::SocketAddr, path: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        // A connection that breaks off is an answer, too.
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    #[tokio::test]
    async fn a_served_cloud_answers_on_a_socket_and_names_it_in_its_urls() {
        let cloud = builder().build();
        let old = cloud.base_url();
        let served = cloud.serve(([127, 0, 0, 1], 0).into()).await.unwrap();
        let answer = get(served.address(), "/identity/v3").await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(answer.contains(&served.auth_url()), "{answer}");
        // In process, both the new and the old URL are the cloud's.
        let demo = Probe::log_in(&cloud, "demo").await;
        assert_eq!(demo.get("/image/v2/images").await.0, 200);
        let request = http::Request::get(format!("{old}/identity/v3"))
            .body(bytes::Bytes::new())
            .unwrap();
        let answer = magnum_core::HttpTransport::send(&cloud.transport(), request, &Default::default()).await;
        assert_eq!(answer.unwrap().status(), 200);

        cloud.inject(Fault::once(
            At::Call(cloud.request_count()),
            Effect::ResetBefore { sent: true },
        ));
        let broken = get(served.address(), "/identity/v3").await;
        assert!(
            !broken.contains("200 OK") && !broken.ends_with("0\r\n\r\n"),
            "{broken}"
        );
    }

    #[tokio::test]
    async fn a_cloud_is_not_served_to_strangers() {
        let cloud = builder().build();
        assert!(cloud.serve(([0, 0, 0, 0], 0).into()).await.is_err());
    }
}
