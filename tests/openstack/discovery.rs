//! Real etcds that find each other by the library's own discovery service. Needs the package etcd-server, and no cloud.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use magnum::certs::{AesSealer, FixtureKeys, OpenSslAuthority, SealingKey, X509KeyPairStore};
use magnum::openstack::{Credentials, DomainRef, Named, OpenStack, ReqwestTransport};
use magnum::*;
use tokio::process::{Child, Command};

use crate::Outcome;
use crate::site;

const PATIENCE: Duration = Duration::from_secs(60);
const MEMBERS: u32 = 3;

fn text(error: impl std::fmt::Debug) -> String {
    format!("{error:?}")
}

/// Three members make one cluster, and a fourth is told that it is complete.
pub async fn real_etcd() -> Outcome {
    let directory = tempfile::tempdir().map_err(text)?;
    let store = SqlStore::open_sqlite(directory.path().join("store.sqlite"))
        .await
        .map_err(text)?;
    store.migrate().await.map_err(text)?;
    let store: Arc<dyn Store> = Arc::new(store);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .map_err(text)?;
    let address = listener.local_addr().map_err(text)?;
    let endpoint = NodeEndpoint::new(&format!("http://{address}/nodes")).map_err(text)?;
    let magnum = compose(Arc::clone(&store), endpoint.clone()).map_err(text)?;
    let router = axum::Router::new().fallback(site::answer).with_state(magnum);
    tokio::spawn(async move { axum::serve(listener, router).await });

    let cluster = testing::store::some_clusters(&store, "nowhere", 1).await[0];
    let discovery = StoreDiscovery::new(Arc::clone(&store), &endpoint).map_err(text)?;
    let url = discovery.create(cluster, MEMBERS).await.map_err(text)?;
    let url = url.ok_or("no URL was made")?;
    let transport = ReqwestTransport::guarded(Arc::new(
        DefaultEgress::default().allow("127.0.0.1/32".parse().map_err(text)?),
    ));
    let asking = HttpDiscovery::checking_only(Arc::new(transport));
    asking.check(&url, MEMBERS).await.map_err(text)?;
    let other = asking
        .check(&url, MEMBERS + 1)
        .await
        .map_err(|error| error.to_string());
    if !other.clone().is_err_and(|why| why.contains("for 3 members")) {
        return Err(format!("asked for another size: {other:?}"));
    }

    let began = Instant::now();
    let mut members = Vec::new();
    for name in ["one", "two", "three"] {
        members.push(Member::start(directory.path(), name, &url)?);
        // So that the first has something to wait for.
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    for member in &members {
        member.healthy().await?;
    }
    let took = began.elapsed();
    let listed = members[0].ctl(&["member", "list"]).await?;
    if listed.matches("started").count() != members.len() {
        return Err(format!("members: {listed}"));
    }
    members[0].ctl(&["put", "key", "value"]).await?;
    let read = members[2].ctl(&["get", "--print-value-only", "key"]).await?;
    if read.trim() != "value" {
        return Err(format!("the third member reads {read:?}"));
    }

    let mut fourth = Member::start(directory.path(), "four", &url)?;
    let ended = tokio::time::timeout(PATIENCE, fourth.process.wait()).await;
    let said = fourth.log()?;
    if ended.map_err(text)?.map_err(text)?.success() || !said.contains("cluster is full") {
        return Err(format!("a fourth member: {said}"));
    }
    let registry = store.discovery(cluster).await.map_err(text)?;
    let registered = registry.map_or(0, |registry| registry.members.len());
    if registered != members.len() {
        return Err(format!("{registered} members have registered"));
    }
    Ok(format!(
        "{} members in {:.1} s",
        members.len(),
        took.as_secs_f64()
    ))
}

/// A service whose cloud is never asked.
fn compose(store: Arc<dyn Store>, endpoint: NodeEndpoint) -> Result<Magnum> {
    let random = Arc::new(SystemRandom);
    let sealer = Arc::new(AesSealer::new(SealingKey::generate(&SystemRandom)?));
    let keys = Arc::new(FixtureKeys::danger_seeded(1));
    let authority = OpenSslAuthority::system(keys).danger_accept_fixture_keys();
    let kept = X509KeyPairStore::new(Arc::clone(&store), sealer.clone(), random);
    let service = Credentials::password(Named::new("magnum", DomainRef::id("default")), "secret");
    let cloud = OpenStack::builder()
        .auth_url("http://127.0.0.1:1/v3")
        .transport(Arc::new(ReqwestTransport::new()))
        .service(service.in_project(Named::new("service", DomainRef::id("default"))))
        .build()?;
    let mut builder = Magnum::builder()
        .store(store)
        .sealer(sealer)
        .cloud(magnum::cloud("nowhere", &cloud, false))
        .certificates(Certificates::new(Arc::new(authority), Arc::new(kept)))
        .node_endpoint(endpoint);
    for driver in magnum::drivers::all() {
        builder = builder.driver(driver);
    }
    builder.build()
}

/// A process of etcd.
struct Member {
    process: Child,
    client: String,
    log: std::path::PathBuf,
}

impl Member {
    fn start(directory: &Path, name: &str, discovery: &str) -> Result<Self, String> {
        let (client, peer) = (free_url()?, free_url()?);
        let log = directory.join(format!("{name}.log"));
        let file = std::fs::File::create(&log).map_err(text)?;
        let process = Command::new("etcd")
            .args([
                "--name",
                name,
                "--discovery",
                discovery,
                "--discovery-fallback",
                "exit",
            ])
            .args([
                "--listen-client-urls",
                &client,
                "--advertise-client-urls",
                &client,
            ])
            .args([
                "--listen-peer-urls",
                &peer,
                "--initial-advertise-peer-urls",
                &peer,
            ])
            .arg("--data-dir")
            .arg(directory.join(name))
            .stdin(Stdio::null())
            .stdout(file.try_clone().map_err(text)?)
            .stderr(file)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("etcd (package etcd-server): {error}"))?;
        Ok(Self { process, client, log })
    }

    fn log(&self) -> Result<String, String> {
        std::fs::read_to_string(&self.log).map_err(text)
    }

    async fn ctl(&self, arguments: &[&str]) -> Result<String, String> {
        let output = Command::new("etcdctl")
            .env("ETCDCTL_API", "3")
            .args(["--command-timeout", "5s", "--endpoints", &self.client])
            .args(arguments)
            .output()
            .await
            .map_err(|error| format!("etcdctl (package etcd-client): {error}"))?;
        if !output.status.success() {
            return Err(format!(
                "{arguments:?}: {}",
                String::from_utf8_lossy(&output.stderr)
            ));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    async fn healthy(&self) -> Result<(), String> {
        let began = Instant::now();
        while let Err(why) = self.ctl(&["endpoint", "health"]).await {
            if began.elapsed() > PATIENCE {
                return Err(format!("{why}; {}", self.log()?));
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        Ok(())
    }
}

/// A URL on loopback at which nobody listened a moment ago.
fn free_url() -> Result<String, String> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").map_err(text)?;
    Ok(format!("http://{}", listener.local_addr().map_err(text)?))
}
