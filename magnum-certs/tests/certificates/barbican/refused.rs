//! What Barbican refuses keeps its kind and tells nothing.

use async_trait::async_trait;
use bytes::Bytes;
use magnum_core::{CertManager, CertificateBundle, ErrorKind, HttpTransport, TlsProfile, TransportError};
use magnum_openstack::sim::SimTransport;

use super::{Setting, bundle, key};

#[tokio::test(start_paused = true)]
async fn refusals_keep_their_kind() {
    for (status, kind) in [
        (401, ErrorKind::Unauthorized),
        (403, ErrorKind::Forbidden),
        (413, ErrorKind::InvalidInput),
        (429, ErrorKind::RateLimited),
        (500, ErrorKind::Unavailable),
    ] {
        let setting = Setting::new();
        let manager = setting.manager();
        let stored = manager.store("magnum-c1-ca", bundle().await).await.unwrap();
        setting.refuse("/key-manager", status);
        let outcomes = [
            manager.store("magnum-c1-ca", bundle().await).await.map(drop),
            manager.fetch(&stored).await.map(drop),
            manager.delete(&stored).await,
            manager.find("magnum-c1-ca").await.map(drop),
        ];
        for outcome in outcomes {
            let error = outcome.unwrap_err();
            assert_eq!(error.kind(), kind, "{status}: {error:?}");
            assert_eq!(error.origin(), "barbican");
        }
        setting.cloud.clear_faults();
        assert_eq!(manager.fetch(&stored).await.unwrap(), bundle().await);
    }
    let setting = Setting::new();
    let large = CertificateBundle {
        certificate: "x".repeat(20_001),
        ..bundle().await
    };
    let error = setting.manager().store("magnum-c1-ca", large).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(setting.held(), 0);
}

/// A Barbican that repeats what it was sent, as Python writes it.
#[derive(Debug)]
struct Echo(SimTransport);

#[async_trait]
impl HttpTransport for Echo {
    async fn send(
        &self,
        request: http::Request<Bytes>,
        profile: &TlsProfile,
    ) -> Result<http::Response<Bytes>, TransportError> {
        if request.uri().path() != "/key-manager/v1/secrets" {
            return self.0.send(request, profile).await;
        }
        let sent: serde_json::Value = serde_json::from_slice(request.body()).unwrap();
        let quoted = format!("{:?} is not of type 'object'", sent["payload"].as_str().unwrap());
        let body =
            serde_json::json!({"code": 400, "title": "Bad Request", "description": quoted}).to_string();
        Ok(http::Response::builder().status(400).body(body.into()).unwrap())
    }
}

#[tokio::test(start_paused = true)]
async fn no_message_repeats_a_key() {
    let setting = Setting::new();
    let manager = setting.over(Echo(setting.cloud.transport()));
    let given = CertificateBundle {
        certificate: key().await.expose().into(),
        ..bundle().await
    };
    let error = manager.store("magnum-c1-ca", given).await.unwrap_err();
    let told = format!("{error} {error:?}");
    assert!(told.contains("is not of type"), "{told}");
    for line in key().await.expose().lines() {
        assert!(!told.contains(line), "{told}");
    }
    let shown = format!("{manager:?} {:?}", bundle().await);
    assert!(
        !shown.contains("secret\"") && !shown.contains("BEGIN PRIVATE"),
        "{shown}"
    );
}
