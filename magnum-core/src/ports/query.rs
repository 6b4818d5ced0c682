//! Queries: which rows of a store, in which order, and how many.

use super::Marker;
use crate::model::{ClusterStatus, TemplateId};

/// By what a list is sorted; rows that are equal in it are sorted by id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SortKey {
    /// The time of creation, to the microsecond.
    #[default]
    Created,
    /// The name, byte for byte.
    Name,
    /// The status as it is spelled; only clusters have one.
    Status,
}

impl SortKey {
    pub(crate) const ALL: [Self; 3] = [Self::Created, Self::Name, Self::Status];

    /// The key as the API spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created_at",
            Self::Name => "name",
            Self::Status => "status",
        }
    }
}

/// In which direction a list is sorted, by its key and by id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SortDirection {
    /// The oldest, or the first of the alphabet, comes first.
    #[default]
    Ascending,
    /// The newest, or the last of the alphabet, comes first.
    Descending,
}

/// Which templates of other projects come with a project's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PublicTemplates {
    /// None.
    #[default]
    None,
    /// Public ones that are not hidden, as in lists.
    Shown,
    /// All public ones, as when one is asked for by name.
    WithHidden,
}

impl PublicTemplates {
    /// Those and the hidden ones: what may be pointed at, though lists leave it out.
    #[must_use]
    pub fn all(self) -> Self {
        match self {
            Self::None => Self::None,
            Self::Shown | Self::WithHidden => Self::WithHidden,
        }
    }
}

/// Which clusters or templates, and in which order.
///
/// What only clusters have is not looked at for templates, nor the other way round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Only this project's; all projects' without it.
    pub project: Option<String>,
    /// Also these templates of other projects, where a project is given.
    pub public_templates: PublicTemplates,
    /// Only rows of this name.
    pub name: Option<String>,
    /// Only clusters of this status.
    pub status: Option<ClusterStatus>,
    /// Only clusters made after this template.
    pub cluster_template_id: Option<TemplateId>,
    /// Only templates for this COE.
    pub coe: Option<String>,
    /// Only templates that are public, or only those that are not.
    pub public: Option<bool>,
    /// Only templates that are hidden, or only those that are not.
    pub hidden: Option<bool>,
    /// By what they are sorted.
    pub sort_key: SortKey,
    /// In which direction.
    pub direction: SortDirection,
    /// Begin after this. `NotFound` for a row that is not the project's nor one of those public templates, hidden
    /// or not, whatever else is asked for; `InvalidInput` for a position in a list that is sorted otherwise.
    pub marker: Option<Marker>,
    /// At most so many.
    pub limit: u32,
}

impl Query {
    /// All rows, at most 1000, in the order of creation.
    #[must_use]
    pub fn all() -> Self {
        Self {
            project: None,
            public_templates: PublicTemplates::None,
            name: None,
            status: None,
            cluster_template_id: None,
            coe: None,
            public: None,
            hidden: None,
            sort_key: SortKey::Created,
            direction: SortDirection::Ascending,
            marker: None,
            limit: 1000,
        }
    }

    /// A project's rows, at most 1000, in the order of creation.
    pub fn project(project: impl Into<String>) -> Self {
        Self {
            project: Some(project.into()),
            ..Self::all()
        }
    }

    /// Only rows of this name.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }
}

/// Which quotas; they come in the order of their projects' ids, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaQuery {
    /// Only this project's; all projects' without it.
    pub project: Option<String>,
    /// In which direction.
    pub direction: SortDirection,
    /// Begin after this project, whether or not it has a quota.
    pub marker: Option<String>,
    /// At most so many.
    pub limit: u32,
}
