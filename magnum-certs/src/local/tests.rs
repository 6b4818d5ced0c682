use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use magnum_core::SystemRandom;
use magnum_core::testing::cert_manager::conformance;
use tempfile::TempDir;

use super::calls::limit::{Limit, Then};
use super::*;
use crate::{AesSealer, SealingKey};

/// As no umask would make it.
fn directory() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o700)).unwrap();
    directory
}

async fn opened(directory: &TempDir) -> LocalCertManager {
    let sealer = AesSealer::new(SealingKey::from_bytes(b"thirty-two bytes for one sealer.").unwrap());
    LocalCertManager::open(
        directory.path().join("certificates"),
        Arc::new(sealer),
        Arc::new(SystemRandom),
    )
    .await
    .unwrap()
}

async fn limited(directory: &TempDir, limit: &Arc<Limit>) -> LocalCertManager {
    let mut manager = opened(directory).await;
    manager.directory.calls.limit = Some(limit.clone());
    manager
}

fn files(directory: &TempDir) -> Vec<String> {
    fs::read_dir(directory.path().join("certificates"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

fn bundle() -> CertificateBundle {
    CertificateBundle {
        certificate: "certificate".into(),
        private_key: Secret::new("private"),
        intermediates: Some("above".into()),
    }
}

async fn the_rules_are_kept(then: impl Fn() -> Then) {
    let directory = directory();
    let make = async || Arc::new(opened(&directory).await) as Arc<dyn CertManager>;
    let failing = async |calls: usize| {
        let limit = Arc::new(Limit::new(calls, then()));
        Arc::new(limited(&directory, &limit).await) as Arc<dyn CertManager>
    };
    let held = async |_: &str| files(&directory).len();
    conformance(make, failing, held).await;
    assert_eq!(files(&directory), [""; 0]);
}

#[tokio::test]
async fn the_rules_of_certificate_stores_are_kept() {
    the_rules_are_kept(|| Then::Fail).await;
}

#[tokio::test]
async fn the_rules_are_kept_when_a_call_has_its_effect_and_the_process_ends() {
    the_rules_are_kept(|| Then::LoseAnswer).await;
}

/// Without power, what was not flushed may be lost, in any order.
#[tokio::test]
async fn everything_is_flushed_before_what_depends_on_it() {
    let directory = directory();
    let limit = Arc::new(Limit::new(usize::MAX, Then::Fail));
    let manager = limited(&directory, &limit).await;
    let made = || std::mem::take(&mut *limit.made.lock().unwrap());
    let entered = ["open the directory", "look at the directory", "list the files"];
    let written = ["make a file", "write a file", "flush a file"];
    let flushed = ["flush the directory"];

    let reference = manager.store("a", bundle()).await.unwrap();
    let parts = [written, written, written].concat();
    let shown = ["rename a file"];
    let store = [
        &entered,
        &written[..],
        &flushed,
        &parts,
        &flushed,
        &shown,
        &flushed,
    ]
    .concat();
    assert_eq!(made(), store);

    manager.delete(&reference).await.unwrap();
    let one = ["remove a file"];
    let delete = [
        &entered,
        &one[..],
        &flushed,
        &[one[0]; 6],
        &flushed,
        &one,
        &flushed,
    ]
    .concat();
    assert_eq!(made(), delete);
}

#[tokio::test]
async fn what_is_begun_is_found_before_anything_secret_is_there() {
    let directory = directory();
    for calls in 0..100 {
        let manager = limited(&directory, &Arc::new(Limit::new(calls, Then::LoseAnswer))).await;
        let outcome = manager.store("a", bundle()).await;
        let found = opened(&directory).await.find("a").await.unwrap();
        let there = files(&directory);
        assert!(found.len() == 1 || there.is_empty(), "after {calls}: {there:?}");
        for reference in &found {
            // Another process begins where this one ended.
            let whole = opened(&directory).await.fetch(reference).await.ok();
            let shown = there.contains(&format!("{}.crt", reference.reference));
            assert_eq!(whole, shown.then(bundle), "after {calls}: {there:?}");
            opened(&directory).await.delete(reference).await.unwrap();
        }
        if outcome.is_ok() {
            return;
        }
    }
    panic!("store fails however many calls succeed");
}

#[tokio::test]
async fn a_uuid_in_use_is_not_used_again() {
    #[derive(Debug)]
    struct Same;
    impl IdSource for Same {
        fn uuid(&self) -> Uuid {
            Uuid::from_u128(7)
        }
    }
    let directory = directory();
    let mut manager = opened(&directory).await;
    manager.ids = Arc::new(Same);
    let reference = manager.store("a", bundle()).await.unwrap();
    let error = manager.store("b", bundle()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal, "{error:?}");
    assert_eq!(manager.find("b").await.unwrap(), []);
    assert_eq!(manager.fetch(&reference).await.unwrap(), bundle());
}

/// A deletion that gets so far before any call of a `fetch` leaves it all of the bundle or nothing.
async fn is_whole_or_gone(prepare: impl Fn(&TempDir, &CertRef), expected: &CertificateBundle) {
    let directory = directory();
    let mut outcomes = [0, 0];
    for (before, removes) in (0..20).flat_map(|before| (0..14).map(move |removes| (before, removes))) {
        let reference = opened(&directory).await.store("a", bundle()).await.unwrap();
        prepare(&directory, &reference);
        let id = reference.reference.parse().unwrap();
        let deleter = limited(&directory, &Arc::new(Limit::new(removes, Then::Fail))).await;
        let delete = move || drop(deleter.directory.enter().and_then(|files| delete(&files, id)));
        let limit = Arc::new(Limit::new(
            before,
            Then::Run(std::sync::Mutex::new(Some(Box::new(delete)))),
        ));
        match limited(&directory, &limit).await.fetch(&reference).await {
            Ok(whole) => {
                assert_eq!(whole, *expected, "{removes} calls before call {before}");
                outcomes[0] += 1;
            }
            Err(error) => {
                assert_eq!(
                    error.kind(),
                    ErrorKind::NotFound,
                    "{removes} before {before}: {error:?}"
                );
                outcomes[1] += 1;
            }
        }
        opened(&directory).await.delete(&reference).await.unwrap();
    }
    assert!(outcomes.iter().all(|seen| *seen > 0), "{outcomes:?}");
}

#[tokio::test]
async fn what_is_fetched_during_a_deletion_is_whole_or_gone() {
    is_whole_or_gone(|_, _| (), &bundle()).await;
}

#[tokio::test]
async fn what_the_original_stored_is_whole_or_gone_as_well() {
    const PLAIN: &str = include_str!("../../fixtures/key-0.pem");
    let key = openssl::pkey::PKey::private_key_from_pem(PLAIN.as_bytes()).unwrap();
    let encrypted = key
        .private_key_to_pem_pkcs8_passphrase(openssl::symm::Cipher::aes_256_cbc(), b"passphrase")
        .unwrap();
    let prepare = |directory: &TempDir, reference: &CertRef| {
        let file = |part: &str| {
            let name = format!("certificates/{}.{part}", reference.reference);
            directory.path().join(name)
        };
        fs::rename(file("key.sealed"), file("key")).unwrap();
        fs::write(file("key"), &encrypted).unwrap();
        fs::write(file("pass"), "passphrase").unwrap();
        fs::set_permissions(file("pass"), fs::Permissions::from_mode(0o600)).unwrap();
    };
    let expected = CertificateBundle {
        private_key: Secret::new(PLAIN),
        ..bundle()
    };
    is_whole_or_gone(prepare, &expected).await;
}
