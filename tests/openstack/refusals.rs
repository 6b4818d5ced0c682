//! Bad input and bad weather: each a clear error, in the status reason where the operation had begun.

use std::time::Duration;

use magnum::openstack::{Credentials, DomainRef, Named};
use magnum::*;

use crate::site::{self, Site};
use crate::{Outcome, Scenario};

pub fn all() -> Vec<(String, Scenario)> {
    vec![
        (
            "unknown_image".into(),
            Box::pin(bad_image("nowhere", "image_id 'nowhere'")),
        ),
        (
            "image_without_os_distro".into(),
            Box::pin(bad_image("no-distro", "os_distro")),
        ),
        ("wrong_credentials".into(), Box::pin(wrong_credentials())),
        ("quota_exhausted".into(), Box::pin(quota_exhausted())),
        ("node_script_fails".into(), Box::pin(node_script_fails())),
    ]
}

async fn bad_image(image: &'static str, says: &'static str) -> Outcome {
    let site = Site::open("demo", true).await.map_err(|e| format!("{e:?}"))?;
    let spec = TemplateSpec::new("docker", image, "public").with_keypair("testkey");
    match site.magnum.create_template(&site.cx, spec).await {
        Err(error) if error.kind() == ErrorKind::InvalidInput && error.to_string().contains(says) => {
            Ok(format!("\"{error}\""))
        }
        other => Err(format!("{other:?}")),
    }
}

async fn wrong_credentials() -> Outcome {
    let site = Site::open("demo", true).await.map_err(|e| format!("{e:?}"))?;
    let wrong = Credentials::password(Named::new("demo", DomainRef::id("default")), "not-it")
        .in_project(Named::new("demo", DomainRef::id("default")));
    match site.openstack.login(wrong).await {
        Err(error) if error.kind() == ErrorKind::Unauthorized && !error.to_string().contains("not-it") => {
            Ok(format!("\"{error}\""))
        }
        other => Err(format!("{other:?}")),
    }
}

/// The quota holds one of two servers: that is told before anything is made, and, where somebody takes what was left
/// afterwards, in mid-stack.
async fn quota_exhausted() -> Outcome {
    let text = |error: Error| format!("{error:?}");
    let site = Site::open("other", true).await.map_err(text)?;
    let id = site.accept("quota", 2).await.map_err(text)?.id;
    site::set_compute_quota("other", 1).await.map_err(text)?;
    let early = site.accept("more", 2).await;
    let late = fails(&site, id, FailureCode::Quota, "uota exceeded", "docker_host").await;
    site::set_compute_quota("other", -1).await.map_err(text)?;
    match early {
        Err(error) if error.kind() == ErrorKind::Quota && error.problems()[0].field == "quota.instances" => {
            late.map(|reason| format!("at once: \"{error}\"; later: {reason}"))
        }
        other => Err(format!("{other:?}")),
    }
}

async fn node_script_fails() -> Outcome {
    let site = Site::open("demo", true).await.map_err(|e| format!("{e:?}"))?;
    // Servers are named after their place and their stack, and that after the cluster.
    let fault = r#"{"name-prefix": "docker-0-badnode", "fail": {"apt-get": 100}}"#;
    let directory = site::state().join("nodes/faults.d");
    std::fs::create_dir_all(&directory).map_err(|e| e.to_string())?;
    let file = directory.join("badnode.json");
    std::fs::write(&file, fault).map_err(|e| e.to_string())?;
    let id = site.accept("badnode", 1).await.map_err(|e| format!("{e:?}"))?.id;
    let outcome = fails(
        &site,
        id,
        FailureCode::Dependency,
        "install Docker",
        "node_wait_condition",
    )
    .await;
    std::fs::remove_file(&file).map_err(|e| e.to_string())?;
    outcome
}

/// A create that must fail with this code, saying this, and naming this resource; then it must go.
async fn fails(site: &Site, id: ClusterId, code: FailureCode, says: &str, resource: &str) -> Outcome {
    let text = |error: Error| format!("{error:?}");
    let _conductor = site.conductor(None).map_err(text)?;
    let ended = site
        .ended(id, Duration::from_secs(300))
        .await?
        .ok_or("the cluster is gone")?;
    let reason = ended.status_reason.clone().unwrap_or_default();
    let fault = ended.fault.clone().ok_or(format!("{}: {reason}", ended.status))?;
    let named = fault.resource.as_deref() == Some(resource);
    let right =
        ended.status == ClusterStatus::CREATE_FAILED && fault.code == code && reason.contains(says) && named;
    site.gone(id).await?;
    if right {
        Ok(format!("\"{reason}\""))
    } else {
        Err(format!("{}: {reason} {fault:?}", ended.status))
    }
}

/// Heat does not answer: a look-up would say so at once; a create that was accepted ends after its tries.
pub async fn heat_down() -> Outcome {
    let text = |error: Error| format!("{error:?}");
    let site = Site::open("demo", true).await.map_err(text)?;
    let id = site.accept("heatdown", 1).await.map_err(text)?.id;
    site::cloud(&["down", "heat-api"]).await?;
    let _conductor = site.conductor(None).map_err(text)?;
    let outcome = site.ended(id, Duration::from_secs(240)).await;
    site::cloud(&["up"]).await?;
    let ended = outcome?.ok_or("the cluster is gone")?;
    let reason = ended.status_reason.clone().unwrap_or_default();
    let code = ended.fault.as_ref().map(|fault| fault.code);
    let right = ended.status == ClusterStatus::CREATE_FAILED && code == Some(FailureCode::Dependency);
    site.gone(id).await?;
    if right {
        Ok(format!("\"{reason}\""))
    } else {
        Err(format!("{}: {reason}", ended.status))
    }
}
