//! The authorities of real clusters are changed, while their booted servers renew by themselves, as their timer has them.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use magnum::certs::{ClientRequest, EcKeys};
use magnum::*;
use openssl::pkey::PKey;
use openssl::x509::X509;

use crate::Outcome;
use crate::barbican::held;
use crate::booted::{nodes_of, read, verify};
use crate::kubernetes::{Laps, made};
use crate::site::{Certified, Site};

/// Longer than any stage takes: a timer's interval, the turns of masters, looks of the conductor.
const PATIENCE: Duration = Duration::from_secs(300);

/// A certificate that a server holds, beside the authority by which it verifies others.
struct Holding {
    /// As `nodes_of` calls it.
    server: &'static str,
    authority: &'static str,
    certificate: &'static str,
    key: &'static str,
    purpose: &'static str,
}

const fn docker_holding(server: &'static str) -> Holding {
    Holding {
        server,
        authority: "etc/docker/ca.pem",
        certificate: "etc/docker/server.pem",
        key: "etc/docker/server-key.pem",
        purpose: "sslserver",
    }
}

const DOCKER: [Holding; 2] = [docker_holding("docker-0"), docker_holding("docker-1")];

const fn swarm_holding(server: &'static str) -> Holding {
    Holding {
        server,
        authority: "etc/docker/ca.crt",
        certificate: "etc/docker/server.crt",
        key: "etc/docker/server.key",
        purpose: "sslserver",
    }
}

const SWARM: [Holding; 4] = [
    swarm_holding("master-0"),
    swarm_holding("node-0"),
    Holding {
        server: "master-0",
        authority: "etc/etcd/certs/ca.crt",
        certificate: "etc/etcd/certs/server.crt",
        key: "etc/etcd/certs/server.key",
        purpose: "sslserver",
    },
    Holding {
        server: "node-0",
        authority: "etc/etcd/certs/ca.crt",
        certificate: "etc/etcd/certs/client.crt",
        key: "etc/etcd/certs/client.key",
        purpose: "sslclient",
    },
];

/// Two Docker hosts.
pub async fn docker() -> Outcome {
    let site = Site::certified("demo", Certified::Barbican).await.map_err(text)?;
    let _conductor = site.conductor(None).map_err(text)?;
    let mut laps = Laps::new();
    let id = site.accept("rotation", 2).await.map_err(text)?.id;
    let cluster = site.ended(id, PATIENCE).await?.ok_or("the cluster is gone")?;
    if cluster.status != ClusterStatus::CREATE_COMPLETE {
        return Err(format!("{}: {:?}", cluster.status, cluster.status_reason));
    }
    laps.lap("create");
    rotates(&site, laps, &cluster, &DOCKER, 1).await
}

/// A master and a node, and an authority of etcd's own.
pub async fn swarm() -> Outcome {
    let site = Site::certified("demo", Certified::Barbican).await.map_err(text)?;
    let _conductor = site.conductor(None).map_err(text)?;
    let mut laps = Laps::new();
    let template = TemplateSpec {
        flavor_id: Some("m1.tiny".into()),
        master_flavor_id: Some("m1.tiny".into()),
        docker_volume_size: Some(3),
        ..TemplateSpec::new("swarm", "fedora-atomic", "public").with_keypair("testkey")
    };
    let cluster = made(&site, template, "rotation-swarm", 1, 1).await?;
    laps.lap("create");
    rotates(&site, laps, &cluster, &SWARM, 2).await
}

