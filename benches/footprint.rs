//! What the library itself costs: processor time of a create beyond key generation and round trips, and resident
//! memory, idle and with a thousand clusters in progress.
//!
//! The cloud is a stub that answers at once, keys are fixtures, so what is left is the library's own: service,
//! conductor, store, certificates signed, templates and parameters rendered. `cargo bench --bench footprint`
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a bench: a panic is its verdict"
)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use magnum::certs::{AesSealer, FixtureKeys, OpenSslAuthority, SealingKey, X509KeyPairStore};
use magnum::*;

/// Stacks that are made at once, or never.
#[derive(Debug, Default)]
struct Stub {
    made: AtomicU64,
    complete: AtomicBool,
    tags: std::sync::Mutex<BTreeMap<String, Vec<String>>>,
}

#[async_trait]
impl Orchestrator for Stub {
    async fn create(&self, _: &Auth, stack: StackCreate) -> Result<StackRef> {
        let id = self.made.fetch_add(1, Ordering::Relaxed).to_string();
        self.tags.lock().unwrap().insert(id.clone(), stack.tags);
        Ok(StackRef { name: stack.name, id })
    }
    async fn update(&self, _: &Auth, _: &StackRef, _: StackUpdate) -> Result<()> {
        Ok(())
    }
    async fn delete(&self, _: &Auth, _: &StackRef) -> Result<()> {
        Ok(())
    }
    async fn find(&self, _: &Auth, _: &str) -> Result<Option<Stack>> {
        Ok(None)
    }
    async fn get(&self, _: &Auth, stack: &StackRef) -> Result<Option<Stack>> {
        let phase = if self.complete.load(Ordering::Relaxed) {
            Phase::Complete
        } else {
            Phase::InProgress
        };
        Ok(Some(Stack {
            stack: stack.clone(),
            action: Some(Action::Create),
            phase,
            reason: String::new(),
            tags: self
                .tags
                .lock()
                .unwrap()
                .get(&stack.id)
                .cloned()
                .unwrap_or_default(),
            parameters: BTreeMap::new(),
            outputs: BTreeMap::new(),
            created_at: None,
            updated_at: None,
        }))
    }
    async fn list(&self, _: &Auth, _: Option<String>) -> Result<Vec<Stack>> {
        Ok(Vec::new())
    }
    async fn resources(&self, _: &Auth, _: &StackRef, _: u32) -> Result<Vec<StackResource>> {
        Ok(Vec::new())
    }
    async fn resource(&self, _: &Auth, _: &StackRef, _: &str) -> Result<Option<StackResource>> {
        Ok(None)
    }
    async fn events(&self, _: &Auth, _: &StackRef) -> Result<Vec<StackEvent>> {
        Ok(Vec::new())
    }
    async fn validate(&self, _: &Auth, _: StackTemplate) -> Result<()> {
        Ok(())
    }
    async fn preview(&self, _: &Auth, _: StackCreate) -> Result<Vec<PreviewResource>> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl CloudCatalog for Stub {
    async fn image(&self, _: &Auth, name: &str) -> Result<Image> {
        let os_distro = Some("ubuntu".to_owned());
        Ok(Image {
            id: name.into(),
            name: name.into(),
            os_distro,
            min_disk: 0,
            min_ram: 0,
        })
    }
    async fn flavor(&self, _: &Auth, name: &str) -> Result<Flavor> {
        Ok(Flavor {
            id: name.into(),
            name: name.into(),
            vcpus: 1,
            ram: 1,
            disk: 1,
        })
    }
    async fn keypair(&self, _: &Auth, name: &str) -> Result<Keypair> {
        Ok(Keypair {
            name: name.into(),
            public_key: String::new(),
        })
    }
    async fn network(&self, _: &Auth, name: &str) -> Result<Network> {
        Ok(Network {
            id: name.into(),
            name: name.into(),
            external: true,
            subnets: Vec::new(),
        })
    }
    async fn subnet(&self, _: &Auth, name: &str) -> Result<Subnet> {
        Err(Error::not_found("subnet", name))
    }
    async fn compute_limits(&self, _: &Auth) -> Result<ComputeLimits> {
        let limit = Limit { limit: -1, used: 0 };
        Ok(ComputeLimits {
            instances: limit,
            cores: limit,
            ram: limit,
            server_groups: limit,
        })
    }
    async fn network_limits(&self, _: &Auth) -> Result<NetworkLimits> {
        Err(Error::new(ErrorKind::Configuration, "no network limits"))
    }
    async fn volume_limits(&self, _: &Auth) -> Result<VolumeLimits> {
        Err(Error::new(ErrorKind::Configuration, "no volume limits"))
    }
}

#[async_trait]
impl CloudResources for Stub {
    async fn load_balancers(&self, _: &Auth, _: &[String]) -> Result<Vec<LoadBalancer>> {
        Ok(Vec::new())
    }

