//! One whole life, looked at closely.

use std::path::Path;
use std::time::{Duration, Instant};

use magnum::*;

use crate::Outcome;
use crate::site::{self, Site};

pub async fn whole_life() -> Outcome {
    let text = |error: Error| format!("{error:?}");
    let site = Site::open("demo", false).await.map_err(text)?;
    let _conductor = site.conductor(None).map_err(text)?;
    let mut took = Vec::new();
    let mut began = Instant::now();
    let mut lap = |what: &str| {
        took.push(format!("{what} {:.0} s", began.elapsed().as_secs_f64()));
        began = Instant::now();
    };

    let id = site.accept("life", 1).await.map_err(text)?.id;
    let made = site
        .ended(id, Duration::from_secs(300))
        .await?
        .ok_or("the cluster is gone")?;
    if made.status != ClusterStatus::CREATE_COMPLETE {
        return Err(format!("{}: {:?}", made.status, made.status_reason));
    }
    lap("create");
    let addresses = made.node_addresses();
    let [address] = &addresses[..] else {
        return Err(format!("{addresses:?}"));
    };
    let expected = format!("tcp://{address}:2376");
    if made.api_address.as_ref() != Some(&expected) {
        return Err(format!("api_address is {:?}, not {expected}", made.api_address));
    }
    certificates_fit(&site, id, address).await?;

    let keys = magnum::certs::RsaKeys::default();
    let directory = site.directory.path().join("client");
    let written = magnum::write_client_config(&site.magnum, &site.cx, id, &directory, &keys, false)
        .await
        .map_err(text)?;
    if written.environment.get("DOCKER_HOST") != made.api_address.as_ref() {
        return Err(format!("DOCKER_HOST is {:?}", written.environment));
    }
    verify(
        &directory.join("ca.pem"),
        &directory.join("cert.pem"),
        "sslclient",
    )?;

    // The user's token is gone from the operation; from here on everything goes under the trust.
    for (nodes, what) in [(2, "grow"), (1, "shrink")] {
        site.magnum
            .scale_cluster(&site.cx, id, nodes, UpdateOptions::default())
            .await
            .map_err(text)?;
        let scaled = site
            .ended(id, Duration::from_secs(300))
            .await?
            .ok_or("the cluster is gone")?;
        if scaled.status != ClusterStatus::UPDATE_COMPLETE || scaled.node_addresses().len() != nodes as usize
        {
            return Err(format!(
                "{what}: {} {:?} {:?}",
                scaled.status,
                scaled.status_reason,
                scaled.node_addresses()
            ));
        }
        lap(what);
    }
    site.gone(id).await?;
    lap("delete");
    Ok(took.join(", "))
}

/// The node has a certificate of the cluster's authority for exactly its addresses, and nobody else can read its key.
pub async fn certificates_fit(site: &Site, id: ClusterId, address: &str) -> Result<(), String> {
    let ca = site
        .magnum
        .ca_show(&site.cx, id)
        .await
        .map_err(|e| e.to_string())?;
    let ca_file = site.directory.path().join("shown-ca.pem");
    std::fs::write(&ca_file, &ca).map_err(|e| e.to_string())?;
    let nodes = std::fs::read_dir(site::state().join("nodes")).map_err(|e| e.to_string())?;
    for node in nodes.flatten() {
        let files = node.path().join("root/etc/docker");
        let same = std::fs::read_to_string(files.join("ca.pem")).is_ok_and(|text| text.trim() == ca.trim());
        if !same {
            continue;
        }
        let certificate = files.join("server.pem");
        verify(&ca_file, &certificate, "sslserver")?;
        let output = std::process::Command::new("openssl")
            .args(["x509", "-noout", "-checkip", address, "-in"])
            .arg(&certificate)
            .output()
            .map_err(|e| e.to_string())?;
        if !String::from_utf8_lossy(&output.stdout).contains("does match") {
            return Err(format!("the node's certificate is not for {address}"));
        }
        let mode = std::fs::metadata(files.join("server-key.pem"))
            .map(|meta| std::os::unix::fs::MetadataExt::mode(&meta) & 0o777)
            .map_err(|e| e.to_string())?;
        return if mode == 0o600 {
            Ok(())
        } else {
            Err(format!("the node's key has mode {mode:o}"))
        };
    }
    Err("no node has this cluster's authority".into())
}

pub fn verify(ca: &Path, certificate: &Path, purpose: &str) -> Result<(), String> {
    let output = std::process::Command::new("openssl")
        .args(["verify", "-purpose", purpose, "-CAfile"])
        .args([ca, certificate])
        .output()
        .map_err(|e| e.to_string())?;
    if output.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}
