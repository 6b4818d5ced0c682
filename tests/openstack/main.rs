//! The library against real OpenStack services. `tests/openstack/run` starts them and runs this.
//!
//! Called as `worker …` it is a conductor's process of its own; else it runs the scenarios, several at a time, and
//! compares what the cloud holds before and after.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test program: it has no users, and a panic is a verdict"
)]

mod adopted;
mod agreement;
mod barbican;
mod booted;
mod cloudlet;
mod differences;
mod discovery;
mod heats;
#[path = "../support/interrupt.rs"]
#[allow(dead_code, reason = "the simulated tests use the rest")]
mod interrupt;
mod kills;
mod kubernetes;
mod life;
mod lives;
mod network;
mod options;
mod owners;
mod refusals;
mod rotation;
mod site;
mod subjects;
mod templates;
mod tokens;
mod worker;

use std::future::Future;
use std::pin::Pin;
use std::process::ExitCode;
use std::time::Instant;

use futures::StreamExt;

/// A scenario's figures, or what was wrong.
pub type Outcome = Result<String, String>;
type Scenario = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// How many scenarios run at once: Heat and Nova share two cores with them.
const AT_ONCE: usize = 6;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == "worker") {
        return worker::main(&arguments[1..]).await;
    }
    if arguments == ["discovery_etcd"] {
        return alone(discovery::real_etcd().await);
    }
    let wanted = |name: &str| {
        let names: Vec<&String> = arguments.iter().filter(|a| !a.starts_with('-')).collect();
        names.is_empty() || names.iter().any(|part| name.contains(part.as_str()))
    };
    if let Err(why) = site::prepare().await {
        eprintln!("the real cloud cannot be used: {why}\nstart it with tests/openstack/run");
        return ExitCode::FAILURE;
    }
    let before = match site::leftovers() {
        Ok(before) => before,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::FAILURE;
        }
    };
    let began = Instant::now();
    // The first wave shares the cloud; the second takes services away.
    let mut waves: Vec<Vec<(String, Scenario)>> = vec![Vec::new(), Vec::new()];
    waves[0].push(("life".into(), Box::pin(life::whole_life())));
    waves[0].push(("adopted".into(), Box::pin(adopted::from_python_magnum())));
    waves[0].push(("barbican_life".into(), Box::pin(barbican::life())));
    waves[0].push(("barbican_rules".into(), Box::pin(barbican::rules())));
    waves[0].push(("barbican_original".into(), Box::pin(barbican::original())));
    waves[0].push(("barbican_failures".into(), Box::pin(barbican::failures())));
    waves[0].push(("owner_roles".into(), Box::pin(owners::roles_then_user())));
    waves[0].push(("owner_roles_only".into(), Box::pin(owners::roles_only())));
    waves[0].push(("owner_gone".into(), Box::pin(owners::user_at_once())));
    waves[0].push(("kubernetes_1_1".into(), Box::pin(kubernetes::small())));
    waves[0].push(("kubernetes_3_2".into(), Box::pin(kubernetes::highly_available())));
    waves[0].push(("kubernetes_made".into(), Box::pin(kubernetes::made_by_itself())));
    waves[0].push(("revoked_token".into(), Box::pin(tokens::revoked_in_between())));
    waves[0].push(("expired_token".into(), Box::pin(tokens::expired_in_between())));
    waves[0].push(("rotation".into(), Box::pin(rotation::docker())));
    waves[0].push(("rotation_swarm".into(), Box::pin(rotation::swarm())));
    waves[0].extend(templates::all());
    waves[0].extend(lives::all());
    waves[0].push(("discovery_etcd".into(), Box::pin(discovery::real_etcd())));
    waves[0].extend(agreement::all());
    waves[0].extend(refusals::all());
    waves[0].extend(kills::all());
    waves[1].push(("heat_down".into(), Box::pin(refusals::heat_down())));

    let (mut passed, mut failed) = (0, Vec::new());
    for wave in waves {
        let chosen: Vec<_> = wave.into_iter().filter(|(name, _)| wanted(name)).collect();
        let mut running = futures::stream::iter(chosen.into_iter().map(|(name, scenario)| async move {
            let began = Instant::now();
            let outcome = match tokio::spawn(scenario).await {
                Ok(outcome) => outcome,
                Err(error) => Err(error.to_string()),
            };
            (name, outcome, began.elapsed())
        }))
        .buffer_unordered(AT_ONCE);
        while let Some((name, outcome, took)) = running.next().await {
            match outcome {
                Ok(figures) => {
                    passed += 1;
                    println!("ok     {name} ({:.0} s) {figures}", took.as_secs_f64());
                }
                Err(why) => {
                    println!("FAILED {name} ({:.0} s): {why}", took.as_secs_f64());
                    failed.push(name);
                }
            }
        }
    }
    match site::settled_leftovers(&before).await {
        Ok(()) => println!("nothing is left in the cloud"),
        Err(left) => {
            println!("FAILED leftovers: {left}");
            failed.push("leftovers".into());
        }
    }
    println!("real services: {:.0} s", began.elapsed().as_secs_f64());
    println!("{passed} passed, {} failed", failed.len());
    if failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// The verdict on a scenario that needs no cloud and was asked for by its name.
fn alone(outcome: Outcome) -> ExitCode {
    match outcome {
        Ok(figures) => {
            println!("ok     {figures}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            println!("FAILED {why}");
            ExitCode::FAILURE
        }
    }
}
