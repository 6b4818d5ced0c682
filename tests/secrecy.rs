//! Whole lives with secrets that are known, and a search for them in everything that others could read: all that is
//! logged, every error, every `Debug` output, events, the database's files, what Heat shows of its stacks.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test program: it has no users, and a panic is its verdict"
)]

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use magnum::certs::{
    AesSealer, BarbicanCertManager, ClientRequest, EcKeys, FixtureKeys, LocalCertManager, OpenSslAuthority,
    SealingKey, X509KeyPairStore,
};
use magnum::openstack::sim::{At, Effect, Fault as Injected, Pace, SimCloud};
use magnum::openstack::{Call, Credentials, DomainRef, Named, OpenStack, Service};
use magnum::*;
use serde_json::Value;

const OWNERS_PASSWORD: &str = "marked-owners-password-5d1b";
const SERVICE_PASSWORD: &str = "marked-service-password-0c9e";

/// What must not be seen, by what it is.
#[derive(Clone, Debug, Default)]
struct Needles(Arc<Mutex<BTreeMap<String, String>>>);

impl Needles {
    fn add(&self, value: &str, what: &str) {
        if value.len() >= 16 {
            self.0.lock().unwrap().insert(value.to_owned(), what.to_owned());
        }
    }

    /// A private key, by a line in its midst.
    fn add_key(&self, pem: &str) {
        assert!(pem.contains("PRIVATE KEY"));
        let lines: Vec<&str> = pem.lines().filter(|line| !line.starts_with('-')).collect();
        self.add(lines[lines.len() / 2], "a private key");
    }

    fn found_in(&self, place: &str, text: &[u8]) -> Vec<String> {
        let needles = self.0.lock().unwrap();
        let holds = |needle: &str| text.windows(needle.len()).any(|part| part == needle.as_bytes());
        let found = needles.iter().filter(|(needle, _)| holds(needle));
        found.map(|(_, what)| format!("{what} in {place}")).collect()
    }

    fn kinds(&self) -> BTreeMap<String, usize> {
        let mut kinds = BTreeMap::new();
        for what in self.0.lock().unwrap().values() {
            *kinds.entry(what.clone()).or_insert(0) += 1;
        }
        kinds
    }
}

/// Learns the secrets that go over the wire.
#[derive(Debug)]
struct Learning<T>(T, Needles);

#[async_trait::async_trait]
impl<T: HttpTransport> HttpTransport for Learning<T> {
    async fn send(
        &self,
        request: http::Request<bytes::Bytes>,
        profile: &TlsProfile,
    ) -> Result<http::Response<bytes::Bytes>, TransportError> {
        if let Some(token) = request.headers().get("x-auth-token") {
            self.1.add(token.to_str().unwrap(), "a token");
        }
        if let Ok(body) = serde_json::from_slice::<Value>(request.body()) {
            for path in ["/user/password", "/auth/identity/password/user/password"] {
                if let Some(password) = body.pointer(path).and_then(Value::as_str) {
                    self.1.add(password, "a password");
                }
            }
            if let Some(credential) = body
                .pointer("/parameters/node_credential")
                .and_then(Value::as_str)
            {
                self.1.add(credential, "what nodes' credentials are made of");
            }
        }
        let answer = self.0.send(request, profile).await?;
        if let Some(token) = answer.headers().get("x-subject-token") {
            self.1.add(token.to_str().unwrap(), "a token");
        }
        Ok(answer)
    }
}

/// Everything that is logged, of whatever level.
#[derive(Clone, Default)]
struct Logged(Arc<Mutex<Vec<u8>>>);

impl Write for Logged {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn log() -> &'static Logged {
    static LOGGED: std::sync::OnceLock<Logged> = std::sync::OnceLock::new();
    LOGGED.get_or_init(|| {
        let logged = Logged::default();
        let writer = logged.clone();
        tracing_subscriber::fmt()
            .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .init();
        logged
    })
}

#[derive(Debug)]
struct NodeRoute(Magnum, Needles);

#[async_trait::async_trait]
impl HttpTransport for NodeRoute {
    async fn send(
        &self,
        request: http::Request<bytes::Bytes>,
        _profile: &TlsProfile,
    ) -> Result<http::Response<bytes::Bytes>, TransportError> {
        if let Some(shown) = request.headers().get(http::header::AUTHORIZATION) {
            let (_, shown) = shown.to_str().unwrap().split_once(' ').unwrap();
            self.1.add(shown, "what a node shows");
        }
        Ok(self.0.node_request(request).await)
    }
}

#[derive(Clone, Copy, Debug)]
enum Keeping {
    Store,
    Local,
    Barbican,
}

