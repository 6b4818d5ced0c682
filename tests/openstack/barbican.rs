//! Certificates in the real Barbican: in a cluster's life, by the rules of certificate stores, and as the original
//! Magnum left them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use magnum::certs::{BarbicanCertManager, FixtureKeys};
use magnum::openstack::{Call, OpenStack, ReqwestTransport, Service};
use magnum::testing::cert_manager;
use magnum::*;
use openssl::pkey::PKey;
use openssl::symm::Cipher;
use serde_json::{Value, json};

use crate::Outcome;
use crate::life::certificates_fit;
use crate::site::{self, Certified, Site};

/// A life whose certificates are in Barbican, and only there.
pub async fn life() -> Outcome {
    let text = |error: Error| format!("{error:?}");
    let site = Site::certified("demo", Certified::Barbican).await.map_err(text)?;
    let _conductor = site.conductor(None).map_err(text)?;
    let id = site.accept("barbican", 1).await.map_err(text)?.id;
    for (nodes, expected) in [
        (1, ClusterStatus::CREATE_COMPLETE),
        (2, ClusterStatus::UPDATE_COMPLETE),
    ] {
        if nodes > 1 {
            let options = UpdateOptions::default();
            let scaled = site.magnum.scale_cluster(&site.cx, id, nodes, options).await;
            scaled.map_err(text)?;
        }
        let seen = site
            .ended(id, Duration::from_secs(300))
            .await?
            .ok_or("the cluster is gone")?;
        let addresses = seen.node_addresses();
        if seen.status != expected || addresses.len() != nodes as usize {
            return Err(format!("{}: {:?} {addresses:?}", seen.status, seen.status_reason));
        }
        if nodes == 1 {
            certificates_fit(&site, id, &addresses[0]).await?;
        }
        let held = held(&site.openstack, id).await.map_err(text)?;
        if held != (4, 2) {
            return Err(format!("(secrets, containers) of the cluster: {held:?}"));
        }
    }
    site.gone(id).await?;
    match held(&site.openstack, id).await.map_err(text)? {
        (0, 0) => Ok("2 certificates in Barbican, 0 left".into()),
        left => Err(format!("left in Barbican (secrets, containers): {left:?}")),
    }
}

/// The rules that can be tried without breaking anything, hostile names among them.
pub async fn rules() -> Outcome {
    let openstack = site::openstack(Arc::new(ReqwestTransport::new())).map_err(|error| error.to_string())?;
    let make = || Arc::new(BarbicanCertManager::new(&openstack));
    cert_manager::what_was_stored_is_fetched_until_it_is_deleted(make()).await;
    cert_manager::find_returns_exactly_what_has_the_name(make()).await;
    cert_manager::what_is_gone_is_not_found(make()).await;
    cert_manager::foreign_references_are_refused(make()).await;
    Ok("4 rules".into())
}

/// What fails half way, at each of its calls and in both ways, leaves nothing that is not found and removed.
pub async fn failures() -> Outcome {
    // The rules' futures stay on one thread.
    let own_thread = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.map_err(|error| error.to_string())?.block_on(broken())
    };
    let ended = tokio::task::spawn_blocking(own_thread).await;
    ended.map_err(|error| error.to_string())?
}

async fn broken() -> Outcome {
    let openstack = site::openstack(Arc::new(ReqwestTransport::new())).map_err(|error| error.to_string())?;
    let held = async |name: &str| {
        let mut count = 0;
        for path in ["/secrets", "/containers"] {
            let call = Call::get(Service::KEY_MANAGER, "held", path).query("name", name.to_owned());
            let listed = openstack.call(&Auth::Service, &call).await.unwrap();
            let listed: Value = listed.json().unwrap();
            count += usize::try_from(listed["total"].as_u64().unwrap()).unwrap();
        }
        count
    };
    for effect in [false, true] {
        let failing = async |calls: usize| {
            let breaking = Breaking {
                inner: ReqwestTransport::new(),
                left: AtomicUsize::new(calls),
                effect,
            };
            let openstack = site::openstack(Arc::new(breaking)).unwrap();
            Arc::new(BarbicanCertManager::new(&openstack)) as Arc<dyn CertManager>
        };
        let manager: Arc<dyn CertManager> = Arc::new(BarbicanCertManager::new(&openstack));
        cert_manager::a_failed_store_leaves_nothing_hidden(Arc::clone(&manager), &failing, &held).await;
        cert_manager::a_failed_delete_can_be_repeated(manager, &failing, &held).await;
    }
    Ok("store and delete broken at each call, done or not: nothing left".into())
}

