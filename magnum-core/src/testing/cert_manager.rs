//! The conformance kit of [`CertManager`]: one function per rule, and [`conformance`], which runs them all.
//!
//! Every rule works under names of its own, so it needs no empty place and rules can share one; what a rule
//! stores it removes. Rules of failures need a manager that fails: see [`conformance`].
//!
//! ```
//! use std::sync::Arc;
//! use magnum_core::testing::cert_manager::what_is_gone_is_not_found;
//! use magnum_core::CertManager;
//!
//! async fn keeps_the_rule(certificates: Arc<dyn CertManager>) {
//!     what_is_gone_is_not_found(certificates).await;
//! }
//! ```

use std::sync::Arc;

use uuid::Uuid;

use crate::ErrorKind;
use crate::ports::{CertManager, CertRef, CertificateBundle};
use crate::secret::Secret;

/// More outside calls than any `store` or `delete` makes.
const CALLS: usize = 100;

/// Runs every rule on managers of one place.
///
/// `make` makes a manager. `failing` makes one of whose outside calls so many succeed and all others fail, counted from
/// the first call of its life; the one after the last that succeeds may have its effect and lose its answer. `held` counts
/// what the place holds of a name, of whatever kind and whether a manager would find it or not; it may count what it
/// holds of other names as well, while nobody else uses the place.
///
/// # Panics
/// When a rule is broken.
pub async fn conformance<M, F, H>(make: M, failing: F, held: H)
where
    M: AsyncFn() -> Arc<dyn CertManager>,
    F: AsyncFn(usize) -> Arc<dyn CertManager>,
    H: AsyncFn(&str) -> usize,
{
    what_was_stored_is_fetched_until_it_is_deleted(make().await).await;
    find_returns_exactly_what_has_the_name(make().await).await;
    what_is_gone_is_not_found(make().await).await;
    foreign_references_are_refused(make().await).await;
    sealing_anew_keeps_what_is_kept(make().await).await;
    a_failed_store_leaves_nothing_hidden(make().await, &failing, &held).await;
    a_failed_delete_can_be_repeated(make().await, &failing, &held).await;
}

/// A bundle comes back as it was, however many there are, until it is deleted.
///
/// # Panics
/// When the rule is broken.
pub async fn what_was_stored_is_fetched_until_it_is_deleted(manager: Arc<dyn CertManager>) {
    let name = fresh("ca");
    let alone = CertificateBundle {
        intermediates: None,
        ..bundle("2")
    };
    let one = store(&manager, &name, &bundle("1")).await;
    let two = store(&manager, &name, &alone).await;
    assert_ne!(one, two, "two bundles under one reference");
    for _ in 0..2 {
        assert_eq!(manager.fetch(&one).await.unwrap(), bundle("1"));
        assert_eq!(manager.fetch(&two).await.unwrap(), alone);
    }
    manager.delete(&one).await.expect("it is there");
    assert_eq!(
        manager.fetch(&two).await.unwrap(),
        alone,
        "another one was deleted"
    );
    manager.delete(&two).await.expect("it is there");
}

