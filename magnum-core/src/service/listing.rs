//! Lists of clusters and templates, page by page.

use std::ops::Deref;

use super::Magnum;
use crate::model::{Cluster, ClusterStatus, ClusterTemplate, RequestContext, TemplateId};
use crate::ports::{Marker, Permission, Position, PublicTemplates, Query, SortDirection, SortKey, Target};
use crate::{Error, ErrorKind, Problem, Result};

/// No page has more rows.
pub(super) const MOST_ROWS: u32 = 1000;

/// Which rows of a list, and in which order. What a list has no use for is bad input.
///
/// ```
/// use magnum_core::{ClusterStatus, ListOptions, SortDirection, SortKey};
/// let options = ListOptions::default()
///     .with_status(ClusterStatus::CREATE_FAILED)
///     .with_sort_key(SortKey::Name)
///     .with_direction(SortDirection::Descending)
///     .with_limit(20);
/// assert_eq!(options.marker, None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListOptions {
    /// After what the page begins; the beginning of the list without one.
    pub marker: Option<Marker>,
    /// At most so many rows: 1 to 1000, default 1000. More than 1000 are 1000.
    pub limit: u32,
    /// By what the list is sorted. Default the time of creation.
    pub sort_key: SortKey,
    /// In which direction. Default ascending.
    pub direction: SortDirection,
    /// Whose rows. Default the caller's project's.
    pub projects: Projects,
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
}

/// Whose rows are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Projects {
    /// The caller's project's; of templates also other projects' that are public and not hidden.
    #[default]
    Own,
    /// One project's, and nothing else. Another one than the caller's is for those who see all projects.
    One(String),
    /// All projects'; for those who see them.
    All,
}

impl Default for ListOptions {
    fn default() -> Self {
        Self {
            marker: None,
            limit: MOST_ROWS,
            sort_key: SortKey::Created,
            direction: SortDirection::Ascending,
            projects: Projects::Own,
            name: None,
            status: None,
            cluster_template_id: None,
            coe: None,
            public: None,
            hidden: None,
        }
    }
}

impl ListOptions {
    /// Begins after a marker: [`Page::next`] of the page before, or the last row's UUID.
    #[must_use]
    pub fn with_marker(mut self, marker: Marker) -> Self {
        self.marker = Some(marker);
        self
    }

    /// Sets how many rows a page has at most: 1 to 1000.
    #[must_use]
    pub fn with_limit(mut self, limit: u32) -> Self {
        self.limit = limit;
        self
    }

    /// Sets by what the list is sorted.
    #[must_use]
    pub fn with_sort_key(mut self, key: SortKey) -> Self {
        self.sort_key = key;
        self
    }

    /// Sets in which direction the list is sorted.
    #[must_use]
    pub fn with_direction(mut self, direction: SortDirection) -> Self {
        self.direction = direction;
        self
    }

    /// Lists all projects' rows.
    #[must_use]
    pub fn with_all_projects(mut self) -> Self {
        self.projects = Projects::All;
        self
    }

    /// Lists one project's rows.
    #[must_use]
    pub fn with_project(mut self, project: impl Into<String>) -> Self {
        self.projects = Projects::One(project.into());
        self
    }

    /// Only rows of this name.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Only clusters of this status.
    #[must_use]
    pub fn with_status(mut self, status: ClusterStatus) -> Self {
        self.status = Some(status);
        self
    }

    /// Only clusters made after this template.
    #[must_use]
    pub fn with_cluster_template(mut self, template: TemplateId) -> Self {
        self.cluster_template_id = Some(template);
        self
    }

    /// Only templates for this COE.
    #[must_use]
    pub fn with_coe(mut self, coe: impl Into<String>) -> Self {
        self.coe = Some(coe.into());
        self
    }

    /// Only templates that are public, or only those that are not.
    #[must_use]
    pub fn with_public(mut self, public: bool) -> Self {
        self.public = Some(public);
        self
    }

    /// Only templates that are hidden, or only those that are not.
    #[must_use]
    pub fn with_hidden(mut self, hidden: bool) -> Self {
        self.hidden = Some(hidden);
        self
    }
}

/// Some rows of a list, and where it goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows, in order.
    pub items: Vec<T>,
    /// The marker of the next page; absent when nothing follows.
    pub next: Option<Marker>,
}

impl<T> Page<T> {
    /// A page of rows of which one more was asked for than it may have.
    pub(super) fn of(mut items: Vec<T>, limit: u32, place: impl Fn(&T) -> Position) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = items.len() > limit;
        items.truncate(limit);
        let last = items.last().filter(|_| more);
        let next = last.map(|last| Marker::Position(place(last)));
        Self { items, next }
    }
}

impl<T> Deref for Page<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.items
    }
}

impl<T> IntoIterator for Page<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a Page<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.iter()
    }
}

