//! A cluster that Python Magnum made is taken over: shown, scaled, deleted to nothing.

use std::time::{Duration, Instant};

use magnum::*;
use serde_json::Value;
use tokio::process::Command;

use crate::Outcome;
use crate::site::{self, Certified, Site};

const NAME: &str = "adopted";

pub async fn from_python_magnum() -> Outcome {
    let mut took = Vec::new();
    let mut began = Instant::now();
    let mut lap = |what: &str| {
        took.push(format!("{what} {:.0} s", began.elapsed().as_secs_f64()));
        began = Instant::now();
    };
    let row: Value = serde_json::from_str(&pymagnum(&["create", NAME, "--nodes", "1"]).await?)
        .map_err(|error| format!("pymagnum: {error}"))?;
    lap("made by Python Magnum");
    let taken = taken_over(&row, &mut lap).await;
    // Whatever became of it, Python Magnum must not keep it.
    pymagnum(&["forget", NAME]).await?;
    taken?;
    Ok(took.join(", "))
}

async fn taken_over(row: &Value, lap: &mut impl FnMut(&str)) -> Result<(), String> {
    let text = |error: Error| format!("{error:?}");
    let site = Site::certified("demo", Certified::Barbican).await.map_err(text)?;
    let admin = site.cx.clone().with_roles(["admin"]);
    let adoption = magnum::drivers::python_magnum::adoption(row, "barbican").map_err(text)?;

    let refused = site.magnum.adopt_cluster(&site.cx, adoption.clone()).await;
    expect(
        refused.is_err_and(|e| e.kind() == ErrorKind::Forbidden),
        "only administrators take over",
    )?;
    let mut wrong = adoption.clone();
    wrong.node_count = 5;
    let refused = site.magnum.adopt_cluster(&admin, wrong).await;
    expect(
        refused.is_err_and(|e| e.problems()[0].field == "node_count"),
        "counts are compared",
    )?;

    let adopted = site.magnum.adopt_cluster(&admin, adoption).await.map_err(text)?;
    let id = adopted.id;
    expect(
        adopted.status == ClusterStatus::ADOPT_COMPLETE,
        "it is ADOPT_COMPLETE",
    )?;
    expect(row["uuid"] == id.to_string(), "it keeps its UUID")?;
    let same = |column: &str, shown: &Value| expect(&row[column] == shown, column);
    same("api_address", &serde_json::json!(adopted.api_address))?;
    same("node_addresses", &serde_json::json!(adopted.node_addresses()))?;
    same("master_addresses", &serde_json::json!(adopted.master_addresses()))?;
    let ca = site.magnum.ca_show(&site.cx, id).await.map_err(text)?;
    let known = row["ca_certificate"].as_str().unwrap_or_default();
    expect(
        ca.trim() == known.trim(),
        "its authority is the one that Python Magnum made",
    )?;
    lap("taken over");

    let _conductor = site.conductor(None).map_err(text)?;
    for (nodes, what) in [(2, "grow"), (1, "shrink")] {
        site.magnum
            .scale_cluster(&site.cx, id, nodes, UpdateOptions::default())
            .await
            .map_err(text)?;
        let scaled = site
            .ended(id, Duration::from_secs(400))
            .await?
            .ok_or("the cluster is gone")?;
        let addresses = scaled.node_addresses();
        if scaled.status != ClusterStatus::UPDATE_COMPLETE || addresses.len() != nodes as usize {
            return Err(format!(
                "{what}: {} {:?} {addresses:?}",
                scaled.status, scaled.status_reason
            ));
        }
        lap(what);
    }
    site.gone(id).await?;
    lap("delete");
    Ok(())
}

fn expect(holds: bool, what: &str) -> Result<(), String> {
    if holds {
        Ok(())
    } else {
        Err(format!("not so: {what}"))
    }
}

async fn pymagnum(arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(site::script("pymagnum"))
        .args(arguments)
        .output()
        .await
        .map_err(|error| format!("pymagnum: {error}"))?;
    if output.status.success() {
        return String::from_utf8(output.stdout).map_err(|error| error.to_string());
    }
    Err(format!("pymagnum: {}", String::from_utf8_lossy(&output.stderr)))
}
