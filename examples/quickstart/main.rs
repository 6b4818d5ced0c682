//! A Kubernetes cluster's life, as in the user guide: template, create, client configuration, scale, delete, and a count of
//! what is left.
//!
//! ```text
//! cargo run --example quickstart
//! cargo run --example quickstart -- --cloud mycloud --node-endpoint https://me.example.com/nodes
//! ```
//!
//! Without `--cloud` it plays on a simulated cloud in this process. With it, the very same runs on a real cloud of
//! `clouds.yaml`, where your own account owns the stack.
#![allow(missing_docs, unreachable_pub, reason = "a program: it has no users in code")]

mod clouds;
mod inventory;
mod show;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Parser;
use magnum::certs::{AesSealer, OpenSslAuthority, SealingKey, X509KeyPairStore};
use magnum::{
    Certificates, Cluster, ClusterSpec, CreateOptions, DeleteOptions, Error, ErrorKind, Magnum, MemoryStore,
    NodeEndpoint, Phase, RequestContext, Result, Settings, SystemClock, SystemRandom, TemplateSpec,
    UpdateOptions,
};

/// Plays a cluster's life on a simulated or a real cloud.
#[derive(Debug, Parser)]
struct Arguments {
    /// A cloud of clouds.yaml; a simulated one when absent.
    #[arg(long, requires = "node_endpoint")]
    cloud: Option<String>,
    /// The URL by which the cluster's servers reach this program. It must be https, ended by a proxy of yours that
    /// passes on to --listen; http is accepted on loopback addresses only.
    #[arg(long)]
    node_endpoint: Option<String>,
    /// Where this program listens for the cluster's servers, in plain HTTP.
    #[arg(long, default_value = "127.0.0.1:9512")]
    listen: std::net::SocketAddr,
    /// Name or UUID of an image with os_distro=fedora-atomic.
    #[arg(long, default_value = "fedora-atomic")]
    image: String,
    /// Name or UUID of the external network.
    #[arg(long, default_value = "public")]
    external_network: String,
    /// Name of the SSH key pair.
    #[arg(long, default_value = "testkey")]
    keypair: String,
    /// Flavor of the servers.
    #[arg(long, default_value = "m1.small")]
    flavor: String,
    /// How many masters.
    #[arg(long, default_value_t = 3)]
    masters: u32,
    /// How many nodes at first; it ends with two.
    #[arg(long, default_value_t = 8)]
    nodes: u32,
    /// Where to write the client configuration.
    #[arg(long, default_value = "out/myclusterconfig")]
    dir: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    match play(Arguments::parse()).await {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("quickstart: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Plays, and returns how many things are left in the cloud.
async fn play(arguments: Arguments) -> Result<usize> {
    let began = Instant::now();
    let site = clouds::open(&arguments).await?;
    let before = inventory::take(&site.openstack, &site.auth).await?;

    let mut settings = Settings::default();
    settings.poll_interval = site.poll_interval;
    let random = Arc::new(SystemRandom);
    let store = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
    let sealer = Arc::new(AesSealer::new(SealingKey::generate(&SystemRandom)?));
    let kept = Arc::new(X509KeyPairStore::new(store.clone(), sealer.clone(), random));
    let authority = OpenSslAuthority::system(site.keys.clone());
    let authority = if site.simulated {
        authority.danger_accept_fixture_keys()
    } else {
        authority
    };
    let mut builder = Magnum::builder()
        .store(store)
        .sealer(sealer)
        .cloud(magnum::cloud("quickstart", &site.openstack, false))
        .certificates(Certificates::new(Arc::new(authority), kept))
        .node_endpoint(NodeEndpoint::new(&site.node_endpoint)?)
        .settings(settings);
    for driver in magnum::drivers::all() {
        builder = builder.driver(driver);
    }
    let magnum = builder.build()?;
    site.connect(&magnum, arguments.listen).await?;

    let conductor = magnum.conductor();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let life = async {
        let result = life(&magnum, &site.cx, &arguments, &site).await;
        // The conductor waits for this or for the sender to go, and does not outlive either.
        let _ = stop.send(());
        result
    };
    let working = conductor.run(async {
        let _ = stopped.await;
    });
    let (result, ()) = tokio::join!(life, working);
    result?;

    let left = inventory::take(&site.openstack, &site.auth)
        .await?
        .beyond(&before);
    println!(
        "Left in the cloud: {} ({:.1} s in all){}",
        left.total(),
        began.elapsed().as_secs_f64(),
        left.named()
    );
    Ok(left.total())
}

async fn life(
    magnum: &Magnum,
    cx: &RequestContext,
    arguments: &Arguments,
    site: &clouds::Site,
) -> Result<()> {
    let template = TemplateSpec {
        dns_nameserver: Some("8.8.8.8".to_owned()),
        flavor_id: Some(arguments.flavor.clone()),
        master_flavor_id: Some(arguments.flavor.clone()),
        docker_volume_size: Some(5),
        network_driver: Some("flannel".to_owned()),
        ..TemplateSpec::new("kubernetes", &arguments.image, &arguments.external_network)
            .with_keypair(&arguments.keypair)
            .with_name("k8s-cluster-template")
    };
    let template = magnum.create_template(cx, template).await?;
    println!("Template {} ({}) on {}", template.name, template.id, site.name);

    let spec = ClusterSpec::new("k8s-cluster-template")
        .with_name("k8s-cluster")
        .with_master_count(arguments.masters)
        .with_node_count(arguments.nodes);
    let cluster = magnum.create_cluster(cx, spec, CreateOptions::default()).await?;
    println!("Request to create cluster {} accepted", cluster.id);
    let lived = async {
        watch(magnum, cx, &cluster).await?;
        used(magnum, cx, arguments, site, &cluster).await
    };
    let result = tokio::select! {
        result = lived => result,
        _ = tokio::signal::ctrl_c() => Err(Error::new(ErrorKind::Unavailable, "interrupted")),
    };
    // Whatever happened, what was made is removed.
    magnum
        .delete_cluster(cx, cluster.id, DeleteOptions::default())
        .await?;
    println!("Request to delete cluster {} accepted", cluster.id);
    let deleted = watch(magnum, cx, &cluster).await;
    result?;
    deleted?;
    magnum.delete_template(cx, template.id).await
}

/// What one does with a cluster: look at it, talk to it, scale it.
async fn used(
    magnum: &Magnum,
    cx: &RequestContext,
    arguments: &Arguments,
    site: &clouds::Site,
    cluster: &Cluster,
) -> Result<()> {
    show::cluster(&magnum.cluster(cx, cluster.id).await?);
    let written =
        magnum::write_client_config(magnum, cx, cluster.id, &arguments.dir, &*site.keys, true).await?;
    println!("Client configuration in {}:", written.directory.display());
    let shell = magnum::Shell::from_env(std::env::var("SHELL").ok().as_deref());
    print!("{}", written.exports(shell));

    magnum
        .scale_cluster(cx, cluster.id, 2, UpdateOptions::default())
        .await?;
    println!("Request to scale cluster {} to 2 nodes accepted", cluster.id);
    let scaled = watch(magnum, cx, cluster).await?;
    if let Some(scaled) = scaled {
        println!("Nodes: {}", scaled.node_addresses().join(", "));
    }
    Ok(())
}

/// Shows progress until the operation has ended; `None` when the cluster is gone.
async fn watch(magnum: &Magnum, cx: &RequestContext, cluster: &Cluster) -> Result<Option<Cluster>> {
    let mut progress = show::ProgressLine::new();
    let mut watch = match magnum.watch(cx, cluster.id).await {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        other => other?.with_interval(Duration::from_millis(200)),
    };
    while let Some(seen) = watch.next().await? {
        progress.show(&seen);
        match seen.status.phase {
            Phase::InProgress => {}
            Phase::Complete => {
                progress.end(&seen.status.to_string());
                return Ok(Some(seen));
            }
            Phase::Failed => {
                progress.end(&seen.status.to_string());
                let reason = seen.status_reason.unwrap_or_default();
                return Err(Error::new(
                    ErrorKind::Unavailable,
                    format!("{}: {reason}", seen.status),
                ));
            }
        }
    }
    progress.end("gone");
    Ok(None)
}
