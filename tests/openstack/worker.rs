//! A conductor in a process of its own, which can kill itself at a given change.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use magnum::openstack::ReqwestTransport;

use crate::interrupt::{InterruptedStore, InterruptedTransport, Interrupter, Outcome};
use crate::site::{self, Certified};

/// `DIRECTORY ENDPOINT fixture|real|barbican [N before|after]`
pub async fn main(arguments: &[String]) -> ExitCode {
    let usage = || {
        eprintln!("worker DIRECTORY ENDPOINT fixture|real|barbican [N before|after]");
        ExitCode::FAILURE
    };
    let [directory, endpoint, word, kill @ ..] = arguments else {
        return usage();
    };
    let Some(certified) = Certified::of_word(word) else {
        return usage();
    };
    let plan = match kill {
        [at, when] => {
            let outcome = if when == "before" {
                Outcome::CrashBefore
            } else {
                Outcome::CrashAfter
            };
            at.parse().ok().map(|at: u64| (at, outcome))
        }
        _ => None,
    };
    let interrupter = Arc::new(Interrupter::default());
    interrupter.arm_changes(plan);
    let transport = InterruptedTransport(ReqwestTransport::new(), Arc::clone(&interrupter));
    let wrapped = Arc::clone(&interrupter);
    let magnum = site::compose(
        Path::new(directory),
        endpoint,
        Arc::new(transport),
        certified,
        |store| Arc::new(InterruptedStore(store, wrapped)),
    )
    .await;
    let magnum = match magnum {
        Ok(magnum) => magnum,
        Err(error) => {
            eprintln!("worker: {error:?}");
            return ExitCode::FAILURE;
        }
    };
    let log = Path::new(directory).join("calls");
    let conductor = magnum.conductor();
    tokio::select! {
        () = conductor.run(std::future::pending()) => {}
        () = interrupter.crashed.notified() => die().await,
        () = record(&interrupter, &log) => {}
    }
    ExitCode::SUCCESS
}

/// Keeps the changes so far in a file, for whoever wants to know how many there are.
async fn record(interrupter: &Interrupter, log: &Path) {
    loop {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        let _ = std::fs::write(log, interrupter.calls().join("\n"));
    }
}

/// Not an exit: nothing of this process gets to run any more.
async fn die() {
    let pid = std::process::id().to_string();
    let _ = std::process::Command::new("kill").args(["-KILL", &pid]).status();
    std::future::pending::<()>().await;
}