/// Changes all of a cluster's `authorities` and looks at what its servers hold before, in between and afterwards.
/// Certificates are in Barbican.
async fn rotates(
    site: &Site,
    mut laps: Laps,
    cluster: &Cluster,
    holdings: &'static [Holding],
    authorities: u64,
) -> Outcome {
    let id = cluster.id;
    let servers = Servers {
        roots: nodes_of(cluster)?,
        scratch: site.directory.path().to_owned(),
        holdings,
    };
    let holders: BTreeSet<&str> = holdings.iter().map(|holding| holding.server).collect();
    if !servers.roots.keys().map(String::as_str).eq(holders) {
        return Err(format!("booted: {:?}", servers.roots));
    }
    // The authorities, and the library's own certificate.
    let kept = authorities + 1;
    let before = servers.look(1)?;
    shown(site, id, &before).await?;
    stored(site, id, kept).await?;
    let of_before = client(site, id).await?;
    servers.trust(&of_before, true)?;

    site.magnum.ca_rotate(&site.cx, id).await.map_err(text)?;
    changed(site, id).await?;
    laps.lap("rotate");
    let overlap = servers.look(2)?;
    shown(site, id, &overlap).await?;
    stored(site, id, 2 * kept).await?;
    for (now, former) in overlap.iter().zip(&before) {
        now.follows(former)?;
        // `look` has seen that the first, and not the second, certifies what the server holds.
        if now.trusted[0] != former.trusted[0] {
            return Err(format!("{}: the former authority is not the first", now.what));
        }
    }
    let of_overlap = client(site, id).await?;
    let [former, new] = &overlap[0].trusted[..] else {
        return Err("not two authorities".into());
    };
    if servers.verifies(former, &of_overlap, "sslclient")?
        || !servers.verifies(new, &of_overlap, "sslclient")?
    {
        return Err("a client of the overlap is not certified by the new authority alone".into());
    }
    servers.trust(&of_before, true)?;
    servers.trust(&of_overlap, true)?;

    let finished = site.magnum.ca_rotate_finish(&site.cx, id).await;
    finished.map_err(text)?;
    changed(site, id).await?;
    laps.lap("finish");
    let after = servers.look(1)?;
    shown(site, id, &after).await?;
    stored(site, id, kept).await?;
    for (now, former) in after.iter().zip(&overlap) {
        now.follows(former)?;
        if now.trusted[0] != former.trusted[1] {
            return Err(format!("{}: what is trusted is not the new authority", now.what));
        }
        if servers.verifies(&former.trusted[0], &now.certificate, now.purpose)? {
            return Err(format!("{}: certified by the former authority still", now.what));
        }
    }
    servers.trust(&of_before, false)?;
    servers.trust(&of_overlap, true)?;

    site.gone(id).await?;
    laps.lap("delete");
    servers.ended().await?;
    stored(site, id, 0).await?;
    Ok(laps.0.join(", "))
}

fn text(error: Error) -> String {
    format!("{error:?}")
}

async fn changed(site: &Site, id: ClusterId) -> Result<(), String> {
    let changed = site.ended(id, PATIENCE).await?.ok_or("the cluster is gone")?;
    if changed.status == ClusterStatus::UPDATE_COMPLETE {
        return Ok(());
    }
    Err(format!("{}: {:?}", changed.status, changed.status_reason))
}

/// A certificate that a client gets now.
async fn client(site: &Site, id: ClusterId) -> Result<String, String> {
    let request = ClientRequest::generate("admin", &["system:masters".into()], &EcKeys)
        .await
        .map_err(text)?;
    let signed = site.magnum.ca_sign(&site.cx, id, &request.csr).await;
    signed.map_err(text)
}

/// Users are shown what servers trust.
async fn shown(site: &Site, id: ClusterId, seen: &[Seen]) -> Result<(), String> {
    let shown = certificates(&site.magnum.ca_show(&site.cx, id).await.map_err(text)?)?;
    if seen[0].trusted == shown {
        return Ok(());
    }
    Err(format!("{} trusts something else than is shown", seen[0].what))
}

/// Barbican holds so many certificates of the cluster, each with its key.
async fn stored(site: &Site, id: ClusterId, count: u64) -> Result<(), String> {
    let held = held(&site.openstack, id).await.map_err(text)?;
    if held == (2 * count, count) {
        return Ok(());
    }
    Err(format!(
        "(secrets, containers) in Barbican: {held:?} for {count} certificates"
    ))
}

/// What is in a file of certificates, each for itself.
fn certificates(pem: &str) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    for certificate in X509::stack_from_pem(pem.as_bytes()).map_err(|e| e.to_string())? {
        let pem = certificate.to_pem().map_err(|e| e.to_string())?;
        found.push(String::from_utf8(pem).map_err(|e| e.to_string())?);
    }
    Ok(found)
}

/// What a server held at one moment.
struct Seen {
    what: String,
    purpose: &'static str,
    trusted: Vec<String>,
    certificate: String,
    /// How often it had restarted what reads certificates.
    restarts: usize,
}

