//! The caller's token stops working between the call and the work: the create ends, says why, and leaves nothing.

use std::time::Duration;

use magnum::openstack::{Call, Service};
use magnum::*;

use crate::Outcome;
use crate::site::Site;

pub async fn revoked_in_between() -> Outcome {
    let text = |error: Error| format!("{error:?}");
    let site = Site::open("demo", true).await.map_err(text)?;
    let cluster = site.accept("revoked", 1).await.map_err(text)?;
    let token = site.cx.token.clone().ok_or("no token")?;
    let subject = http::HeaderValue::from_str(token.token.expose()).map_err(|e| e.to_string())?;
    let revoke = Call::delete(Service::IDENTITY, "token.revoke", "/auth/tokens")
        .header(http::HeaderName::from_static("x-subject-token"), subject);
    site.openstack
        .call(&Auth::Token(token), &revoke)
        .await
        .map_err(text)?;
    ends_unauthorized(&site, cluster.id).await
}

pub async fn expired_in_between() -> Outcome {
    let text = |error: Error| format!("{error:?}");
    let mut site = Site::open("demo", true).await.map_err(text)?;
    // As if the token had been taken long ago: Keystone's own expiry is far, ours is near. It counts whole seconds, and
    // may round up.
    let cluster = {
        let soon = jiff::Timestamp::now()
            .checked_add(Duration::from_secs(9))
            .map_err(|e| e.to_string())?;
        let short = short_token(&site, 8).await?;
        site.cx = site.openstack.context(&short).await.map_err(text)?;
        let expires = site.cx.token.as_ref().map(|token| token.expires_at);
        if expires.is_none_or(|at| at > soon) {
            return Err(format!("the token expires at {expires:?}, not by {soon}"));
        }
        site.accept("expired", 1).await.map_err(text)?
    };
    tokio::time::sleep(Duration::from_secs(11)).await;
    ends_unauthorized(&site, cluster.id).await
}

async fn short_token(site: &Site, seconds: u32) -> Result<Secret, String> {
    let _ = site;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/openstack/cloud/cloud");
    let output = tokio::process::Command::new(script)
        .args(["token", "demo", &seconds.to_string()])
        .output()
        .await
        .map_err(|e| e.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    Ok(Secret::new(String::from_utf8_lossy(&output.stdout).trim()))
}

async fn ends_unauthorized(site: &Site, id: ClusterId) -> Outcome {
    let text = |error: Error| format!("{error:?}");
    let _conductor = site.conductor(None).map_err(text)?;
    let ended = site
        .ended(id, Duration::from_secs(120))
        .await?
        .ok_or("the cluster is gone")?;
    let code = ended.fault.as_ref().map(|fault| fault.code);
    if ended.status != ClusterStatus::CREATE_FAILED || code != Some(FailureCode::Authorization) {
        return Err(format!("{}: {:?}", ended.status, ended.status_reason));
    }
    let reason = ended.status_reason.unwrap_or_default();
    // Nothing is left already now; what remains to delete is the row.
    site.gone(id).await?;
    Ok(format!("\"{reason}\""))
}
