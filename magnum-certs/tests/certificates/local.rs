//! The local store on real directories.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use magnum_certs::{AesSealer, FixtureKeys, LocalCertManager, SealingKey};
use magnum_core::{
    CertManager, CertRef, CertificateBundle, Error, ErrorKind, KeySource, Secret, SystemRandom,
};
use openssl::pkey::PKey;
use openssl::symm::Cipher;
use proptest::prelude::*;
use tempfile::TempDir;

const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n";
const ID: &str = "0b5f2a3c-6f0d-4f7e-9c55-1f0e8f6f7a01";

/// A directory that is not there yet, within one of our own.
struct Setting {
    within: TempDir,
}

impl Setting {
    fn new() -> Self {
        let within = tempfile::tempdir().unwrap();
        mode(within.path(), 0o700);
        Self { within }
    }

    fn path(&self) -> PathBuf {
        self.within.path().join("certificates")
    }

    async fn manager(&self) -> LocalCertManager {
        open(&self.path(), 1).await.unwrap()
    }

    fn put(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path().join(name);
        fs::write(&path, content).unwrap();
        mode(&path, 0o600);
    }

    fn files(&self) -> Vec<PathBuf> {
        fs::read_dir(self.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect()
    }
}

async fn open(path: &Path, key: u8) -> magnum_core::Result<LocalCertManager> {
    let mut bytes = [0; 32];
    bytes[0] = key;
    let sealer = AesSealer::new(SealingKey::from_bytes(&bytes).unwrap());
    LocalCertManager::open(path, Arc::new(sealer), Arc::new(SystemRandom)).await
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn in_local(reference: &str) -> CertRef {
    CertRef {
        backend: "local".into(),
        reference: reference.into(),
    }
}

fn bundle() -> CertificateBundle {
    CertificateBundle {
        certificate: CERTIFICATE.into(),
        private_key: Secret::new("private"),
        intermediates: Some(CERTIFICATE.repeat(2)),
    }
}

/// A refusal of the host's set-up that says all of this.
fn refuses<T: std::fmt::Debug>(outcome: magnum_core::Result<T>, words: &[&str]) {
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration, "{error:?}");
    for word in words {
        assert!(error.to_string().contains(word), "{error} does not say {word}");
    }
}

#[tokio::test]
async fn modes_do_not_depend_on_the_umask() {
    let setting = Setting::new();
    setting.manager().await.store("a", bundle()).await.unwrap();
    assert_eq!(fs::metadata(setting.path()).unwrap().mode() & 0o7777, 0o700);
    let files = setting.files();
    assert_eq!(files.len(), 4, "{files:?}");
    for file in files {
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o7777, 0o600, "{file:?}");
    }
}

#[test]
fn modes_are_the_same_under_every_umask() {
    for umask in ["000", "022", "077"] {
        let run = Command::new("sh")
            .args(["-c", &format!("umask {umask} && exec \"$@\""), "sh"])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "local::modes_do_not_depend_on_the_umask"])
            .output()
            .unwrap();
        let output = String::from_utf8_lossy(&run.stdout);
        assert!(output.contains("1 passed"), "under {umask}: {output}");
    }
}

#[tokio::test]
async fn neither_name_nor_content_of_a_file_gives_the_key_away() {
    let setting = Setting::new();
    let certificates = setting.manager().await;
    let reference = certificates.store("a", bundle()).await.unwrap();
    for file in setting.files() {
        assert!(
            !fs::read_to_string(&file).unwrap().contains("private"),
            "{file:?}"
        );
    }
    // Neither under another sealing key, nor in another certificate's place.
    let other = open(&setting.path(), 2).await.unwrap();
    refuses(other.fetch(&reference).await, &["is not configured"]);
    let second = certificates.store("a", bundle()).await.unwrap();
    let key = |reference: &CertRef| setting.path().join(format!("{}.key.sealed", reference.reference));
    fs::rename(key(&second), key(&reference)).unwrap();
    refuses(
        certificates.fetch(&reference).await,
        &["belongs to another place"],
    );
    assert_eq!(
        certificates.fetch(&second).await.unwrap_err().kind(),
        ErrorKind::NotFound
    );
}

