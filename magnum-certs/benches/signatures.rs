//! How many requests an authority signs in a second, one after the other, beside what OpenSSL's own
//! `openssl speed` makes of the same key in the same run.
//!
//! `cargo bench -p magnum-certs --bench signatures`; takes about half a minute. To sign is also to read the
//! request, check its key and its proof of possession, read the authority and its key, and verify the new
//! certificate: the ratio says what share of that the bare signature is. Both go by elapsed time.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a measurement that fails has nothing to say"
)]

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use magnum_certs::{ClientRequest, EcKeys, OpenSslAuthority, RsaBits, RsaKeys};
use magnum_core::{Authority, KeySource, Profile};

const SECONDS: u64 = 2;
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// Signed requests a second.
async fn signed(keys: Arc<dyn KeySource>) -> f64 {
    let authority = OpenSslAuthority::system(keys);
    let ca = authority.create_ca("bench", 5 * YEAR).await.unwrap();
    let request = ClientRequest::generate("alice", &[], &EcKeys).await.unwrap();
    let profile = Profile::Client {
        organizations: vec!["system:masters".to_owned()],
    };
    let sign = || authority.sign(&ca, &request.csr, &profile, YEAR);
    sign().await.unwrap();
    let (begun, mut count) = (Instant::now(), 0.0);
    while begun.elapsed() < Duration::from_secs(SECONDS) {
        sign().await.unwrap();
        count += 1.0;
    }
    count / begun.elapsed().as_secs_f64()
}

/// Signatures a second by `openssl speed`, which prints a line `… sign/s verify/s` for each kind of key.
fn bare(kind: &str, line: &str) -> f64 {
    let said = Command::new("openssl")
        .args(["speed", "-elapsed", "-seconds", &SECONDS.to_string(), kind])
        .output()
        .unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    let line = said.lines().find(|said| said.contains(line)).unwrap();
    let rate = line.split_whitespace().rev().nth(1).unwrap();
    rate.parse().unwrap()
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let rsa = |bits| Arc::new(RsaKeys { bits }) as Arc<dyn KeySource>;
    println!(
        "{:<10} {:>14} {:>18} {:>8} {:>12}",
        "authority", "sign a second", "openssl a second", "ratio", "sign takes"
    );
    for (name, keys, kind, line) in [
        ("RSA-2048", rsa(RsaBits::Bits2048), "rsa2048", "rsa 2048 bits"),
        ("RSA-4096", rsa(RsaBits::Bits4096), "rsa4096", "rsa 4096 bits"),
        ("P-256", Arc::new(EcKeys) as _, "ecdsap256", "256 bits ecdsa"),
    ] {
        let ours = runtime.block_on(signed(keys));
        let theirs = bare(kind, line);
        let (ratio, takes) = (100.0 * ours / theirs, Duration::from_secs_f64(1.0 / ours));
        println!("{name:<10} {ours:>14.0} {theirs:>18.0} {ratio:>6.0} % {takes:>12.2?}");
    }
}
