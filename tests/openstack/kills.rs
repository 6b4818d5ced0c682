//! SIGKILL of the conductor's process before and after each of its changes, in a create and in a delete. Another
//! conductor goes on: the operation ends, and the cluster deletes to nothing.

use std::time::Duration;

use magnum::*;

use crate::interrupt::{CREATE_CHANGES, DELETE_CHANGES};
use crate::site::Site;
use crate::{Outcome, Scenario};

pub fn all() -> Vec<(String, Scenario)> {
    let mut scenarios: Vec<(String, Scenario)> = Vec::new();
    for (operation, changes) in [("create", CREATE_CHANGES), ("delete", DELETE_CHANGES)] {
        for at in 0..changes {
            // Just after one change is just before the next, but for what the change itself set off in the cloud.
            let when = if at % 2 == 0 { "before" } else { "after" };
            let name = format!("kill_{operation}_{when}_{at}");
            scenarios.push((name, Box::pin(killed(operation, at, when))));
        }
    }
    scenarios
}

async fn killed(operation: &'static str, at: u64, when: &'static str) -> Outcome {
    let text = |error: Error| format!("{error:?}");
    let site = Site::open("demo", true).await.map_err(text)?;
    let id = site
        .accept(&format!("kill-{operation}-{at}"), 1)
        .await
        .map_err(text)?
        .id;
    if operation == "delete" {
        let mut making = site.conductor(None).map_err(text)?;
        let made = site
            .ended(id, Duration::from_secs(300))
            .await?
            .ok_or("the cluster is gone")?;
        if made.status != ClusterStatus::CREATE_COMPLETE {
            return Err(format!("{}: {:?}", made.status, made.status_reason));
        }
        making.kill().await.map_err(|e| e.to_string())?;
        site.magnum
            .delete_cluster(&site.cx, id, DeleteOptions::default())
            .await
            .map_err(text)?;
    }
    let mut doomed = site.conductor(Some((at, when))).map_err(text)?;
    let died = tokio::time::timeout(Duration::from_secs(300), doomed.wait()).await;
    let status = died
        .map_err(|_| "it was never struck")?
        .map_err(|e| e.to_string())?;
    if std::os::unix::process::ExitStatusExt::signal(&status) != Some(9) {
        return Err(format!("the conductor was not killed: {status}"));
    }
    let _next = site.conductor(None).map_err(text)?;
    let ended = match site.ended(id, Duration::from_secs(400)).await? {
        Some(cluster) if operation == "create" && cluster.status.action == Action::Create => {
            if cluster.status != ClusterStatus::CREATE_COMPLETE {
                return Err(format!("{}: {:?}", cluster.status, cluster.status_reason));
            }
            cluster.status.to_string()
        }
        Some(cluster) => return Err(format!("{}: {:?}", cluster.status, cluster.status_reason)),
        None => "gone".into(),
    };
    site.gone(id).await?;
    Ok(ended)
}