struct Scene {
    cloud: SimCloud,
    guest: NodeGuest,
    magnum: Magnum,
    store: Arc<dyn Store>,
    openstack: OpenStack,
    cx: RequestContext,
    events: MemoryNotifier,
    needles: Needles,
    /// What `Debug` and errors have said.
    said: Mutex<String>,
}

impl Scene {
    async fn new(directory: &Path, keeping: Keeping) -> Self {
        let needles = Needles::default();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let keys = Arc::new(FixtureKeys::danger_seeded(3));
        for _ in 0..32 {
            needles.add_key(keys.generate().await.unwrap().expose());
        }
        let guest = NodeGuest::new(Arc::new(EcKeys), Arc::clone(&clock)).renewing(Duration::from_millis(300));
        let cloud = SimCloud::builder()
            .pace(Pace::Scaled(400.0))
            .seed(3)
            .devstack()
            .guest(Arc::new(guest.clone()))
            .build();
        let (demo, service) = (
            cloud.project_id("demo").unwrap(),
            cloud.project_id("service").unwrap(),
        );
        cloud
            .add_user(
                "owner",
                OWNERS_PASSWORD,
                &demo,
                &["member", "load-balancer_member"],
            )
            .unwrap();
        cloud
            .add_user("host", SERVICE_PASSWORD, &service, &["admin", "service"])
            .unwrap();
        let user = |name: &str, password: &str, project: &str| {
            Credentials::password(Named::new(name, DomainRef::id("default")), password)
                .in_project(Named::id(project))
        };
        let transport = Arc::new(Learning(cloud.transport(), needles.clone()));
        let openstack = OpenStack::builder()
            .auth_url(cloud.auth_url())
            .transport(transport)
            .service(user("host", SERVICE_PASSWORD, &service))
            .trustee_domain_admin(
                Credentials::password(
                    Named::new("magnum_domain_admin", DomainRef::name("magnum")),
                    "secret",
                )
                .in_domain(DomainRef::name("magnum")),
            )
            .build()
            .unwrap();
        let token = openstack
            .login(user("owner", OWNERS_PASSWORD, &demo))
            .await
            .unwrap();
        let cx = openstack.context(&token.token).await.unwrap();
        let store = SqlStore::open_sqlite(directory.join("store.sqlite"))
            .await
            .unwrap();
        store.migrate().await.unwrap();
        let store: Arc<dyn Store> = Arc::new(store);
        let random = Arc::new(SystemRandom);
        let sealing = SealingKey::generate(&SystemRandom).unwrap();
        needles.add(sealing.to_base64().expose(), "the sealing key");
        let sealer = Arc::new(AesSealer::new(sealing));
        let kept: Arc<dyn CertManager> = match keeping {
            Keeping::Store => Arc::new(X509KeyPairStore::new(Arc::clone(&store), sealer.clone(), random)),
            Keeping::Local => Arc::new(
                LocalCertManager::open(directory.join("certificates"), sealer.clone(), random)
                    .await
                    .unwrap(),
            ),
            Keeping::Barbican => Arc::new(BarbicanCertManager::new(&openstack)),
        };
        let authority = OpenSslAuthority::system(keys).danger_accept_fixture_keys();
        let events = MemoryNotifier::default();
        let mut settings = Settings::default();
        settings.poll_interval = Duration::from_millis(50);
        // Nodes are in a hurry here, by the machine's clock.
        settings.requests_per_minute = 100_000;
        let mut builder = Magnum::builder()
            .store(Arc::clone(&store))
            .sealer(sealer)
            .cloud(magnum::cloud("sim", &openstack, true))
            .certificates(Certificates::new(Arc::new(authority), kept))
            .node_endpoint(NodeEndpoint::new("https://nodes.example.test").unwrap())
            .notifier(Arc::new(events.clone()))
            .settings(settings);
        for driver in magnum::drivers::all() {
            builder = builder.driver(driver);
        }
        let magnum = builder.build().unwrap();
        cloud.mount(
            "nodes.example.test",
            Arc::new(NodeRoute(magnum.clone(), needles.clone())),
        );
        let scene = Self {
            cloud,
            guest,
            magnum,
            store,
            openstack,
            cx,
            events,
            needles,
            said: Mutex::default(),
        };
        scene.says(&(&scene.magnum, &scene.cx, &scene.openstack, &scene.guest));
        scene
    }

    fn says(&self, thing: &dyn Debug) {
        use std::fmt::Write as _;
        writeln!(self.said.lock().unwrap(), "{thing:?}\n{thing:#?}").unwrap();
    }

