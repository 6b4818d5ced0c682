//! Sealing: round trips, and everything that must not open.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::LazyLock;

use magnum_certs::{AesSealer, SealingKey};
use magnum_core::{ErrorKind, Sealed, Sealer, Secret, SystemRandom};
use proptest::prelude::*;

static KEY: LazyLock<SealingKey> = LazyLock::new(|| SealingKey::from_bytes(&bytes(1)).unwrap());

fn bytes(first: u8) -> Vec<u8> {
    (first..first + 32).collect()
}

fn sealer() -> AesSealer {
    AesSealer::new(KEY.clone())
}

fn refused(sealer: &AesSealer, text: impl Into<String>, context: &str) -> String {
    let error = sealer.open(&Sealed(text.into()), context).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    error.to_string()
}

#[test]
fn another_context_does_not_open() {
    let sealed = sealer().seal(&Secret::new("s3cret"), "row 1").unwrap();
    assert_eq!(sealer().open(&sealed, "row 1").unwrap().expose(), "s3cret");
    for context in ["", "row 2", "row 1 ", "ROW 1"] {
        refused(&sealer(), sealed.0.clone(), context);
    }
}

#[test]
fn sealing_twice_gives_two_texts() {
    let seal = || sealer().seal(&Secret::new("s3cret"), "c").unwrap();
    assert_ne!(seal(), seal());
}

#[test]
fn keys_change_without_losing_anything() {
    let (old, new) = (KEY.clone(), SealingKey::from_bytes(&bytes(2)).unwrap());
    assert_ne!(old.id(), new.id());
    let sealed = sealer().seal(&Secret::new("s3cret"), "c").unwrap();

    let both = AesSealer::new(new.clone()).also_opens(old);
    assert_eq!(both.open(&sealed, "c").unwrap().expose(), "s3cret");
    assert!(!both.is_current(&sealed));
    let anew = both.seal(&both.open(&sealed, "c").unwrap(), "c").unwrap();
    assert!(both.is_current(&anew) && anew.0.starts_with(&format!("v1.{}.", new.id())));

    let only_new = AesSealer::new(new);
    assert_eq!(only_new.open(&anew, "c").unwrap().expose(), "s3cret");
    let lost = refused(&only_new, sealed.0, "c");
    assert!(
        lost.contains(KEY.id()) && lost.contains("not configured"),
        "{lost}"
    );
}

#[test]
fn a_key_under_anothers_name_does_not_open() {
    let other = AesSealer::new(SealingKey::from_bytes(&bytes(2)).unwrap());
    let sealed = sealer().seal(&Secret::new("s3cret"), "c").unwrap();
    let renamed = other.seal(&Secret::default(), "c").unwrap().0[..20].to_owned() + &sealed.0[20..];
    assert!(refused(&other, renamed, "c").contains("changed"));
}

#[test]
fn nothing_shows_a_key_or_a_secret() {
    let sealer = sealer().also_opens(SealingKey::from_bytes(&bytes(3)).unwrap());
    let sealed = sealer.seal(&Secret::new("s3cret"), "c").unwrap();
    let shown = format!(
        "{sealer:?} {sealed:?} {:?} {}",
        *KEY,
        refused(&sealer, "s3cret", "c")
    );
    assert!(!shown.contains("s3cret") && !shown.contains("1, 2, 3"), "{shown}");
    assert!(shown.contains(KEY.id()));
}

#[test]
fn keys_come_from_bytes_and_base64() {
    let key = SealingKey::from_base64(&KEY.to_base64()).unwrap();
    assert_eq!(key.id(), KEY.id());
    let padded = Secret::new(format!(" {}\n", KEY.to_base64().expose()));
    assert_eq!(SealingKey::from_base64(&padded).unwrap().id(), KEY.id());
    for wrong in [&[][..], &bytes(1)[..31], &[0; 32], &[255; 32], &[1; 33]] {
        let refused = SealingKey::from_bytes(wrong).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Configuration);
    }
    assert!(SealingKey::from_base64(&Secret::new("?")).is_err());
    assert!(SealingKey::from_base64(&Secret::new("AQID")).is_err());
    let generated = || SealingKey::generate(&SystemRandom).unwrap();
    assert_ne!(generated().id(), generated().id());
}

#[test]
fn keys_come_from_files_that_nobody_else_reads() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let text = KEY.to_base64().expose().to_owned() + "\n";
    let read = |content: &[u8], mode| {
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let read = SealingKey::from_file(&path).map(|key| key.id().to_owned());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        read
    };
    for mode in [0o600, 0o400] {
        assert_eq!(read(text.as_bytes(), mode).unwrap(), KEY.id());
        assert_eq!(read(&bytes(1), mode).unwrap(), KEY.id());
    }
    for mode in [0o640, 0o604, 0o620, 0o602, 0o644, 0o660] {
        let refused = read(text.as_bytes(), mode).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Configuration);
        assert!(refused.to_string().contains(&format!("{mode:04o}")), "{refused}");
    }
    for content in [&b""[..], b"\xff\xfe", b"?", &[b'A'; 5000]] {
        assert!(read(content, 0o600).is_err());
    }
    for path in [folder.path().join("none"), folder.path().to_owned()] {
        assert_eq!(
            SealingKey::from_file(&path).unwrap_err().kind(),
            ErrorKind::Configuration
        );
    }
}

proptest! {
    #[test]
    fn what_was_sealed_opens(text in any::<String>(), context in any::<String>()) {
        let sealed = sealer().seal(&Secret::new(text.clone()), &context).unwrap();
        prop_assert!(sealed.0.is_ascii());
        let opened = sealer().open(&sealed, &context).unwrap();
        prop_assert_eq!(opened.expose(), text);
    }

    #[test]
    fn what_was_changed_does_not_open(text in "[a-z]{0,40}", at in any::<prop::sample::Index>(), to in any::<char>()) {
        let sealed = sealer().seal(&Secret::new(text), "c").unwrap();
        let mut changed: Vec<char> = sealed.0.chars().collect();
        let at = at.index(changed.len());
        changed[at] = to;
        let changed: String = changed.into_iter().collect();
        prop_assume!(changed != sealed.0);
        prop_assert!(sealer().open(&Sealed(changed), "c").is_err());
    }

    #[test]
    fn what_was_cut_does_not_open(text in "[a-z]{0,40}", length in any::<prop::sample::Index>()) {
        let sealed = sealer().seal(&Secret::new(text), "c").unwrap();
        let cut = sealed.0[..length.index(sealed.0.len())].to_owned();
        prop_assert!(sealer().open(&Sealed(cut), "c").is_err());
    }

    #[test]
    fn what_was_never_sealed_does_not_open(text in any::<String>(), base64 in "[A-Za-z0-9+/]{0,80}={0,2}") {
        prop_assert!(sealer().open(&Sealed(text), "c").is_err());
        let unsealed = Sealed(format!("v1.{}.{base64}", KEY.id()));
        prop_assert!(sealer().open(&unsealed, "c").is_err());
    }
}
