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
