//! The cloud to play on: simulated, or one of clouds.yaml.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::Response;
use magnum::certs::{FixtureKeys, RsaKeys};
use magnum::openstack::sim::{Pace, SimCloud};
use magnum::openstack::{CloudConfig, Credentials, DomainRef, Named, OpenStack, ReqwestTransport};
use magnum::{
    Auth, Error, ErrorKind, HttpTransport, KeySource, Magnum, NodeGuest, RequestContext, Result, SystemClock,
    TlsProfile, TransportError,
};

use crate::Arguments;

/// A cloud, and who we are there.
pub struct Site {
    pub name: String,
    pub openstack: OpenStack,
    pub auth: Auth,
    pub cx: RequestContext,
    pub keys: Arc<dyn KeySource>,
    pub node_endpoint: String,
    pub poll_interval: Duration,
    pub simulated: bool,
    simulation: Option<SimCloud>,
}

/// Opens the cloud that the arguments name.
pub async fn open(arguments: &Arguments) -> Result<Site> {
    match (&arguments.cloud, &arguments.node_endpoint) {
        (Some(name), Some(endpoint)) => real(name, endpoint).await,
        _ => simulated().await,
    }
}

async fn real(name: &str, endpoint: &str) -> Result<Site> {
    let config = CloudConfig::load(Some(name))?;
    let credentials = config.credentials.clone();
    let openstack = OpenStack::builder()
        .cloud(config)
        .transport(Arc::new(ReqwestTransport::new()))
        .build()?;
    let token = openstack.login(credentials).await?;
    Ok(Site {
        name: format!("cloud {name}"),
        auth: Auth::Service,
        cx: RequestContext::from_token(token),
        openstack,
        keys: Arc::new(RsaKeys::default()),
        node_endpoint: endpoint.to_owned(),
        poll_interval: Duration::from_secs(2),
        simulated: false,
        simulation: None,
    })
}

/// Minutes of a real cloud's life pass in seconds here.
const HASTE: f64 = 40.0;

async fn simulated() -> Result<Site> {
    let keys = Arc::new(FixtureKeys::danger_seeded(1));
    let clock = Arc::new(SystemClock);
    let cloud = SimCloud::builder()
        .pace(Pace::Scaled(HASTE))
        .seed(1)
        .devstack()
        .guest(Arc::new(NodeGuest::new(keys.clone(), clock)))
        .build();
    let demo = Credentials::password(Named::new("demo", DomainRef::id("default")), "secret")
        .in_project(Named::new("demo", DomainRef::id("default")));
    let openstack = OpenStack::builder()
        .auth_url(cloud.auth_url())
        .transport(Arc::new(cloud.transport()))
        .service(demo.clone())
        .build()?;
    let token = openstack.login(demo).await?;
    // Clouds allow ten servers and volumes where nobody says otherwise, and the example needs eleven.
    for resource in ["instances", "cores", "ram", "volumes", "gigabytes"] {
        cloud
            .set_quota(&token.project_id, resource, -1)
            .map_err(|fault| Error::new(ErrorKind::Configuration, fault.message))?;
    }
    Ok(Site {
        name: "a simulated cloud".to_owned(),
        auth: Auth::Service,
        cx: RequestContext::from_token(token),
        openstack,
        keys,
        node_endpoint: "https://nodes.example.test".to_owned(),
        poll_interval: Duration::from_millis(100),
        simulated: true,
        simulation: Some(cloud),
    })
}

impl Site {
    /// Lets the cloud's servers reach the service: through the simulation, or by listening.
    pub async fn connect(&self, magnum: &Magnum, listen: std::net::SocketAddr) -> Result<()> {
        if let Some(cloud) = &self.simulation {
            cloud.mount("nodes.example.test", Arc::new(Route(magnum.clone())));
            return Ok(());
        }
        let listener = tokio::net::TcpListener::bind(listen).await.map_err(|error| {
            Error::new(
                ErrorKind::Configuration,
                format!("{listen} cannot be listened on: {error}"),
            )
        })?;
        let router = axum::Router::new().fallback(answer).with_state(magnum.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(())
    }
}

async fn answer(State(magnum): State<Magnum>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    match axum::body::to_bytes(body, 64 * 1024).await {
        Ok(body) => magnum
            .node_request(http::Request::from_parts(parts, body))
            .await
            .map(Into::into),
        Err(_) => {
            let mut refusal = Response::default();
            *refusal.status_mut() = http::StatusCode::PAYLOAD_TOO_LARGE;
            refusal
        }
    }
}

/// Hands what simulated servers ask to the service.
#[derive(Debug)]
struct Route(Magnum);

#[async_trait::async_trait]
impl HttpTransport for Route {
    async fn send(
        &self,
        request: http::Request<bytes::Bytes>,
        _profile: &TlsProfile,
    ) -> Result<http::Response<bytes::Bytes>, TransportError> {
        Ok(self.0.node_request(request).await)
    }
}
