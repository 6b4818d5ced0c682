//! A host elsewhere that answers as it is told.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use magnum::*;

use crate::support::scene::Scene;

pub const HOST: &str = "discovery.example";

#[derive(Clone, Debug)]
pub enum Says {
    /// This status and body.
    Text(u16, String),
    /// Nothing, ever.
    Nothing,
}

/// Remembers what it was asked.
#[derive(Debug)]
pub struct Host {
    says: Says,
    asked: Mutex<Vec<String>>,
}

impl Host {
    /// What answers at [`HOST`] in a scene.
    pub fn mounted(scene: &Scene, says: Says) -> Arc<Self> {
        let host = Arc::new(Self {
            says,
            asked: Mutex::default(),
        });
        scene.cloud.mount(HOST, Arc::new(Arc::clone(&host)));
        host
    }

    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// What etcd's discovery says of its size.
pub fn size(members: &str) -> Says {
    let text = format!(
        r#"{{"action":"get","node":{{"key":"/_etcd/registry/x/_config/size","value":"{members}",
            "modifiedIndex":5,"createdIndex":5,"ttl":null,"dir":false}}}}"#
    );
    Says::Text(200, text)
}

#[async_trait]
impl HttpTransport for Host {
    async fn send(
        &self,
        request: http::Request<Bytes>,
        _profile: &TlsProfile,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let asked = format!("{} {}", request.method(), request.uri());
        self.asked.lock().unwrap().push(asked);
        match self.says.clone() {
            Says::Text(status, text) => {
                let answer = http::Response::builder().status(status);
                Ok(answer.body(Bytes::from(text)).unwrap())
            }
            Says::Nothing => std::future::pending().await,
        }
    }
}