impl Magnum {
    /// A page of clusters.
    ///
    /// A list that is read to its end shows every cluster that was there all the time, in the place that it was
    /// asked for, once, whatever was made and deleted meanwhile.
    ///
    /// ```
    /// use magnum_core::{ListOptions, SortKey};
    /// # async fn f(magnum: magnum_core::Magnum, cx: magnum_core::RequestContext) -> magnum_core::Result<()> {
    /// let mut options = ListOptions::default().with_sort_key(SortKey::Name).with_limit(100);
    /// loop {
    ///     let page = magnum.list_clusters(&cx, options.clone()).await?;
    ///     for cluster in &page {
    ///         println!("{} {} {}", cluster.id, cluster.name, cluster.status);
    ///     }
    ///     let Some(next) = page.next else { break };
    ///     options = options.with_marker(next);
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// `InvalidInput` names `limit`, `marker`, or what clusters cannot be told by; `NotFound` when the marker is the
    /// UUID of no cluster that the caller may know of; `Forbidden` for other projects' clusters.
    pub async fn list_clusters(&self, cx: &RequestContext, options: ListOptions) -> Result<Page<Cluster>> {
        let project = self.listed_project(cx, Permission::ClusterRead, &options.projects)?;
        let limit = options.checked_limit(
            "clusters",
            &["name", "status", "cluster_template_id"],
            &SortKey::ALL,
        )?;
        let key = options.sort_key;
        let query = options.into_query(project, PublicTemplates::None, limit);
        let rows = self.inner.store.clusters(query).await?;
        Ok(Page::of(rows, limit, |cluster| {
            Position::of_cluster(cluster, key)
        }))
    }

    /// A page of cluster templates: the project's own, hidden or not, and what others have made public and not hidden.
    ///
    /// Pages follow each other as those of [`Magnum::list_clusters`] do.
    ///
    /// # Errors
    /// As [`Magnum::list_clusters`].
    pub async fn list_templates(
        &self,
        cx: &RequestContext,
        options: ListOptions,
    ) -> Result<Page<ClusterTemplate>> {
        let project = self.listed_project(cx, Permission::TemplateRead, &options.projects)?;
        let sorts = [SortKey::Created, SortKey::Name];
        let limit = options.checked_limit("templates", &["name", "coe", "public", "hidden"], &sorts)?;
        let key = options.sort_key;
        let public = match options.projects {
            Projects::Own => PublicTemplates::Shown,
            Projects::One(_) | Projects::All => PublicTemplates::None,
        };
        let query = options.into_query(project, public, limit);
        let rows = self.inner.store.templates(query).await?;
        Ok(Page::of(rows, limit, |template| {
            Position::of_template(template, key)
        }))
    }

    /// The project whose rows are listed, none for all, if the caller may list them.
    pub(super) fn listed_project(
        &self,
        cx: &RequestContext,
        permission: Permission,
        projects: &Projects,
    ) -> Result<Option<String>> {
        let project = match projects {
            Projects::Own => Some(&cx.project_id),
            Projects::One(project) => Some(project),
            Projects::All => None,
        };
        let target = Target::of(project.unwrap_or(&cx.project_id), &cx.user_id);
        self.inner.policy.enforce(cx, permission, &target)?;
        if project != Some(&cx.project_id) && !self.inner.policy.sees_all_projects(cx) {
            let message = "only who sees all projects may list what is not the own project's";
            return Err(Error::new(ErrorKind::Forbidden, message));
        }
        Ok(project.cloned())
    }
}

impl ListOptions {
    /// How many rows the page has, after checking that a list of `what` has these filters and orders.
    pub(super) fn checked_limit(&self, what: &str, filters: &[&str], sorts: &[SortKey]) -> Result<u32> {
        let given = [
            ("name", self.name.clone()),
            ("status", self.status.map(|status| status.to_string())),
            (
                "cluster_template_id",
                self.cluster_template_id.map(|id| id.to_string()),
            ),
            ("coe", self.coe.clone()),
            ("public", self.public.map(|public| public.to_string())),
            ("hidden", self.hidden.map(|hidden| hidden.to_string())),
        ];
        let mut problems: Vec<Problem> = given
            .into_iter()
            .filter(|(field, _)| !filters.contains(field))
            .filter_map(|(field, value)| {
                let message = match filters {
                    [] => format!("{what} are not told by it"),
                    filters => format!("{what} are told by {}", filters.join(", ")),
                };
                Some(Problem::new(field, value?, message))
            })
            .collect();
        if !sorts.contains(&self.sort_key) {
            let names: Vec<_> = sorts.iter().map(|key| key.as_str()).collect();
            let message = format!("{what} are sorted by {}", names.join(", "));
            problems.push(Problem::new("sort_key", self.sort_key.as_str(), message));
        }
        if self.limit == 0 {
            let message = format!("1 to {MOST_ROWS} are allowed");
            problems.push(Problem::new("limit", self.limit, message));
        }
        if problems.is_empty() {
            Ok(self.limit.min(MOST_ROWS))
        } else {
            Err(Error::invalid(problems))
        }
    }

    /// One row more than the page may have tells whether another page follows.
    fn into_query(self, project: Option<String>, public_templates: PublicTemplates, limit: u32) -> Query {
        Query {
            project,
            public_templates,
            name: self.name,
            status: self.status,
            cluster_template_id: self.cluster_template_id,
            coe: self.coe,
            public: self.public,
            hidden: self.hidden,
            sort_key: self.sort_key,
            direction: self.direction,
            marker: self.marker,
            limit: limit + 1,
        }
    }
}