/// A connection that breaks: so many calls go through, and the last of them, with `effect`, without its answer.
#[derive(Debug)]
struct Breaking {
    inner: ReqwestTransport,
    left: AtomicUsize,
    effect: bool,
}

#[async_trait::async_trait]
impl HttpTransport for Breaking {
    async fn send(
        &self,
        request: http::Request<bytes::Bytes>,
        profile: &TlsProfile,
    ) -> Result<http::Response<bytes::Bytes>, TransportError> {
        let through = |left: usize| left.checked_sub(1);
        let before = self
            .left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, through);
        match before {
            Ok(left) if left > 1 || !self.effect => self.inner.send(request, profile).await,
            Ok(_) => {
                let _ = self.inner.send(request, profile).await;
                Err(TransportError::maybe_sent("connection reset"))
            }
            Err(_) => Err(TransportError::maybe_sent("connection reset")),
        }
    }
}

/// A container as the original stored it: an encrypted key with its passphrase, as bytes or as text, and a consumer.
pub async fn original() -> Outcome {
    let text = |error: Error| format!("{error:?}");
    let openstack = site::openstack(Arc::new(ReqwestTransport::new())).map_err(text)?;
    let manager = BarbicanCertManager::new(&openstack);
    let plain = FixtureKeys::danger_seeded(0).generate().await.map_err(text)?;
    let encrypted = PKey::private_key_from_pem(plain.expose().as_bytes())
        .and_then(|key| key.private_key_to_pem_pkcs8_passphrase(Cipher::aes_256_cbc(), b"pass word"))
        .map_err(|error| error.to_string())?;
    let encrypted = String::from_utf8(encrypted).map_err(|error| error.to_string())?;
    let certificate = "-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n";
    for binary in [true, false] {
        let mut parts = Vec::new();
        for (name, payload) in [
            ("certificate", certificate),
            ("private_key", &encrypted),
            ("private_key_passphrase", "pass word"),
        ] {
            let body = if binary {
                json!({
                    "name": name,
                    "payload": BASE64_STANDARD.encode(payload),
                    "payload_content_type": "application/octet-stream",
                    "payload_content_encoding": "base64",
                })
            } else {
                json!({"name": name, "payload": payload, "payload_content_type": "text/plain"})
            };
            let made = post(&openstack, "/secrets", None, &body).await.map_err(text)?;
            parts.push(json!({"name": name, "secret_ref": made["secret_ref"]}));
        }
        let body = json!({"name": "Magnum TLS Cert", "type": "certificate", "secret_refs": parts});
        let made = post(&openstack, "/containers", None, &body).await.map_err(text)?;
        let url = made["container_ref"].as_str().unwrap_or_default().to_owned();
        let id = url.rsplit('/').next().unwrap_or_default().to_owned();
        let consumer = json!({"name": "Magnum", "URL": "c1"});
        post(&openstack, "/containers/{id}/consumers", Some(&id), &consumer)
            .await
            .map_err(text)?;
        for url in [url, format!("http://192.0.2.1:9311/v1/containers/{id}")] {
            let reference = CertRef {
                backend: "barbican".into(),
                reference: url,
            };
            let fetched = manager.fetch(&reference).await.map_err(text)?;
            if fetched.private_key != plain || fetched.certificate != certificate {
                return Err(format!("fetched something else (binary: {binary})"));
            }
        }
        let reference = CertRef {
            backend: "barbican".into(),
            reference: format!("containers/{id}"),
        };
        manager.delete(&reference).await.map_err(text)?;
        manager.delete(&reference).await.map_err(text)?;
        let gone = manager.fetch(&reference).await.map_err(|error| error.kind());
        if gone != Err(ErrorKind::NotFound) {
            return Err("what was deleted is still there".into());
        }
    }
    Ok("bytes and text, encrypted, with a consumer".into())
}

async fn post(openstack: &OpenStack, path: &'static str, id: Option<&str>, body: &Value) -> Result<Value> {
    let mut call = Call::post(Service::KEY_MANAGER, "original", path).json(body);
    if let Some(id) = id {
        call = call.segment(id);
    }
    openstack.call(&Auth::Service, &call).await?.json()
}

/// How many secrets and containers Barbican holds under a cluster's names.
pub async fn held(openstack: &OpenStack, id: ClusterId) -> Result<(u64, u64)> {
    let mut counts = [0; 2];
    for (count, path) in counts.iter_mut().zip(["/secrets", "/containers"]) {
        let call = Call::get(Service::KEY_MANAGER, "held", path).query("name", format!("magnum-{id}-%"));
        let listed: Value = openstack.call(&Auth::Service, &call).await?.json()?;
        *count = listed["total"].as_u64().unwrap_or(u64::MAX);
    }
    Ok((counts[0], counts[1]))
}
