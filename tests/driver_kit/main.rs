//! The conformance kit of drivers: every driver of this project passes it, and drivers that break a rule do not.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test program: it has no users, and a panic is its verdict"
)]

mod machines;
mod mutants;

use magnum::testing::driver::check;

#[tokio::test(start_paused = true)]
async fn every_driver_of_this_project_passes() {
    for driver in magnum::drivers::all() {
        let began = std::time::Instant::now();
        let report = check(driver).await;
        println!("{report}\n  in {:.1} s", began.elapsed().as_secs_f64());
        report.assert();
    }
}

/// A driver whose clusters are no stacks of Heat keeps the same rules.
#[tokio::test(start_paused = true)]
async fn a_driver_that_is_not_heat_passes() {
    let report = check(machines::driver()).await;
    println!("{report}");
    report.assert();
    // What it cannot show is said, and not passed over.
    assert!(
        report
            .done()
            .iter()
            .any(|done| done.starts_with("failure: NOT RUN")),
        "{report}"
    );
}
