//! The names of the files of a certificate.

use uuid::Uuid;

use crate::label::label;

/// The longest name that stands in a file's name as it is, in bytes: file systems take 255 for all of it.
const LONGEST_NAME: usize = 200;

pub(super) fn certificate(id: Uuid) -> String {
    format!("{id}.crt")
}

/// The certificate until everything else is there.
pub(super) fn new_certificate(id: Uuid) -> String {
    format!("{id}.crt.new")
}

pub(super) fn sealed_key(id: Uuid) -> String {
    format!("{id}.key.sealed")
}

/// The key while it is sealed anew.
pub(super) fn new_sealed_key(id: Uuid) -> String {
    format!("{id}.key.sealed.new")
}

pub(super) fn intermediates(id: Uuid) -> String {
    format!("{id}.int")
}

/// The private key as the original Magnum kept it.
pub(super) fn key(id: Uuid) -> String {
    format!("{id}.key")
}

/// The passphrase of that key.
pub(super) fn passphrase(id: Uuid) -> String {
    format!("{id}.pass")
}

/// Everything that is of no use without the certificate, the keys before what belongs to them.
pub(super) fn hidden(id: Uuid) -> [String; 6] {
    [
        new_certificate(id),
        new_sealed_key(id),
        sealed_key(id),
        key(id),
        passphrase(id),
        intermediates(id),
    ]
}

/// The file that says what the certificate is called. It is empty: a file comes into being with its whole name at once,
/// and not with its whole content.
pub(super) fn name(id: Uuid, name: &str) -> String {
    format!("{id}{}", ending(name))
}

/// The certificate that a file gives exactly this name.
pub(super) fn named(file: &str, name: &str) -> Option<Uuid> {
    let id = file.strip_suffix(&ending(name))?;
    Uuid::try_parse(id).ok().filter(|parsed| parsed.to_string() == id)
}

/// Whether a file is one of this certificate's.
pub(super) fn is_of(file: &str, id: Uuid) -> bool {
    file.strip_prefix(&id.to_string())
        .is_some_and(|rest| rest.starts_with('.'))
}

/// Whether a file gives this certificate a name.
pub(super) fn is_name_of(file: &str, id: Uuid) -> bool {
    is_of(file, id) && file.ends_with(".name")
}

fn ending(name: &str) -> String {
    format!(".{}.name", label(name, LONGEST_NAME))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_name_is_a_file_of_its_own_in_the_directory(one in ".{0,300}", other in "\\PC{0,40}", id: u128) {
            let id = Uuid::from_u128(id);
            let file = name(id, &one);
            prop_assert!(file.len() <= 255 && !file.contains(['/', '\0']), "{file:?}");
            prop_assert_eq!(named(&file, &one), Some(id));
            prop_assert_eq!(named(&file, &other).is_some(), one == other);
            prop_assert!(is_name_of(&file, id));
            prop_assert!(!hidden(id).contains(&file) && file != certificate(id));
        }
    }

    #[test]
    fn names_that_end_alike_are_told_apart() {
        let id = Uuid::from_u128(1);
        for (one, other) in [
            ("a.b", "b"),
            ("a.name", "name"),
            ("", "."),
            ("x.crt", "crt"),
            ("a", "A"),
        ] {
            assert_eq!(named(&name(id, one), other), None, "{one} {other}");
            assert_eq!(named(&name(id, other), one), None, "{one} {other}");
        }
        assert_eq!(named(&name(id, "a").to_uppercase(), "A"), None);
        assert!(!is_of(&certificate(Uuid::from_u128(2)), id));
        assert!(!is_name_of(&certificate(id), id));
    }
}