    async fn members(&self, _: &Auth, _: &str) -> Result<Vec<String>> {
        Ok(Vec::new())
    }
    async fn load_balancer(&self, _: &Auth, _: &str) -> Result<Option<LoadBalancer>> {
        Ok(None)
    }
    async fn delete_load_balancer(&self, _: &Auth, _: &str) -> Result<()> {
        Ok(())
    }
    async fn floating_ips(&self, _: &Auth, _: &str) -> Result<Vec<String>> {
        Ok(Vec::new())
    }
    async fn floating_ip(&self, _: &Auth, _: &str) -> Result<Option<FloatingIp>> {
        Ok(None)
    }
    async fn delete_floating_ip(&self, _: &Auth, _: &str) -> Result<()> {
        Ok(())
    }
    async fn volumes(&self, _: &Auth) -> Result<Vec<Volume>> {
        Ok(Vec::new())
    }
    async fn volume(&self, _: &Auth, _: &str) -> Result<Option<Volume>> {
        Ok(None)
    }
    async fn delete_volume(&self, _: &Auth, _: &str) -> Result<()> {
        Ok(())
    }
    async fn ports(&self, _: &Auth, _: &[String], _: &[String]) -> Result<Vec<NetworkPort>> {
        Ok(Vec::new())
    }
    async fn server_name(&self, _: &Auth, _: &str) -> Result<Option<String>> {
        Ok(None)
    }
}

fn compose(stub: &Arc<Stub>) -> Magnum {
    let random = Arc::new(SystemRandom);
    let store = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
    let sealer = Arc::new(AesSealer::new(SealingKey::generate(&SystemRandom).unwrap()));
    let authority =
        OpenSslAuthority::system(Arc::new(FixtureKeys::danger_seeded(1))).danger_accept_fixture_keys();
    let kept = X509KeyPairStore::new(store.clone(), sealer.clone(), random);
    let mut settings = Settings::default();
    settings.clusters_per_project = u32::MAX;
    settings.concurrency = 64;
    Magnum::builder()
        .store(store)
        .sealer(sealer)
        .cloud(Cloud {
            name: "stub".into(),
            orchestrator: stub.clone(),
            trust: TrustMode::None,
            catalog: stub.clone(),
            identity: None,
            resources: stub.clone(),
        })
        .certificates(Certificates::new(Arc::new(authority), Arc::new(kept)))
        .node_endpoint(NodeEndpoint::new("https://nodes.example.test").unwrap())
        .notifier(Arc::new(MemoryNotifier::default()))
        .driver(Arc::new(magnum::drivers::docker_ubuntu()))
        .settings(settings)
        .build()
        .unwrap()
}

/// Processor time of this process so far.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    // The kernel reports in hundredths of a second on every platform that Rust's tier 1 Linux runs on.
    Duration::from_millis(ticks * 10)
}

/// Resident memory in kilobytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

async fn accept(magnum: &Magnum, cx: &RequestContext, count: usize) {
    for n in 0..count {
        let spec = ClusterSpec::new("t").with_name(format!("c{n}"));
        magnum
            .create_cluster(cx, spec, CreateOptions::default())
            .await
            .unwrap();
    }
}

#[tokio::main]
async fn main() {
    const CLUSTERS: usize = 1000;
    let stub = Arc::new(Stub::default());
    let magnum = compose(&stub);
    let cx = RequestContext::new("user", "project");
    let spec = TemplateSpec::new("docker", "ubuntu", "public")
        .with_keypair("k")
        .with_name("t");
    magnum.create_template(&cx, spec.clone()).await.unwrap();
    let conductor = magnum.conductor();
    conductor.step().await.unwrap();
    let idle = resident();

    accept(&magnum, &cx, CLUSTERS).await;
    while stub.made.load(Ordering::Relaxed) < CLUSTERS as u64 {
        conductor.step().await.unwrap();
    }
    let busy = resident();
    println!(
        "resident: {} kB idle, {} kB with {CLUSTERS} clusters in progress, {:.1} kB each",
        idle,
        busy,
        (busy - idle) as f64 / CLUSTERS as f64
    );

    let stub = Arc::new(Stub::default());
    stub.complete.store(true, Ordering::Relaxed);
    let magnum = compose(&stub);
    magnum.create_template(&cx, spec).await.unwrap();
    let conductor = magnum.conductor();
    let (began, before) = (Instant::now(), cpu());
    accept(&magnum, &cx, CLUSTERS).await;
    conductor.run_until_idle().await.unwrap();
    let (took, used) = (began.elapsed(), cpu() - before);
    let done = magnum.list_clusters(&cx, ListOptions::default()).await.unwrap();
    assert!(
        done.iter()
            .all(|cluster| cluster.status == ClusterStatus::CREATE_COMPLETE)
    );
    println!(
        "create: {:.2} ms of processor time each ({:.2} ms elapsed), of which the signing:",
        used.as_secs_f64() * 1e3 / CLUSTERS as f64,
        took.as_secs_f64() * 1e3 / CLUSTERS as f64
    );

    let authority =
        OpenSslAuthority::system(Arc::new(FixtureKeys::danger_seeded(1))).danger_accept_fixture_keys();
    let before = cpu();
    for _ in 0..CLUSTERS {
        let day = Duration::from_secs(86_400);
        let ca = authority.create_ca("ca", day).await.unwrap();
        let profile = Profile::Client {
            organizations: vec!["system:masters".into()],
        };
        authority.issue(&ca, "magnum", &profile, day).await.unwrap();
    }
    println!(
        "  two certificates: {:.2} ms",
        (cpu() - before).as_secs_f64() * 1e3 / CLUSTERS as f64
    );
}
