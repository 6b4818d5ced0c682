//! Requests of strangers: what is signed is within its profile, everything else is refused as input.
#![no_main]

use arbitrary::{Arbitrary, Unstructured};
use libfuzzer_sys::fuzz_target;
use magnum_certs_fuzz::request::{Wanted, info, signed};
use magnum_certs_fuzz::{WORLD, YEAR, client, der, key, leaf, node};
use magnum_core::{Authority, ErrorKind, Profile};

fuzz_target!(|data: &[u8]| {
    let Some((form, rest)) = data.split_first() else {
        return;
    };
    let der = match form % 5 {
        0 => return judged(&String::from_utf8_lossy(rest)),
        1 => rest.to_vec(),
        2 => signed(rest),
        3 => {
            let Some((length, rest)) = rest.split_first() else {
                return;
            };
            let (subject, extensions) = rest.split_at(usize::from(*length).min(rest.len()));
            signed(&info(subject, extensions))
        }
        _ => match Wanted::arbitrary_take_rest(Unstructured::new(rest)) {
            Ok(wanted) => wanted.request(),
            Err(_) => return,
        },
    };
    judged(&der::pem("CERTIFICATE REQUEST", &der));
});

fn judged(request: &str) {
    let issuer = key("ca");
    for profile in [client(), node()] {
        let world = &*WORLD;
        let answer = world
            .runtime
            .block_on(world.authority.sign(&world.ca, request, &profile, YEAR));
        match (answer, &profile) {
            (Ok(signed), Profile::Client { .. }) => {
                leaf::check_client(&signed, &der::block(request), &issuer)
            }
            (Ok(signed), _) => leaf::check_node(&signed, &der::block(request), &issuer),
            (Err(refused), _) => {
                assert_eq!(refused.kind(), ErrorKind::InvalidInput, "{refused:?}");
                assert_eq!(refused.problems()[0].field, "csr");
                let shown = format!("{refused} {refused:?}");
                assert!(shown.len() < 2000, "{shown}");
            }
        }
    }
}