impl Seen {
    /// It is another certificate, and in use.
    fn follows(&self, former: &Self) -> Result<(), String> {
        if self.certificate == former.certificate {
            return Err(format!("{}: still the former certificate", self.what));
        }
        if self.restarts <= former.restarts {
            return Err(format!("{}: nothing was restarted", self.what));
        }
        Ok(())
    }
}

struct Servers {
    roots: BTreeMap<String, PathBuf>,
    scratch: PathBuf,
    holdings: &'static [Holding],
}

impl Servers {
    fn root(&self, server: &str) -> Result<&Path, String> {
        let root = self.roots.get(server).map(PathBuf::as_path);
        root.ok_or(format!("{server} did not boot: {:?}", self.roots))
    }

    /// What they hold: so many authorities, a certificate of the first of them, and secrets for root only.
    fn look(&self, authorities: usize) -> Result<Vec<Seen>, String> {
        let mut all = Vec::new();
        for holding in self.holdings {
            let what = format!("{} {}", holding.server, holding.certificate);
            let root = self.root(holding.server)?;
            let trusted = certificates(&read(&root.join(holding.authority))?)?;
            if trusted.len() != authorities {
                return Err(format!(
                    "{what}: {} authorities, not {authorities}",
                    trusted.len()
                ));
            }
            let certificate = read(&root.join(holding.certificate))?;
            for (index, authority) in trusted.iter().enumerate() {
                if self.verifies(authority, &certificate, holding.purpose)? != (index == 0) {
                    return Err(format!("{what}: authority {index} is wrong about it"));
                }
            }
            let key = secret(&root.join(holding.key))?;
            if !fits(&key, &certificate).map_err(|e| e.to_string())? {
                return Err(format!("{what}: its key is another one's"));
            }
            if secret(&root.join("var/lib/magnum/token"))?.trim().is_empty() {
                return Err(format!("{} has an empty token", holding.server));
            }
            let commands = read(&root.with_file_name("record").join("commands.log"))?;
            let restarts = commands
                .lines()
                .filter(|line| line.starts_with("systemctl ") && line.contains(" restart "));
            all.push(Seen {
                what,
                purpose: holding.purpose,
                trusted,
                certificate,
                restarts: restarts.count(),
            });
        }
        Ok(all)
    }

    /// Whether an authority alone certifies it.
    fn verifies(&self, authority: &str, certificate: &str, purpose: &str) -> Result<bool, String> {
        let files = ["authority.pem", "certificate.pem"].map(|name| self.scratch.join(name));
        for (file, content) in files.iter().zip([authority, certificate]) {
            std::fs::write(file, content).map_err(|e| e.to_string())?;
        }
        Ok(verify(&files[0], &files[1], purpose).is_ok())
    }

    /// Whether every server lets in a client of the cluster.
    fn trust(&self, client: &str, expected: bool) -> Result<(), String> {
        for server in self.roots.keys() {
            let trusted = read(&self.root(server)?.join(self.holdings[0].authority))?;
            if self.verifies(&trusted, client, "sslclient")? != expected {
                return Err(format!("{server} lets a client in: {}", !expected));
            }
        }
        Ok(())
    }

    /// Nothing of them is left on this machine, their timers neither.
    async fn ended(&self) -> Result<(), String> {
        let mut left = Vec::new();
        for _ in 0..40 {
            left = self
                .roots
                .values()
                .filter_map(|root| root.parent())
                .filter(|directory| directory.exists() || runs(directory))
                .collect();
            if left.is_empty() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        Err(format!("left of removed servers: {left:?}"))
    }
}

/// Whether a process has this among its words.
fn runs(word: &Path) -> bool {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .filter_map(|process| std::fs::read(process.path().join("cmdline")).ok())
        .any(|line| String::from_utf8_lossy(&line).contains(&*word.to_string_lossy()))
}

/// The content of a file that nobody else may read.
fn secret(path: &Path) -> Result<String, String> {
    let about = std::fs::metadata(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let mode = about.permissions().mode() & 0o777;
    if mode != 0o600 {
        return Err(format!("{} has mode {mode:o}", path.display()));
    }
    read(path)
}

fn fits(key: &str, certificate: &str) -> Result<bool, openssl::error::ErrorStack> {
    let key = PKey::private_key_from_pem(key.as_bytes())?;
    let certified = X509::from_pem(certificate.as_bytes())?.public_key()?;
    Ok(certified.public_eq(&key))
}