#[tokio::test]
async fn directories_that_are_none_are_refused() {
    let setting = Setting::new();
    let at = |name: &str| setting.within.path().join(name);
    for path in ["certificates", "./certificates", "", "/", "/tmp/.."] {
        refuses(open(Path::new(path), 1).await, &["is no absolute path"]);
    }
    fs::write(at("file"), "").unwrap();
    refuses(
        open(&at("file"), 1).await,
        &["/file is no directory", "is needed"],
    );
    fs::create_dir(at("real")).unwrap();
    mode(&at("real"), 0o700);
    symlink(at("real"), at("link")).unwrap();
    refuses(open(&at("link"), 1).await, &["/link is a symbolic link"]);
    refuses(open(&at("link/"), 1).await, &["/link is a symbolic link"]);
    symlink(at("nowhere"), at("dangling")).unwrap();
    refuses(open(&at("dangling"), 1).await, &["/dangling is a symbolic link"]);
    refuses(
        open(&at("missing/certificates"), 1).await,
        &["/missing", "must be there"],
    );
    refuses(open(&at("file/certificates"), 1).await, &["/file"]);
    assert!(!at("nowhere").exists() && !at("missing").exists());
    // Links above are followed once, and what they lead to is looked at.
    open(&at("link/certificates"), 1).await.unwrap();
    assert!(at("real/certificates").is_dir());
}

#[tokio::test]
async fn directories_that_others_reach_are_refused_whenever_that_is() {
    let setting = Setting::new();
    let (within, path) = (setting.within.path().to_owned(), setting.path());
    let certificates = setting.manager().await;
    let reference = certificates.store("a", bundle()).await.unwrap();
    for bits in [0o710, 0o720, 0o740, 0o701, 0o702, 0o704, 0o777, 0o1777] {
        mode(&path, bits);
        let said = format!("has mode {bits:04o}");
        refuses(open(&path, 1).await, &["/certificates", &said, "0700"]);
        refuses(certificates.fetch(&reference).await, &["cannot be used"]);
        refuses(certificates.store("a", bundle()).await, &["cannot be used"]);
        refuses(certificates.delete(&reference).await, &["cannot be used"]);
        refuses(certificates.find("a").await, &["cannot be used"]);
    }
    mode(&path, 0o700);
    for bits in [0o770, 0o702, 0o777] {
        mode(&within, bits);
        let (place, said) = (within.display().to_string(), format!("mode {bits:04o}"));
        refuses(open(&path, 1).await, &["/certificates", &place, &said, "sticky"]);
        refuses(open(&within.join("new"), 1).await, &[&place, &said]);
        assert!(!within.join("new").exists());
        refuses(certificates.fetch(&reference).await, &["cannot be used"]);
    }
    for bits in [0o1777, 0o755, 0o700] {
        mode(&within, bits);
        open(&path, 1).await.unwrap();
        assert_eq!(certificates.fetch(&reference).await.unwrap(), bundle());
    }
    fs::rename(&path, within.join("away")).unwrap();
    let error = certificates.store("a", bundle()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration, "{error:?}");
    // Only the log gets the path, tenants do not.
    assert!(!error.to_string().contains("/certificates"), "{error}");
    assert!(format!("{error:?}").contains("/certificates"), "{error:?}");
    assert!(!path.exists());
}

#[tokio::test]
async fn directories_and_files_of_other_users_are_refused() {
    let setting = Setting::new();
    if fs::metadata(setting.within.path()).unwrap().uid() != 0 {
        // Only root can give something away; root's own directory serves everybody else.
        refuses(open(Path::new("/usr"), 1).await, &["/usr belongs to user 0"]);
        return;
    }
    let certificates = setting.manager().await;
    let reference = certificates.store("a", bundle()).await.unwrap();
    let file = setting.path().join(format!("{}.crt", reference.reference));
    chown(&file, Some(65533), None).unwrap();
    refuses(certificates.fetch(&reference).await, &["belongs to another user"]);
    chown(&file, Some(0), None).unwrap();
    chown(setting.path(), Some(65533), None).unwrap();
    let said = "belongs to user 65533; it must belong to user 0";
    refuses(open(&setting.path(), 1).await, &["/certificates", said]);
    refuses(certificates.fetch(&reference).await, &["cannot be used"]);
    chown(setting.path(), Some(0), None).unwrap();
    chown(setting.within.path(), Some(65533), None).unwrap();
    refuses(
        open(&setting.path(), 1).await,
        &["/certificates is in", "belongs to user 65533"],
    );
}

