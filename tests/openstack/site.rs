//! A scenario's own service: SQLite store, node endpoint, clients of the real cloud, and conductors in other processes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::response::Response;
use magnum::certs::{
    AesSealer, BarbicanCertManager, FixtureKeys, OpenSslAuthority, RsaKeys, SealingKey, X509KeyPairStore,
};
use magnum::openstack::{Call, CloudConfig, ConfigFile, OpenStack, ReqwestTransport, Service};
use magnum::*;
use serde_json::{Value, json};
use tokio::process::{Child, Command};

/// Where the cloud keeps its state.
pub fn state() -> PathBuf {
    let set = std::env::var_os("MAGNUM_CLOUD_STATE");
    set.map_or_else(|| "/var/lib/magnum-test-cloud".into(), PathBuf::from)
}

pub fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/openstack/cloud")
        .join(name)
}

pub fn config(entry: &str) -> Result<CloudConfig> {
    let file = ConfigFile::read(&state().join("clouds.yaml"))?;
    CloudConfig::from_files(&file, None, Some(entry))
}

/// Clients as a host has them: its service user and the administrator of the trustee domain.
pub fn openstack(transport: Arc<dyn HttpTransport>) -> Result<OpenStack> {
    OpenStack::builder()
        .cloud(config("magnum-service")?)
        .trustee_domain_admin(config("magnum-domain-admin")?.credentials)
        .transport(transport)
        .build()
}

/// Times for a machine where everything runs on two cores.
pub fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.call_timeout = Duration::from_secs(25);
    settings.lease = Duration::from_secs(30);
    settings.poll_interval = Duration::from_secs(2);
    settings.attempts = 8;
    settings.longest_wait = Duration::from_secs(8);
    settings
}

/// How certificates come about in a scenario, and where they are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certified {
    /// With keys that cost nothing, where keys are not what is tested; in the store.
    Fixture,
    /// In the store.
    Real,
    /// In Barbican.
    Barbican,
}

impl Certified {
    const ALL: [Self; 3] = [Self::Fixture, Self::Real, Self::Barbican];

    /// The word for it on a worker's command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Fixture => "fixture",
            Self::Real => "real",
            Self::Barbican => "barbican",
        }
    }

    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|certified| certified.word() == word)
    }
}

/// What a process composes.
pub async fn compose(
    directory: &Path,
    endpoint: &str,
    transport: Arc<dyn HttpTransport>,
    certified: Certified,
    wrap: impl FnOnce(Arc<dyn Store>) -> Arc<dyn Store>,
) -> Result<Magnum> {
    let store = SqlStore::open_sqlite(directory.join("store.sqlite")).await?;
    store.migrate().await?;
    let store = wrap(Arc::new(store));
    let sealer = Arc::new(AesSealer::new(SealingKey::from_file(
        &directory.join("sealing.key"),
    )?));
    let random = Arc::new(SystemRandom);
    let authority = if certified == Certified::Fixture {
        OpenSslAuthority::system(Arc::new(FixtureKeys::danger_seeded(1))).danger_accept_fixture_keys()
    } else {
        OpenSslAuthority::system(Arc::new(RsaKeys::default()))
    };
    let openstack = openstack(transport)?;
    let kept: Arc<dyn CertManager> = match certified {
        Certified::Fixture | Certified::Real => {
            Arc::new(X509KeyPairStore::new(Arc::clone(&store), sealer.clone(), random))
        }
        Certified::Barbican => Arc::new(BarbicanCertManager::new(&openstack)),
    };
    let mut builder = Magnum::builder()
        .store(store)
        .sealer(sealer)
        .cloud(magnum::cloud("real", &openstack, true))
        .certificates(Certificates::new(Arc::new(authority), kept))
        .node_endpoint(NodeEndpoint::new(endpoint)?)
        .settings(settings());
    let drivers = magnum::drivers::all()
        .into_iter()
        .chain(magnum::drivers::python_magnum());
    for driver in drivers {
        builder = builder.driver(driver);
    }
    builder.build()
}

