//! The subject that a request asks for.

use magnum_core::Result;
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::der::asn1::{Ia5StringRef, ObjectIdentifier, PrintableStringRef, Utf8StringRef};
use x509_cert::der::{Tag, Tagged};
use x509_cert::name::Name;

use crate::request::refused;

const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const ORGANIZATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.10");

/// What matters of a request's subject. Countries, units and the like are not certified.
#[derive(Debug)]
pub(crate) struct RequestedSubject {
    /// Every `CN`, in order.
    pub(crate) common_names: Vec<String>,
    /// Every `O`, in order.
    pub(crate) organizations: Vec<String>,
}

impl RequestedSubject {
    /// Reads a subject.
    ///
    /// # Errors
    /// `InvalidInput` when a name is not text in a type that everybody reads alike.
    pub(crate) fn read(subject: &Name) -> Result<Self> {
        let all = |oid| {
            subject
                .iter()
                .filter(move |attribute| attribute.oid == oid)
                .map(text)
                .collect::<Result<Vec<_>>>()
        };
        Ok(Self {
            common_names: all(COMMON_NAME)?,
            organizations: all(ORGANIZATION)?,
        })
    }
}

fn text(attribute: &AttributeTypeAndValue) -> Result<String> {
    let value = &attribute.value;
    let read = match value.tag() {
        Tag::Utf8String => value
            .decode_as::<Utf8StringRef<'_>>()
            .map(|text| text.as_str().to_owned()),
        Tag::PrintableString => value
            .decode_as::<PrintableStringRef<'_>>()
            .map(|text| text.as_str().to_owned()),
        Tag::Ia5String => value
            .decode_as::<Ia5StringRef<'_>>()
            .map(|text| text.as_str().to_owned()),
        _ => {
            return Err(refused(
                "subject",
                "names in UTF8String, PrintableString and IA5String are allowed",
            ));
        }
    };
    read.map_err(|_| refused("subject", "a name is not the text that it claims to be"))
}
