//! The conformance kit of drivers: every driver of this project passes it, and drivers that break a rule do not.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test program: it has no users, and a panic is its verdict"
)]

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
