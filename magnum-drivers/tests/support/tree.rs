//! Everything that the scripts leave on a server: path, mode, content; and every command they call.

use std::fmt::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use magnum_core::Cluster;

use super::cluster_server::{ClusterServer, PROGRAM};
use super::policy::Endpoint;
use super::stacks::{Role, cluster_of};

/// What is of the image, or is other on each run.
fn is_left_out(path: &str) -> bool {
    path.starts_with("/dev/")
        || path.ends_with(".key")
        || [".crt", ".pub"].iter().any(|end| path.ends_with(end))
        || path == PROGRAM
        || path == "/opt/bin/magnum-node"
}

pub fn render(server: &ClusterServer, directory: &Path, out: &mut String) {
    let mut entries: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    entries.sort();
    let root = server.path("");
    for path in entries {
        let inside = format!("/{}", path.strip_prefix(&root).unwrap().display());
        let about = std::fs::symlink_metadata(&path).unwrap();
        assert_eq!(about.uid(), std::fs::metadata(&root).unwrap().uid(), "{inside}");
        let mode = about.permissions().mode() & 0o7777;
        if about.is_symlink() {
            writeln!(
                out,
                "---- {inside} -> {}",
                std::fs::read_link(&path).unwrap().display()
            )
            .unwrap();
        } else if about.is_dir() {
            writeln!(out, "{mode:04o} {inside}/").unwrap();
            render(server, &path, out);
        } else {
            writeln!(out, "{mode:04o} {inside}").unwrap();
            let text = server.plain(&inside);
            if !is_left_out(&inside) && !text.starts_with("#!") {
                for line in text.lines() {
                    writeln!(out, "     | {}", without_sums(line).trim_end()).unwrap();
                }
            }
        }
    }
}

/// Sums over certificates are others on each run.
fn without_sums(line: &str) -> String {
    let is_sum = |word: &str| word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let parts = line.split_inclusive(|c: char| !c.is_ascii_alphanumeric());
    let part = |part: &str| {
        let word = part.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        if is_sum(word) {
            part.replace(word, "SUM")
        } else {
            part.to_owned()
        }
    };
    parts.map(part).collect()
}

/// The commands, with paths as on a real server, without curl, whose arguments have tests of their own.
pub fn commands(server: &ClusterServer) -> Vec<String> {
    let root = format!("{}", server.path("").display());
    let all = server.commands().into_iter().filter(|c| !c.starts_with("curl "));
    all.map(|c| c.replace(&root, "/")).collect()
}

/// What the first boot of a server with all that is the default does and leaves.
pub fn of_a_boot(driver: &str, role: Role, endpoint: &Endpoint) -> String {
    of_a_first_boot(&cluster_of(driver), role, endpoint)
}

/// What the first boot of a cluster's server does and leaves.
pub fn of_a_first_boot(cluster: &Cluster, role: Role, endpoint: &Endpoint) -> String {
    let server = ClusterServer::new(cluster, role, endpoint);
    server.configures();
    assert!(server.signals().is_empty(), "{role:?} reports before it works");
    let mut text = format!("configure:\n  {}\n", commands(&server).join("\n  "));
    server.forget();
    server.starts();
    writeln!(text, "start:\n  {}", commands(&server).join("\n  ")).unwrap();
    writeln!(text, "signal:\n  {}", server.signal()).unwrap();
    render(&server, &server.path(""), &mut text);
    text
}