/// A service with everything of its own but the cloud.
pub struct Site {
    pub directory: tempfile::TempDir,
    pub magnum: Magnum,
    pub cx: RequestContext,
    pub openstack: OpenStack,
    endpoint: String,
    certified: Certified,
}

impl Site {
    /// Logged in as an entry of the cloud's clouds.yaml.
    pub async fn open(user: &str, fixture: bool) -> Result<Self> {
        let certified = if fixture {
            Certified::Fixture
        } else {
            Certified::Real
        };
        Self::certified(user, certified).await
    }

    /// As `open`, with certificates of this kind.
    pub async fn certified(user: &str, certified: Certified) -> Result<Self> {
        let directory = tempfile::tempdir().map_err(|e| Error::internal(e.to_string()))?;
        write_key(&directory.path().join("sealing.key"))?;
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
            .await
            .map_err(|e| Error::internal(e.to_string()))?;
        let port = listener
            .local_addr()
            .map_err(|e| Error::internal(e.to_string()))?
            .port();
        let endpoint = format!("http://127.0.0.1:{port}");
        let transport = Arc::new(ReqwestTransport::new());
        let magnum = compose(
            directory.path(),
            &endpoint,
            transport.clone(),
            certified,
            |store| store,
        )
        .await?;
        let router = axum::Router::new().fallback(answer).with_state(magnum.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let openstack = openstack(transport)?;
        let token = openstack.login(config(user)?.credentials).await?;
        let cx = openstack.context(&token.token).await?;
        Ok(Self {
            directory,
            magnum,
            cx,
            openstack,
            endpoint,
            certified,
        })
    }

    /// Starts a conductor in a process of its own; `kill` strikes it at its n-th change.
    pub fn conductor(&self, kill: Option<(u64, &str)>) -> Result<Child> {
        let program = std::env::current_exe().map_err(|e| Error::internal(e.to_string()))?;
        let mut command = Command::new(program);
        command
            .arg("worker")
            .arg(self.directory.path())
            .arg(&self.endpoint)
            .arg(self.certified.word())
            .stdin(Stdio::null())
            .kill_on_drop(true);
        if let Some((at, when)) = kill {
            command.arg(at.to_string()).arg(when);
        }
        command
            .spawn()
            .map_err(|e| Error::internal(format!("no conductor process: {e}")))
    }

    pub async fn template(&self) -> Result<ClusterTemplate> {
        let spec = TemplateSpec {
            flavor_id: Some("m1.tiny".into()),
            ..TemplateSpec::new("docker", "ubuntu", "public").with_keypair("testkey")
        };
        self.magnum.create_template(&self.cx, spec).await
    }

    /// Accepts a cluster after a new template.
    pub async fn accept(&self, name: &str, nodes: u32) -> Result<Cluster> {
        let template = self.template().await?;
        let spec = ClusterSpec::new(template.id.to_string())
            .with_name(name)
            .with_node_count(nodes)
            .with_create_timeout(10);
        self.magnum
            .create_cluster(&self.cx, spec, CreateOptions::default())
            .await
    }

    /// Waits until the cluster's operation has ended; `None` when the cluster is gone.
    pub async fn ended(&self, id: ClusterId, within: Duration) -> Result<Option<Cluster>, String> {
        let began = Instant::now();
        loop {
            let seen = match self.magnum.cluster(&self.cx, id).await {
                Ok(seen) => seen,
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error.to_string()),
            };
            if seen.status.is_settled() {
                return Ok(Some(seen));
            }
            if began.elapsed() > within {
                return Err(format!(
                    "still {} after {within:?}: {:?}",
                    seen.status, seen.status_reason
                ));
            }
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }

    /// Deletes the cluster and waits until it is gone; a conductor must be running.
    pub async fn gone(&self, id: ClusterId) -> Result<(), String> {
        let accepted = self
            .magnum
            .delete_cluster(&self.cx, id, DeleteOptions::default())
            .await;
        match accepted {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            other => other.map_err(|error| error.to_string())?,
        };
        match self.ended(id, Duration::from_secs(240)).await? {
            None => Ok(()),
            Some(left) => Err(format!("{}: {:?}", left.status, left.status_reason)),
        }
    }
}

/// Hands requests of nodes to the service.
pub async fn answer(State(magnum): State<Magnum>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 64 * 1024).await.unwrap_or_default();
    magnum
        .node_request(http::Request::from_parts(parts, body))
        .await
        .map(Into::into)
}

