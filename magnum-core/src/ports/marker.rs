//! Markers: where the next page of a list begins.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use uuid::Uuid;

use super::SortKey;
use crate::model::{Cluster, ClusterTemplate};
use crate::{Error, Result};

/// After what a page of a list begins.
///
/// Its string form is ASCII without anything that a URL minds. A plain UUID is a row's, as OpenStack's clients
/// send it; all other forms are what [`Marker::Position`] is written as, and are not to be looked into. Whoever
/// forges one begins elsewhere, and sees nothing else than without it.
///
/// ```
/// use magnum_core::{Marker, Position};
/// let id = uuid::Uuid::from_u128(7);
/// let next = Marker::Position(Position::Name("my cluster".to_owned(), id));
/// assert_eq!(next.to_string().parse::<Marker>()?, next);
/// assert_eq!(id.to_string().parse::<Marker>()?, Marker::Row(id));
/// assert!("elsewhere".parse::<Marker>().is_err());
/// # Ok::<(), magnum_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Marker {
    /// The row of this id, where it stands when the page is read.
    Row(Uuid),
    /// A place that stays, whatever becomes of the row that stood there.
    Position(Position),
}

/// A place in a list: by what the list is sorted, then the id that tells equal rows apart.
///
/// Places of one list compare as its rows do, texts byte for byte.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Position {
    /// The time of creation, in whole microseconds.
    Created(Timestamp, Uuid),
    /// The name.
    Name(String, Uuid),
    /// The status as it is spelled; nothing for rows that have none.
    Status(String, Uuid),
    /// The project, in lists that have one row for each.
    Project(String),
}

impl Position {
    /// Where a cluster stands.
    #[must_use]
    pub fn of_cluster(cluster: &Cluster, key: SortKey) -> Self {
        match key {
            SortKey::Created => Self::created(cluster.created_at, cluster.id.0),
            SortKey::Name => Self::Name(cluster.name.clone(), cluster.id.0),
            SortKey::Status => Self::Status(cluster.status.to_string(), cluster.id.0),
        }
    }

    /// Where a template stands.
    #[must_use]
    pub fn of_template(template: &ClusterTemplate, key: SortKey) -> Self {
        match key {
            SortKey::Created => Self::created(template.created_at, template.id.0),
            SortKey::Name => Self::Name(template.name.clone(), template.id.0),
            SortKey::Status => Self::Status(String::new(), template.id.0),
        }
    }

    fn created(at: Timestamp, id: Uuid) -> Self {
        let whole = Timestamp::from_microsecond(at.as_microsecond());
        Self::Created(whole.unwrap_or(at), id)
    }

    /// By what a list is sorted that has this place.
    #[must_use]
    pub fn sort_key(&self) -> Option<SortKey> {
        match self {
            Self::Created(..) => Some(SortKey::Created),
            Self::Name(..) => Some(SortKey::Name),
            Self::Status(..) => Some(SortKey::Status),
            Self::Project(_) => None,
        }
    }

    /// A letter for the kind, the id, and the value.
    fn to_bytes(&self) -> Vec<u8> {
        let time;
        let (kind, id, value) = match self {
            Self::Created(at, id) => {
                time = at.as_microsecond().to_be_bytes();
                (b'c', *id, &time[..])
            }
            Self::Name(name, id) => (b'n', *id, name.as_bytes()),
            Self::Status(status, id) => (b's', *id, status.as_bytes()),
            Self::Project(project) => (b'p', Uuid::nil(), project.as_bytes()),
        };
        [&[kind], &id.as_bytes()[..], value].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        let (id, value) = rest.split_first_chunk::<16>()?;
        let id = Uuid::from_bytes(*id);
        let text = || String::from_utf8(value.to_vec()).ok();
        match kind {
            b'c' => {
                let at = i64::from_be_bytes(value.try_into().ok()?);
                Some(Self::Created(Timestamp::from_microsecond(at).ok()?, id))
            }
            b'n' => Some(Self::Name(text()?, id)),
            b's' => Some(Self::Status(text()?, id)),
            b'p' => Some(Self::Project(text()?)),
            _ => None,
        }
    }
}

/// What tells a position from a UUID, none of which begins so.
const PREFIX: &str = "p.";

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Row(id) => write!(f, "{id}"),
            Self::Position(position) => {
                write!(f, "{PREFIX}{}", URL_SAFE_NO_PAD.encode(position.to_bytes()))
            }
        }
    }
}

impl FromStr for Marker {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let marker = match text.strip_prefix(PREFIX) {
            Some(encoded) => URL_SAFE_NO_PAD
                .decode(encoded)
                .ok()
                .and_then(|bytes| Position::from_bytes(&bytes))
                .map(Self::Position),
            None => Uuid::parse_str(text).ok().map(Self::Row),
        };
        marker.ok_or_else(|| {
            let message =
                "the UUID of a page's last item, or what came with that page as the next one's marker";
            Error::field("marker", text, message)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn position() -> impl Strategy<Value = Position> {
        let id = any::<u128>().prop_map(Uuid::from_u128);
        let least = Timestamp::MIN.as_microsecond();
        let most = Timestamp::MAX.as_microsecond();
        (least..=most, any::<String>(), id).prop_flat_map(|(at, text, id)| {
            prop_oneof![
                Just(Position::Created(Timestamp::from_microsecond(at).unwrap(), id)),
                Just(Position::Name(text.clone(), id)),
                Just(Position::Status(text.clone(), id)),
                Just(Position::Project(text)),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_marker_is_read_as_it_was_written(position in position(), id in any::<u128>()) {
            for marker in [Marker::Position(position.clone()), Marker::Row(Uuid::from_u128(id))] {
                let text = marker.to_string();
                prop_assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)), "{text}");
                prop_assert_eq!(text.parse::<Marker>().unwrap(), marker);
            }
        }

        #[test]
        fn a_forged_marker_is_a_place_or_bad_input(text in r"(p\.)?[-_.0-9a-zA-Z]{0,60}|.{0,20}", bytes in any::<Vec<u8>>()) {
            for text in [text, format!("p.{}", URL_SAFE_NO_PAD.encode(bytes))] {
                match text.parse::<Marker>() {
                    Ok(Marker::Position(position)) => prop_assert_eq!(Marker::Position(position).to_string(), text),
                    Ok(Marker::Row(_)) => prop_assert!(Uuid::parse_str(&text).is_ok()),
                    Err(error) => prop_assert_eq!(&error.problems()[0].field, "marker"),
                }
            }
        }
    }
}