/// A name finds all bundles stored under it and none of another, whatever characters it has.
///
/// # Panics
/// When the rule is broken.
pub async fn find_returns_exactly_what_has_the_name(manager: Arc<dyn CertManager>) {
    let base = fresh("ca");
    let long = "é".repeat(400);
    let endings = [
        "",
        "-",
        "x",
        "X",
        "%",
        "_",
        "?",
        "*",
        " ",
        "  ",
        "+",
        "%78",
        "%2B",
        "\\",
        "\\%",
        "'; DROP TABLE containers; --",
        "\"",
        "/../secrets",
        "?name=x&limit=0",
        "#",
        "\r\nX-Auth-Token: x",
        "\u{0}",
        "\u{7f}",
        "é",
        "e\u{301}",
        "👩‍👩‍👧‍👧",
        &long,
    ];
    let mut stored = Vec::new();
    for (number, ending) in endings.iter().enumerate() {
        let name = format!("{base}{ending}");
        let kept = bundle(&number.to_string());
        let reference = store(&manager, &name, &kept).await;
        stored.push((name, kept, reference));
    }
    for (name, kept, reference) in &stored {
        let found = manager.find(name).await.unwrap();
        assert_eq!(found, std::slice::from_ref(reference), "under {name:?}");
        assert_eq!(manager.fetch(reference).await.unwrap(), *kept, "under {name:?}");
    }
    let (name, kept, first) = &stored[0];
    let mut both = vec![first.clone(), store(&manager, name, kept).await];
    let mut found = manager.find(name).await.unwrap();
    both.sort();
    found.sort();
    assert_eq!(found, both, "two of one name");
    assert_eq!(manager.find(&fresh("ca")).await.unwrap(), []);
    for reference in both
        .iter()
        .chain(stored.iter().map(|(_, _, reference)| reference))
    {
        manager.delete(reference).await.unwrap();
    }
    for (name, ..) in &stored {
        assert_eq!(manager.find(name).await.unwrap(), [], "under {name:?}");
    }
}

/// What was deleted is not found, and deleting it again does no harm.
///
/// # Panics
/// When the rule is broken.
pub async fn what_is_gone_is_not_found(manager: Arc<dyn CertManager>) {
    let name = fresh("client");
    let reference = store(&manager, &name, &bundle("1")).await;
    for _ in 0..2 {
        manager
            .delete(&reference)
            .await
            .expect("gone is what it should be");
        let error = manager.fetch(&reference).await.expect_err("it is gone");
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error:?}");
        assert_eq!(manager.find(&name).await.unwrap(), []);
    }
}

/// What is sealed anew is what it was, and what is gone stays gone.
///
/// # Panics
/// When the rule is broken.
pub async fn sealing_anew_keeps_what_is_kept(manager: Arc<dyn CertManager>) {
    let name = fresh("ca");
    let reference = store(&manager, &name, &bundle("1")).await;
    for _ in 0..2 {
        manager.reseal(&reference).await.unwrap();
        assert_eq!(manager.fetch(&reference).await.unwrap(), bundle("1"));
        assert_eq!(
            manager.find(&name).await.unwrap(),
            std::slice::from_ref(&reference)
        );
    }
    manager.delete(&reference).await.unwrap();
    manager
        .reseal(&reference)
        .await
        .expect("what is gone needs no seal");
    assert_eq!(manager.find(&name).await.unwrap(), []);
}

/// References that are not this manager's are refused, and change nothing.
///
/// # Panics
/// When the rule is broken.
pub async fn foreign_references_are_refused(manager: Arc<dyn CertManager>) {
    let reference = store(&manager, &fresh("ca"), &bundle("1")).await;
    let shape = |text: String| CertRef {
        backend: reference.backend.clone(),
        reference: text,
    };
    let own = &reference.reference;
    let of_another = |backend: &str| CertRef {
        backend: backend.to_owned(),
        reference: own.clone(),
    };
    let foreign = [
        of_another(""),
        of_another("another"),
        of_another(&reference.backend.to_uppercase()),
        shape(String::new()),
        shape("/".to_owned()),
        shape("../../etc/passwd".to_owned()),
        shape(format!("{own}/..")),
        shape(format!("{own}/../{own}")),
        shape(format!("{own}?a=b")),
        shape(format!("{own}#a")),
        shape(format!("{own}\n")),
        shape(format!(" {own}")),
        shape(format!("{own}{own}")),
        shape(format!("{own}\r\nX-Auth-Token: x")),
        shape(format!("{own}\u{0}")),
        shape(own.to_uppercase()),
    ];
    for foreign in foreign {
        let fetched = manager.fetch(&foreign).await.expect_err("it is foreign");
        assert_eq!(
            fetched.kind(),
            ErrorKind::InvalidInput,
            "{foreign:?}: {fetched:?}"
        );
        let deleted = manager.delete(&foreign).await.expect_err("it is foreign");
        assert_eq!(
            deleted.kind(),
            ErrorKind::InvalidInput,
            "{foreign:?}: {deleted:?}"
        );
    }
    assert_eq!(manager.fetch(&reference).await.unwrap(), bundle("1"));
    manager.delete(&reference).await.unwrap();
}

