//! Whole lives of clusters in every way that they can be asked for, and lives that go wrong.

use std::collections::BTreeSet;
use std::sync::Arc;

use magnum_core::{Cluster, ClusterDriver, ClusterStatus, ErrorKind, Result};
use magnum_openstack::sim::{At, Effect, Fault};

use super::matrix::{self, Case};
use super::place::Place;
use super::report::Report;

/// How many of the matrix' cases live; all of them are asked for.
const LIVES: usize = 10;

pub(super) async fn check(driver: &Arc<dyn ClusterDriver>, report: &mut Report) {
    let cases = matrix::cases(driver.descriptor());
    if cases.is_empty() {
        return;
    }
    let (mut accepted, mut refused) = (Vec::new(), BTreeSet::new());
    let place = match Place::with(driver).await {
        Ok(place) => place,
        Err(error) => return report.found("matrix", "a host with this driver", error.to_string()),
    };
    let asked = cases.len();
    for (number, case) in cases.into_iter().enumerate() {
        match place
            .magnum
            .create_template(&place.cx, case.template.clone())
            .await
        {
            Ok(_) => accepted.push(case),
            Err(error) if number == 0 => {
                return report.found(
                    "matrix",
                    case.to_string(),
                    format!("the plainest is refused: {error}"),
                );
            }
            Err(error) if error.kind() == ErrorKind::InvalidInput && !error.problems().is_empty() => {
                refused.extend(
                    error
                        .problems()
                        .iter()
                        .map(|p| format!("{}: {}", p.field, p.message)),
                );
            }
            Err(error) => report.found(
                "matrix",
                case.to_string(),
                format!("refused without a field: {error}"),
            ),
        }
    }
    report.did(format!(
        "matrix: {asked} ways to ask for a cluster, every two values of different options together; {} accepted",
        accepted.len()
    ));
    for why in &refused {
        report.did(format!("  refused by the driver's own rules: {why}"));
    }
    let step = accepted.len().div_ceil(LIVES).max(1);
    let mut lived = 0;
    for case in accepted.iter().step_by(step) {
        if let Err(error) = life(driver, case, report).await {
            report.found("create", case.to_string(), error.to_string());
        }
        lived += 1;
    }
    report.did(format!(
        "lives: {lived} clusters created, grown, shrunk and deleted"
    ));
    for (what, result) in [
        ("failure", failure(driver, &accepted[0], report).await),
        ("delete", taken_over(driver, &accepted[0], report).await),
    ] {
        if let Err(error) = result {
            report.found(what, accepted[0].to_string(), error.to_string());
        }
    }
}

/// Whether the cluster is whole; tells the report what it lacks.
fn whole(
    case: &Case,
    rule: &'static str,
    cluster: &Cluster,
    wanted: ClusterStatus,
    nodes: u32,
    report: &mut Report,
) -> bool {
    let mut found = |what: String| report.found(rule, case.to_string(), what);
    if cluster.status != wanted {
        let reason = cluster.status_reason.clone().unwrap_or_default();
        found(format!("{} and not {wanted}: {reason}", cluster.status));
        return false;
    }
    if cluster.api_address.as_ref().is_none_or(String::is_empty) {
        found("it has no api_address".to_owned());
    }
    let (masters, workers) = (cluster.master_addresses(), cluster.node_addresses());
    for (what, addresses, count) in [("master", &masters, case.masters), ("node", &workers, nodes)] {
        let distinct: BTreeSet<&String> = addresses.iter().collect();
        if addresses.len() != count as usize || distinct.len() != addresses.len() {
            found(format!(
                "it has {count} {what}s and the {what} addresses {addresses:?}"
            ));
        }
    }
    true
}

/// What may be left when a cluster is gone: nothing.
fn gone(place: &Place, rule: &'static str, case: &Case, cluster: Option<Cluster>, report: &mut Report) {
    if let Some(left) = cluster {
        let reason = left.status_reason.unwrap_or_default();
        report.found(
            rule,
            case.to_string(),
            format!("it is not deleted: {}: {reason}", left.status),
        );
    } else if let Some(left) = place.left() {
        report.found(
            rule,
            case.to_string(),
            format!("it is deleted, and left behind: {left}"),
        );
    }
}

async fn life(driver: &Arc<dyn ClusterDriver>, case: &Case, report: &mut Report) -> Result<()> {
    let place = Place::with(driver).await?;
    let masters = case.masters;
    let accepted = place
        .accept(case.template.clone(), |spec| {
            spec.with_master_count(masters).with_node_count(1)
        })
        .await;
    let id = match accepted {
        Ok(cluster) => cluster.id,
        // What a template alone could not know, like a number of masters that it does not fit.
        Err(error) if !error.problems().is_empty() => return Ok(()),
        Err(error) => return Err(error),
    };
    let Some(made) = place.settled(id).await? else {
        report.found("create", case.to_string(), "it vanished while it was made");
        return Ok(());
    };
    if whole(case, "create", &made, ClusterStatus::CREATE_COMPLETE, 1, report) {
        needs(driver, &place, case, &made, report);
        if driver.descriptor().scalable {
            scaled(driver, &place, case, &made, report).await?;
        }
    }
    let after = place.delete(id).await?;
    gone(&place, "delete", case, after, report);
    Ok(())
}

