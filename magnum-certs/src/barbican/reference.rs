//! What a reference names. Of a URL only its end counts: it may be old, and no request ever goes to its host.

use std::fmt;

use uuid::Uuid;

/// Something that Barbican keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// A container of secrets.
    Container(Uuid),
    /// A secret.
    Secret(Uuid),
}

impl Kept {
    /// Reads `containers/<uuid>` or `secrets/<uuid>`, also at the end of an HTTP URL; the UUID in Barbican's own way
    /// of writing it, lower-case with hyphens. `None` for everything else.
    pub(super) fn read(reference: &str) -> Option<Self> {
        let web = ["http://", "https://"]
            .iter()
            .find_map(|scheme| reference.strip_prefix(scheme));
        let (before, written) = web.unwrap_or(reference).rsplit_once('/')?;
        let collection = match web {
            Some(_) => before.rsplit_once('/')?.1,
            None => before,
        };
        let id = Uuid::try_parse(written)
            .ok()
            .filter(|id| id.to_string() == written)?;
        match collection {
            "containers" => Some(Self::Container(id)),
            "secrets" => Some(Self::Secret(id)),
            _ => None,
        }
    }

    /// Its UUID as Barbican writes it.
    pub(super) fn id(&self) -> String {
        match self {
            Self::Container(id) | Self::Secret(id) => id.to_string(),
        }
    }
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Container(id) => write!(f, "containers/{id}"),
            Self::Secret(id) => write!(f, "secrets/{id}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "a6a0f8a5-9f13-4b0e-8a46-6c1a4e2f7a01";

    #[test]
    fn only_the_end_of_a_url_counts() {
        let id = Uuid::try_parse(ID).unwrap();
        for reference in [
            format!("containers/{ID}"),
            format!("http://host:9311/v1/containers/{ID}"),
            format!("https://host/key-manager/v1/containers/{ID}"),
            format!("https://host/containers/{ID}"),
        ] {
            assert_eq!(Kept::read(&reference), Some(Kept::Container(id)), "{reference}");
        }
        let secret = Kept::read(&format!("secrets/{ID}")).unwrap();
        assert_eq!(secret, Kept::Secret(id));
        assert_eq!(Kept::read(&secret.to_string()), Some(secret));
    }

    #[test]
    fn everything_else_is_nothing() {
        for reference in [
            String::new(),
            "/".into(),
            ID.into(),
            format!("/{ID}"),
            format!("orders/{ID}"),
            format!("v1/containers/{ID}"),
            format!("../containers/{ID}"),
            format!("ftp://host/containers/{ID}"),
            format!("https:///{ID}"),
            format!("https://containers/{ID}"),
            format!("containers/{}", ID.to_uppercase()),
            format!("containers/{}", ID.replace('-', "")),
            format!("containers/{{{ID}}}"),
            format!("containers/urn:uuid:{ID}"),
            format!("containers/{ID}/"),
            format!("containers/{ID}/consumers"),
            format!("containers/{ID}?a=b"),
            format!("containers/{ID}\n"),
            format!(" containers/{ID}"),
            format!("Containers/{ID}"),
            "containers/é".into(),
        ] {
            assert_eq!(Kept::read(&reference), None, "{reference}");
        }
    }
}