    /// An error, with all that led to it.
    fn says_error<T: Debug>(&self, outcome: Result<T>) {
        let error = outcome.expect_err("it must fail");
        self.says(&error);
        let mut cause: Option<&dyn std::error::Error> = Some(&error);
        while let Some(error) = cause {
            self.said.lock().unwrap().push_str(&format!("{error}\n"));
            cause = error.source();
        }
    }

    /// Drives to the end, and has everything said that is kept of the cluster.
    async fn settled(&self, id: ClusterId) -> Option<Cluster> {
        self.keep_saying(id).await;
        tokio::time::timeout(Duration::from_secs(600), self.magnum.conductor().run_until_idle())
            .await
            .expect("it never ends")
            .unwrap();
        self.keep_saying(id).await;
        self.store.cluster(id).await.unwrap()
    }

    async fn keep_saying(&self, id: ClusterId) {
        self.says(&self.store.cluster(id).await.unwrap());
        self.says(&self.store.active_operation(id).await.unwrap());
        self.says(&self.store.ledger(id).await.unwrap());
        self.says(&self.store.certificate_notes(id, "").await.unwrap());
        for (name, held) in self.guest.nodes() {
            self.says(&held);
            self.needles.add_key(held.private_key.as_ref().unwrap().expose());
            if let Some(token) = &held.token {
                self.needles.add(token.expose(), "a node's token");
            }
            assert!(!name.is_empty());
        }
        for role in ["ca", "client", "etcd", "service-account", "ca.1", "client.1"] {
            self.says(
                &self
                    .store
                    .key_pairs(&format!("magnum-{id}-{role}"))
                    .await
                    .unwrap(),
            );
        }
    }

    /// What Heat shows of every stack of the project.
    async fn shown_by_heat(&self) -> Vec<u8> {
        let auth = Auth::Token(self.cx.token.clone().unwrap());
        let mut shown = Vec::new();
        let list = Call::get(Service::ORCHESTRATION, "stacks", "/stacks");
        let listed: Value = self.openstack.call(&auth, &list).await.unwrap().json().unwrap();
        for stack in listed["stacks"].as_array().unwrap() {
            let (name, id) = (
                stack["stack_name"].as_str().unwrap(),
                stack["id"].as_str().unwrap(),
            );
            for path in [
                "/stacks/{name}/{id}",
                "/stacks/{name}/{id}/template",
                "/stacks/{name}/{id}/environment",
                "/stacks/{name}/{id}/events",
                "/stacks/{name}/{id}/resources",
            ] {
                let call = Call::get(Service::ORCHESTRATION, "show", path)
                    .segment(name)
                    .segment(id);
                let answer = self.openstack.call(&auth, &call).await.unwrap();
                shown.extend_from_slice(answer.body());
            }
        }
        shown
    }
}

fn everything_below(directory: &Path, into: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            everything_below(&path, into);
        } else {
            into.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
}