#[tokio::test]
async fn references_in_other_forms_are_refused() {
    let setting = Setting::new();
    let certificates = setting.manager().await;
    let own = certificates.store("a", bundle()).await.unwrap();
    let id = own.reference.clone();
    fs::write(setting.within.path().join("outside.crt"), CERTIFICATE).unwrap();
    for foreign in [
        "../outside",
        "",
        ".",
        "/etc/passwd",
        &format!("{id}.crt"),
        &format!("../certificates/{id}"),
        &format!("./{id}"),
        &id.to_uppercase(),
        &id.replace('-', ""),
        &format!("{{{id}}}"),
        &format!("urn:uuid:{id}"),
        &format!("{id}\n"),
        &format!("{id}\u{0}"),
    ] {
        let foreign = in_local(foreign);
        let fetched = certificates.fetch(&foreign).await.unwrap_err();
        assert_eq!(fetched.kind(), ErrorKind::InvalidInput, "{foreign:?}");
        let deleted = certificates.delete(&foreign).await.unwrap_err();
        assert_eq!(deleted.kind(), ErrorKind::InvalidInput, "{foreign:?}");
    }
    assert!(setting.within.path().join("outside.crt").exists());
    assert_eq!(certificates.fetch(&own).await.unwrap(), bundle());
}

#[tokio::test]
async fn files_that_are_not_ours_alone_are_refused_and_removed_all_the_same() {
    let setting = Setting::new();
    let certificates = setting.manager().await;
    let outside = setting.within.path().join("outside");
    fs::write(&outside, CERTIFICATE).unwrap();
    mode(&outside, 0o600);
    for part in ["crt", "key.sealed", "int"] {
        let reference = certificates.store("a", bundle()).await.unwrap();
        let file = setting.path().join(format!("{}.{part}", reference.reference));
        for bits in [0o640, 0o604, 0o620, 0o601] {
            mode(&file, bits);
            refuses(certificates.fetch(&reference).await, &[part, "0600"]);
        }
        mode(&file, 0o400);
        certificates.fetch(&reference).await.unwrap();
        mode(&file, 0o600);
        fs::write(&file, "x".repeat(64 * 1024 + 1)).unwrap();
        refuses(
            certificates.fetch(&reference).await,
            &[part, "longer than 64 KiB"],
        );
        fs::write(&file, b"\xff\xfe").unwrap();
        refuses(certificates.fetch(&reference).await, &["text"]);
        fs::remove_file(&file).unwrap();
        symlink(&outside, &file).unwrap();
        refuses(
            certificates.fetch(&reference).await,
            &[part, "is a symbolic link"],
        );
        fs::remove_file(&file).unwrap();
        let made = Command::new("mkfifo")
            .args(["-m", "600"])
            .arg(&file)
            .status()
            .unwrap();
        assert!(made.success());
        refuses(certificates.fetch(&reference).await, &[part, "is no file"]);
        fs::remove_file(&file).unwrap();
        symlink(&outside, &file).unwrap();
        certificates.delete(&reference).await.unwrap();
        assert_eq!(setting.files(), [""; 0].map(PathBuf::from));
        assert_eq!(fs::read_to_string(&outside).unwrap(), CERTIFICATE);
    }
}

#[tokio::test]
async fn what_could_not_be_read_again_is_not_stored() {
    let setting = Setting::new();
    let certificates = setting.manager().await;
    let most = 64 * 1024;
    let long = "x".repeat(most + 1);
    let refused = async |bundle: CertificateBundle, field: &str| {
        let error: Error = certificates.store("a", bundle).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error:?}");
        assert_eq!(error.problems()[0].field, field);
        assert!(error.to_string().contains("65536 bytes are allowed"), "{error}");
    };
    let certificate = long.clone();
    refused(
        CertificateBundle {
            certificate,
            ..bundle()
        },
        "certificate",
    )
    .await;
    let private_key = Secret::new(long.clone());
    refused(
        CertificateBundle {
            private_key,
            ..bundle()
        },
        "private_key",
    )
    .await;
    let intermediates = Some(long.clone());
    refused(
        CertificateBundle {
            intermediates,
            ..bundle()
        },
        "intermediates",
    )
    .await;
    assert_eq!(setting.files(), [""; 0].map(PathBuf::from));

    let longest = CertificateBundle {
        certificate: "x".repeat(most),
        intermediates: Some(String::new()),
        ..bundle()
    };
    let reference = certificates.store("a", longest.clone()).await.unwrap();
    assert_eq!(certificates.fetch(&reference).await.unwrap(), longest);
}

