//! What the stand-in's booted servers of a cluster have on them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use magnum::Cluster;
use serde_json::Value;

use crate::site;

pub fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// The roots of a cluster's booted servers, by what their names end in; those of `docker_ubuntu` by what they begin with.
pub fn nodes_of(cluster: &Cluster) -> Result<BTreeMap<String, PathBuf>, String> {
    let unique: String = cluster.id.to_string().chars().take(8).collect();
    let whole = format!("-{}", cluster.id.to_string().replace('-', ""));
    let mut found = BTreeMap::new();
    for node in std::fs::read_dir(site::state().join("nodes"))
        .map_err(|e| e.to_string())?
        .flatten()
    {
        let about = std::fs::read_to_string(node.path().join("server.json")).unwrap_or_default();
        let about: Value = serde_json::from_str(&about).unwrap_or_default();
        let name = about["name"].as_str().unwrap_or_default();
        if let Some((_, member)) = name.split_once(&format!("-{unique}-")) {
            found.insert(member.to_owned(), node.path().join("root"));
        } else if let Some(docker) = name.strip_suffix(&whole) {
            let member: Vec<&str> = docker.splitn(3, '-').take(2).collect();
            found.insert(member.join("-"), node.path().join("root"));
        }
    }
    Ok(found)
}

/// What holds secrets is readable for root only.
pub fn nothing_for_others(root: &Path) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt as _;
    let mut secrets = 0;
    let mut pending = vec![
        root.join("etc/kubernetes"),
        root.join("etc/etcd"),
        root.join("usr/local/bin"),
    ];
    while let Some(directory) = pending.pop() {
        let Ok(entries) = std::fs::read_dir(&directory) else {
            continue;
        };
        for entry in entries.flatten() {
            let path = entry.path();
            let about = std::fs::symlink_metadata(&path).map_err(|e| e.to_string())?;
            if about.is_dir() {
                pending.push(path);
                continue;
            }
            if !about.is_file() {
                continue;
            }
            let content = std::fs::read(&path).unwrap_or_default();
            let content = String::from_utf8_lossy(&content);
            let secret = ["PRIVATE KEY", "password=", "X-Auth-Token", "node_credential='"]
                .iter()
                .any(|mark| content.contains(mark));
            secrets += u32::from(secret);
            let mode = about.permissions().mode() & 0o777;
            if secret && mode & 0o077 != 0 {
                return Err(format!("{} has mode {mode:o}", path.display()));
            }
        }
    }
    // Its own script and its kubelet's key at least.
    if secrets < 2 {
        return Err(format!(
            "{}: {secrets} files with secrets are too few",
            root.display()
        ));
    }
    Ok(())
}

pub fn verify(ca: &Path, certificate: &Path, purpose: &str) -> Result<(), String> {
    crate::life::verify(ca, certificate, purpose).map_err(|why| format!("{}: {why}", certificate.display()))
}