async fn scaled(
    driver: &Arc<dyn ClusterDriver>,
    place: &Place,
    case: &Case,
    made: &Cluster,
    report: &mut Report,
) -> Result<()> {
    let complete = ClusterStatus::UPDATE_COMPLETE;
    let vanished = |report: &mut Report| {
        report.found("scale", case.to_string(), "it vanished when it was scaled");
        Ok(())
    };
    let Some(grown) = place.scale(made.id, 3, &[]).await? else {
        return vanished(report);
    };
    if !whole(case, "scale", &grown, complete, 3, report) {
        return Ok(());
    }
    let all = grown.node_addresses();
    if !made.node_addresses().iter().all(|address| all.contains(address)) {
        report.found(
            "scale",
            case.to_string(),
            "growing replaced a node that was there",
        );
    }
    if driver.descriptor().named_removal && all.len() == 3 {
        // By its index, which every driver takes.
        let Some(shrunk) = place.scale(made.id, 2, &["1"]).await? else {
            return vanished(report);
        };
        if whole(case, "scale", &shrunk, complete, 2, report) && shrunk.node_addresses().contains(&all[1]) {
            report.found(
                "scale",
                case.to_string(),
                format!(
                    "node 1 was to leave, which had {}; there are {:?}",
                    all[1],
                    shrunk.node_addresses()
                ),
            );
        }
    }
    let Some(shrunk) = place.scale(made.id, 1, &[]).await? else {
        return vanished(report);
    };
    whole(case, "scale", &shrunk, complete, 1, report);
    Ok(())
}

/// Compares what the driver says that the cluster takes with what it has taken.
fn needs(
    driver: &Arc<dyn ClusterDriver>,
    place: &Place,
    case: &Case,
    cluster: &Cluster,
    report: &mut Report,
) {
    let needs = driver.needs(cluster);
    if needs == magnum_core::Needs::default() {
        return;
    }
    let said = [
        ("servers", needs.instances()),
        ("ports", needs.ports),
        ("networks", needs.networks),
        ("subnets", needs.subnets),
        ("routers", needs.routers),
        ("security groups", needs.security_groups),
        ("floating IPs", needs.floating_ips),
        ("volumes", needs.volumes),
        ("stacks", needs.stacks),
    ];
    for (kind, taken) in place.beyond() {
        let Some((_, said)) = said.iter().find(|(name, _)| *name == kind) else {
            continue;
        };
        if *said != taken as u64 {
            report.found(
                "needs",
                case.to_string(),
                format!("it says that it takes {said} {kind}, and takes {taken}"),
            );
        }
    }
}

/// A server cannot be made.
async fn failure(driver: &Arc<dyn ClusterDriver>, case: &Case, report: &mut Report) -> Result<()> {
    let place = Place::with(driver).await?;
    let at = At::Resource {
        resource_type: "OS::Nova::Server".into(),
        name: "*".into(),
    };
    let reason = "No valid host was found.";
    place
        .cloud
        .inject(Fault::always(at, Effect::ResourceFailure(reason.into())));
    let masters = case.masters;
    let id = place
        .accept(case.template.clone(), |spec| spec.with_master_count(masters))
        .await?
        .id;
    let Some(ended) = place.settled(id).await? else {
        report.found("failure", case.to_string(), "it vanished when a server failed");
        return Ok(());
    };
    if ended.status == ClusterStatus::CREATE_COMPLETE && place.taken().servers.is_empty() {
        report.did("failure: NOT RUN: the cluster has no servers of the cloud that could fail");
    } else if ended.status != ClusterStatus::CREATE_FAILED {
        report.found(
            "failure",
            case.to_string(),
            format!("a server failed, and it is {}", ended.status),
        );
    } else {
        let said = ended.status_reason.clone().unwrap_or_default();
        if !said.contains(reason) {
            report.found(
                "failure",
                case.to_string(),
                format!("a server failed with {reason:?}, and the cluster says {said:?}"),
            );
        }
        report.did("failure: a server failed, and the cluster said why");
    }
    place.cloud.clear_faults();
    let after = place.delete(id).await?;
    gone(&place, "failure", case, after, report);
    Ok(())
}

/// A cluster is deleted while it is being made.
async fn taken_over(driver: &Arc<dyn ClusterDriver>, case: &Case, report: &mut Report) -> Result<()> {
    // After so many steps of the conductor the user changes his mind.
    for steps in [0, 3, 5, 8] {
        let place = Place::with(driver).await?;
        let masters = case.masters;
        let id = place
            .accept(case.template.clone(), |spec| spec.with_master_count(masters))
            .await?
            .id;
        let conductor = place.magnum.conductor();
        for _ in 0..steps {
            conductor.step().await?;
        }
        let after = place.delete(id).await?;
        gone(&place, "delete", case, after, report);
    }
    report.did("delete: four clusters deleted while they were made");
    Ok(())
}
