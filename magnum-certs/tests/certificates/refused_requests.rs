//! Every reason to refuse a request, one case each. `docs/certificate-refusals.md` has the same cases.

mod extensions;
mod forms;
mod keys;
mod page;
mod profiles;
mod subjects;

use std::sync::Arc;

use magnum_certs::EcKeys;
use magnum_certs::OpenSslAuthority;
use magnum_core::{Authority, ErrorKind, Profile, SystemRandom};

use crate::requests::Requested;
use crate::setting::{At, NOW, YEAR, client, node};

/// A request, and what its refusal must say.
struct Case {
    /// Its name here and on the page.
    name: &'static str,
    request: String,
    /// Under each of these it is refused alike.
    profiles: Vec<Profile>,
    /// What the refusal names.
    aspect: &'static str,
    sentence: &'static str,
}

impl Case {
    /// One that is refused before its profile matters.
    fn always(
        name: &'static str,
        request: impl Into<String>,
        aspect: &'static str,
        sentence: &'static str,
    ) -> Self {
        Self {
            name,
            request: request.into(),
            profiles: vec![client(&["a"]), node()],
            aspect,
            sentence,
        }
    }

    fn under(
        profile: Profile,
        name: &'static str,
        request: impl Into<String>,
        aspect: &'static str,
        sentence: &'static str,
    ) -> Self {
        Self {
            profiles: vec![profile],
            ..Self::always(name, request, aspect, sentence)
        }
    }
}

/// All of them, in the page's order.
fn cases() -> Vec<Case> {
    let parts = [
        forms::cases(),
        keys::before_the_subject(),
        subjects::cases(),
        keys::after_the_subject(),
        extensions::cases(),
        profiles::client_cases(),
        profiles::node_cases(),
    ];
    parts.into_iter().flatten().collect()
}

#[tokio::test]
async fn each_refusal_says_why_and_repeats_nothing() {
    // Not the simulation's authority: that one knows no known keys.
    let authority = OpenSslAuthority::new(Arc::new(EcKeys), Arc::new(At(NOW)), Arc::new(SystemRandom));
    let ca = authority.create_ca("c1", 5 * YEAR).await.unwrap();
    for profile in [client(&["a"]), node()] {
        let good = Requested::new().pem();
        authority.sign(&ca, &good, &profile, YEAR).await.unwrap();
    }
    for case in cases() {
        let name = case.name;
        for profile in &case.profiles {
            let refused = match authority.sign(&ca, &case.request, profile, YEAR).await {
                Ok(_) => panic!("{name} was signed: {profile:?}"),
                Err(error) => error,
            };
            assert_eq!(refused.kind(), ErrorKind::InvalidInput, "{name}: {refused:?}");
            assert_eq!(
                (refused.origin(), refused.operation()),
                ("certs", "authority.sign"),
                "{name}"
            );
            let [problem] = refused.problems() else {
                panic!("{name}: {refused:?}");
            };
            assert_eq!(
                (&*problem.field, &*problem.value, &*problem.message),
                ("csr", case.aspect, case.sentence),
                "{name}: {profile:?}"
            );
            let shown = format!("{refused} {refused:?}");
            assert!(shown.len() < 600 && !shown.contains("BEGIN"), "{name}: {shown}");
            for line in case.request.lines().filter(|line| line.len() == 64) {
                assert!(!shown.contains(line), "{name}: {shown}");
            }
        }
    }
}