fn write_key(path: &Path) -> Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let key = SealingKey::generate(&SystemRandom)?;
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(|e| Error::internal(e.to_string()))?;
    std::io::Write::write_all(&mut file, key.to_base64().expose().as_bytes())
        .map_err(|e| Error::internal(e.to_string()))
}

/// Makes room in the projects, so that scenarios side by side do not meet each other's quotas. Cinder and Octavia are
/// configured without any.
pub async fn prepare() -> Result<()> {
    let admin = OpenStack::builder()
        .cloud(config("admin")?)
        .transport(Arc::new(ReqwestTransport::new()))
        .build()?;
    let demo = admin.login(config("demo")?.credentials).await?;
    let quota = json!({"quota": {
        "network": -1, "subnet": -1, "port": -1, "router": -1, "floatingip": -1,
        "security_group": -1, "security_group_rule": -1,
    }});
    let call = Call::new(Service::NETWORK, "quota", http::Method::PUT, "/quotas/{project}")
        .segment(demo.project_id.clone())
        .json(&quota);
    admin.call(&Auth::Service, &call).await?;
    set_compute_quota("demo", -1).await
}

/// Sets how many servers, and how many of their processors and memory, a project may have.
pub async fn set_compute_quota(entry: &str, instances: i64) -> Result<()> {
    let admin = OpenStack::builder()
        .cloud(config("admin")?)
        .transport(Arc::new(ReqwestTransport::new()))
        .build()?;
    let project = admin.login(config(entry)?.credentials).await?.project_id;
    let call = Call::new(
        Service::COMPUTE,
        "quota",
        http::Method::PUT,
        "/os-quota-sets/{project}",
    )
    .segment(project)
    .json(&json!({"quota_set": {"instances": instances, "cores": -1, "ram": -1, "force": true}}));
    admin.call(&Auth::Service, &call).await.map(|_| ())
}

/// Everything that the projects and the trustee domain hold, as `kind name id`.
pub fn leftovers() -> Result<Vec<String>, String> {
    let mut all = Vec::new();
    for project in ["demo", "other"] {
        let output = std::process::Command::new(script("leftovers"))
            .arg(project)
            .output()
            .map_err(|error| format!("leftovers: {error}"))?;
        if !output.status.success() {
            return Err(format!("leftovers: {}", String::from_utf8_lossy(&output.stderr)));
        }
        let held: BTreeMap<String, Value> =
            serde_json::from_slice(&output.stdout).map_err(|error| format!("leftovers: {error}"))?;
        for (kind, things) in held {
            for thing in things.as_array().into_iter().flatten() {
                all.push(format!("{project}: {kind} {} {}", thing["name"], thing["id"]));
            }
        }
    }
    Ok(all)
}

/// Whether the cloud holds what it held before. Heat removes its own users a moment after a stack is gone.
pub async fn settled_leftovers(before: &[String]) -> Result<(), String> {
    let mut left = Vec::new();
    for _ in 0..20 {
        left = leftovers()?
            .into_iter()
            .filter(|thing| !before.contains(thing))
            .collect();
        if left.is_empty() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    Err(left.join("\n  "))
}

/// Starts or stops services of the cloud.
pub async fn cloud(arguments: &[&str]) -> Result<(), String> {
    let status = Command::new(script("cloud"))
        .args(arguments)
        .stdout(Stdio::null())
        .status()
        .await
        .map_err(|error| error.to_string())?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("cloud {arguments:?}: {status}"))
    }
}