async fn lives(keeping: Keeping) {
    let logged = log();
    let directory = tempfile::tempdir().unwrap();
    let scene = Scene::new(directory.path(), keeping).await;
    let (magnum, cx) = (&scene.magnum, &scene.cx);
    let templates = [
        TemplateSpec::new("docker", "ubuntu", "public")
            .with_keypair("testkey")
            .with_name("docker"),
        // The trustee's password is on its servers.
        TemplateSpec {
            volume_driver: Some("cinder".into()),
            ..TemplateSpec::new("kubernetes", "fedora-atomic", "public")
                .with_keypair("testkey")
                .with_name("kubernetes")
        },
    ];
    for resource in ["instances", "cores", "ram", "volumes", "gigabytes"] {
        scene.cloud.set_quota(&cx.project_id, resource, -1).unwrap();
    }
    scene.cloud.add_keypair(&cx.user_id, "testkey");
    let mut shown = Vec::new();
    for template in templates {
        let name = template.name.clone().unwrap();
        magnum.create_template(cx, template).await.unwrap();
        let spec = ClusterSpec::new(&name).with_name(format!("of-{name}"));
        let accepted = magnum
            .create_cluster(cx, spec, CreateOptions::default())
            .await
            .unwrap();
        let id = accepted.id;
        let made = scene.settled(id).await.unwrap();
        assert_eq!(made.status, ClusterStatus::CREATE_COMPLETE, "{:?}", made.fault);
        magnum
            .scale_cluster(cx, id, 2, UpdateOptions::default())
            .await
            .unwrap();
        assert_eq!(
            scene.settled(id).await.unwrap().status,
            ClusterStatus::UPDATE_COMPLETE
        );
        magnum.ca_rotate(cx, id).await.unwrap();
        assert_eq!(
            scene.settled(id).await.unwrap().status,
            ClusterStatus::UPDATE_COMPLETE
        );

        let request = ClientRequest::generate("alice", &[], &EcKeys).await.unwrap();
        scene.needles.add_key(request.private_key.expose());
        scene.says(&request);
        magnum.ca_sign(cx, id, &request.csr).await.unwrap();
        scene.says(&magnum.certificates(cx, id).await.unwrap());
        scene.says_error(magnum.ca_sign(cx, id, request.private_key.expose()).await);
        let elsewhere = tempfile::tempdir().unwrap();
        let written = write_client_config(magnum, cx, id, elsewhere.path(), &EcKeys, false)
            .await
            .unwrap();
        scene.says(&written);
        let key = std::fs::read_to_string(elsewhere.path().join("key.pem")).unwrap();
        scene.needles.add_key(&key);

        // Nodes that are refused, and a cloud that fails, quoting what it was sent.
        let request = http::Request::builder()
            .method("POST")
            .uri(format!("/v1/clusters/{id}/certificates/nothing"))
            .header(
                "authorization",
                format!(
                    "Bearer {}",
                    scene
                        .guest
                        .nodes()
                        .values()
                        .next()
                        .unwrap()
                        .token
                        .as_ref()
                        .unwrap()
                        .expose()
                ),
            )
            .body(bytes::Bytes::from(key))
            .unwrap();
        let refused = magnum.node_request(request).await;
        assert!(!refused.status().is_success());
        scene.says(&refused);
        shown.extend(scene.shown_by_heat().await);
        let at = At::Route {
            method: Some(http::Method::PATCH),
            path_prefix: "/orchestration".into(),
            nth: 0,
        };
        let effect = Effect::Status {
            status: 400,
            retry_after: None,
        };
        scene.cloud.inject(Injected::once(at, effect));
        magnum
            .scale_cluster(cx, id, 3, UpdateOptions::default())
            .await
            .unwrap();
        scene.settled(id).await.unwrap();
        shown.extend(scene.shown_by_heat().await);
        magnum.ca_rotate_finish(cx, id).await.unwrap_or(made);
        scene.settled(id).await.unwrap();
        magnum
            .delete_cluster(cx, id, DeleteOptions::default())
            .await
            .unwrap();
        let gone = scene.settled(id).await;
        assert!(gone.is_none(), "{gone:?}");
    }
    // Logins that are refused.
    let wrong = Credentials::password(Named::id(&cx.user_id), SERVICE_PASSWORD);
    scene.says(&wrong);
    scene.says_error(scene.openstack.login(wrong).await);
    scene.says(&scene.events.events());

    let kinds = scene.needles.kinds();
    for what in [
        "a token",
        "a password",
        "a private key",
        "what nodes' credentials are made of",
        "what a node shows",
        "a node's token",
        "the sealing key",
    ] {
        assert!(kinds.contains_key(what), "no {what} was learnt: {kinds:?}");
    }
    let mut places = vec![
        ("what is logged".to_owned(), logged.0.lock().unwrap().clone()),
        (
            "what is said".to_owned(),
            scene.said.lock().unwrap().clone().into_bytes(),
        ),
        ("what Heat shows".to_owned(), shown),
    ];
    everything_below(directory.path(), &mut places);
    let total: usize = places.iter().map(|(_, text)| text.len()).sum();
    for (place, text) in &places {
        assert!(!text.is_empty() || place.contains("sqlite"), "nothing in {place}");
        let found = scene.needles.found_in(place, text);
        assert!(found.is_empty(), "{found:#?}");
    }
    // The search finds what is there.
    let (needle, what) = scene
        .needles
        .0
        .lock()
        .unwrap()
        .iter()
        .next()
        .map(|(n, w)| (n.clone(), w.clone()))
        .unwrap();
    assert_eq!(
        scene.needles.found_in("x", format!("a{needle}b").as_bytes()),
        [format!("{what} in x")]
    );
    println!(
        "{keeping:?}: {kinds:?} searched for in {} places, {total} bytes: none found",
        places.len()
    );
}

#[tokio::test]
async fn nothing_is_told_of_secrets_with_certificates_in_the_store() {
    lives(Keeping::Store).await;
}

#[tokio::test]
async fn nothing_is_told_of_secrets_with_certificates_in_files() {
    lives(Keeping::Local).await;
}

#[tokio::test]
async fn nothing_is_told_of_secrets_with_certificates_in_barbican() {
    lives(Keeping::Barbican).await;
}