#[tokio::test]
async fn two_managers_share_a_directory() {
    let setting = Setting::new();
    let managers = [setting.manager().await, setting.manager().await];
    let mut tasks = Vec::new();
    for number in 0..8 {
        let (one, other) = (managers[number % 2].clone(), managers[(number + 1) % 2].clone());
        tasks.push(tokio::spawn(async move {
            for _ in 0..4 {
                let reference = one.store("shared", bundle()).await.unwrap();
                assert!(other.find("shared").await.unwrap().contains(&reference));
                assert_eq!(other.fetch(&reference).await.unwrap(), bundle());
                // Whoever looks meanwhile gets all of it or nothing.
                let (fetched, deleted, again) = tokio::join!(
                    other.fetch(&reference),
                    one.delete(&reference),
                    other.delete(&reference)
                );
                deleted.unwrap();
                again.unwrap();
                match fetched {
                    Ok(whole) => assert_eq!(whole, bundle()),
                    Err(error) => assert_eq!(error.kind(), ErrorKind::NotFound, "{error:?}"),
                }
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(setting.files(), [""; 0].map(PathBuf::from));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_name_stays_in_the_directory(name in "(\\.\\./|/|\0|\n|%|~|\\PC){0,300}") {
        let setting = Setting::new();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let certificates = setting.manager().await;
            let reference = certificates.store(&name, bundle()).await.unwrap();
            prop_assert_eq!(certificates.find(&name).await.unwrap(), std::slice::from_ref(&reference));
            prop_assert_eq!(certificates.find(&format!("{name}x")).await.unwrap(), []);
            prop_assert_eq!(setting.files().len(), 4);
            prop_assert_eq!(fs::read_dir(setting.within.path()).unwrap().count(), 1);
            certificates.delete(&reference).await.unwrap();
            prop_assert_eq!(setting.files().len(), 0);
            Ok(())
        })?;
    }

    #[test]
    fn any_reference_is_refused_or_a_uuid(text in "(\\.\\./|/|\0|[0-9a-fA-F-]{36}|\\PC){0,40}") {
        let setting = Setting::new();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let error = runtime.block_on(async {
            setting.manager().await.fetch(&in_local(&text)).await.unwrap_err()
        });
        prop_assert!(matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::NotFound), "{error:?}");
    }
}

#[tokio::test]
async fn what_the_original_stored_is_fetched_and_deleted() {
    let plain = FixtureKeys::danger_seeded(0).generate().await.unwrap();
    let key = PKey::private_key_from_pem(plain.expose().as_bytes()).unwrap();
    let encrypted = key
        .private_key_to_pem_pkcs8_passphrase(Cipher::aes_256_cbc(), b"the passphrase")
        .unwrap();
    let setting = Setting::new();
    let certificates = setting.manager().await;
    let reference = in_local(ID);
    for (key, passphrase, intermediates) in [
        (encrypted.as_slice(), Some("the passphrase"), Some(CERTIFICATE)),
        (plain.expose().as_bytes(), None, None),
    ] {
        setting.put(&format!("{ID}.crt"), CERTIFICATE);
        setting.put(&format!("{ID}.key"), key);
        let pass = format!("{ID}.pass");
        passphrase.iter().for_each(|text| setting.put(&pass, text));
        let int = format!("{ID}.int");
        intermediates.iter().for_each(|text| setting.put(&int, text));
        let fetched = certificates.fetch(&reference).await.unwrap();
        assert_eq!(fetched.private_key, plain);
        assert_eq!(fetched.certificate, CERTIFICATE);
        assert_eq!(fetched.intermediates.as_deref(), intermediates);
        assert_eq!(certificates.find(ID).await.unwrap(), []);

        if passphrase.is_some() {
            setting.put(&pass, "another");
            refuses(certificates.fetch(&reference).await, &["passphrase"]);
            fs::remove_file(setting.path().join(&pass)).unwrap();
            refuses(certificates.fetch(&reference).await, &["passphrase"]);
            setting.put(&pass, "the passphrase");
        }
        // The original made its files as the umask had it.
        mode(&setting.path().join(format!("{ID}.key")), 0o644);
        refuses(certificates.fetch(&reference).await, &[ID, "0600"]);
        certificates.delete(&reference).await.unwrap();
        assert_eq!(setting.files(), [""; 0].map(PathBuf::from));
    }
    // What it had begun only is no certificate.
    for part in ["crt", "key"] {
        setting.put(&format!("{ID}.{part}"), CERTIFICATE);
        let error = certificates.fetch(&reference).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error:?}");
        certificates.delete(&reference).await.unwrap();
    }
    setting.put("README", "not ours");
    setting.put(&format!("{ID}.pem"), "not ours either");
    certificates.delete(&reference).await.unwrap();
    assert_eq!(setting.files().len(), 2);
}