/// Wherever `store` fails, `find` returns all that it has left, and `delete` removes that.
///
/// # Panics
/// When the rule is broken.
pub async fn a_failed_store_leaves_nothing_hidden<F, H>(manager: Arc<dyn CertManager>, failing: &F, held: &H)
where
    F: AsyncFn(usize) -> Arc<dyn CertManager>,
    H: AsyncFn(&str) -> usize,
{
    let name = fresh("ca");
    let before = held(&name).await;
    for calls in 0..CALLS {
        let outcome = failing(calls).await.store(&name, bundle("1")).await;
        let left = manager.find(&name).await.unwrap();
        for reference in &left {
            match manager.fetch(reference).await {
                Ok(fetched) => assert_eq!(fetched, bundle("1"), "after {calls} calls"),
                Err(error) => assert_eq!(
                    error.kind(),
                    ErrorKind::NotFound,
                    "after {calls} calls: {error:?}"
                ),
            }
        }
        if let Ok(reference) = &outcome {
            assert_eq!(left, std::slice::from_ref(reference));
            assert!(
                calls > 0,
                "a manager that cannot reach its place has stored something"
            );
        }
        for reference in &left {
            manager.delete(reference).await.unwrap();
        }
        assert_eq!(held(&name).await, before, "left after {calls} calls");
        if outcome.is_ok() {
            return;
        }
    }
    panic!("store fails however many calls succeed");
}

/// Wherever `delete` fails, the next one removes the rest.
///
/// # Panics
/// When the rule is broken.
pub async fn a_failed_delete_can_be_repeated<F, H>(manager: Arc<dyn CertManager>, failing: &F, held: &H)
where
    F: AsyncFn(usize) -> Arc<dyn CertManager>,
    H: AsyncFn(&str) -> usize,
{
    let name = fresh("ca");
    let before = held(&name).await;
    for calls in 0..CALLS {
        let reference = store(&manager, &name, &bundle("1")).await;
        assert!(held(&name).await > before, "nothing is held of what was stored");
        let outcome = failing(calls).await.delete(&reference).await;
        if outcome.is_err() {
            if let Err(error) = manager.fetch(&reference).await {
                assert_eq!(
                    error.kind(),
                    ErrorKind::NotFound,
                    "after {calls} calls: {error:?}"
                );
            }
            manager.delete(&reference).await.unwrap();
        }
        assert_eq!(held(&name).await, before, "left after {calls} calls");
        assert_eq!(manager.find(&name).await.unwrap(), []);
        if outcome.is_ok() {
            return;
        }
    }
    panic!("delete fails however many calls succeed");
}

async fn store(manager: &Arc<dyn CertManager>, name: &str, kept: &CertificateBundle) -> CertRef {
    let reference = manager
        .store(name, kept.clone())
        .await
        .unwrap_or_else(|error| panic!("{name:?} is not stored: {error:?}"));
    assert_eq!(reference.backend, manager.backend());
    reference
}

/// A name that nobody else uses.
fn fresh(role: &str) -> String {
    format!("magnum-{}-{role}", Uuid::new_v4())
}

/// PEM texts that say which bundle they are of. No manager looks into them.
fn bundle(text: &str) -> CertificateBundle {
    use base64::Engine;
    let pem = |label: &str, what: &str| {
        let body = base64::prelude::BASE64_STANDARD.encode(format!("{what} {text}"));
        format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
    };
    let above = pem("CERTIFICATE", "above");
    CertificateBundle {
        certificate: pem("CERTIFICATE", "certificate"),
        private_key: Secret::new(pem("PRIVATE KEY", "private")),
        intermediates: Some(format!("{above}{above}")),
    }
}
