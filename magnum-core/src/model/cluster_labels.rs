//! How a cluster's labels differ from those of its template.

use super::{Cluster, Labels};

/// How a cluster's labels differ from those that its template had when it was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelDifferences {
    /// Keys that both have with other values, and the template's values.
    pub overridden: Labels,
    /// What only the cluster has.
    pub added: Labels,
    /// What only the template has.
    pub skipped: Labels,
}

/// The labels of a cluster made with `given`: the template's when none are given, the given ones alone, or, merged,
/// the given ones over the template's.
pub(crate) fn effective(template: &Labels, given: Option<&Labels>, merge: bool) -> Labels {
    match given.filter(|given| !given.is_empty()) {
        None => template.clone(),
        Some(given) if merge => {
            let mut merged = template.clone();
            merged.extend(given.clone());
            merged
        }
        Some(given) => given.clone(),
    }
}

impl Cluster {
    /// How the cluster's labels differ from those of its template.
    #[must_use]
    pub fn label_differences(&self) -> LabelDifferences {
        differences(&self.template_labels, self.labels())
    }
}

fn differences(template: &Labels, own: &Labels) -> LabelDifferences {
    let mut found = LabelDifferences::default();
    for (key, value) in template {
        match own.get(key) {
            Some(same) if same == value => {}
            Some(_) => {
                found.overridden.insert(key.clone(), value.clone());
            }
            None => {
                found.skipped.insert(key.clone(), value.clone());
            }
        }
    }
    let added = own.iter().filter(|(key, _)| !template.contains_key(*key));
    found
        .added
        .extend(added.map(|(key, value)| (key.clone(), value.clone())));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn labels_are_the_templates_or_the_clusters_or_both() {
        let template = labels(&[("a", "1"), ("b", "2")]);
        let given = labels(&[("b", "3"), ("c", "4")]);
        assert_eq!(effective(&template, None, true), template);
        assert_eq!(effective(&template, Some(&Labels::new()), false), template);
        assert_eq!(effective(&template, Some(&given), false), given);
        let merged = labels(&[("a", "1"), ("b", "3"), ("c", "4")]);
        assert_eq!(effective(&template, Some(&given), true), merged);
        assert_eq!(
            template,
            labels(&[("a", "1"), ("b", "2")]),
            "merging changes no template"
        );
    }

    #[test]
    fn differences_are_told_from_the_templates_side() {
        let template = labels(&[("a", "1"), ("b", "2"), ("same", "x")]);
        let own = labels(&[("b", "3"), ("c", "4"), ("same", "x")]);
        let found = differences(&template, &own);
        assert_eq!(found.overridden, labels(&[("b", "2")]));
        assert_eq!(found.added, labels(&[("c", "4")]));
        assert_eq!(found.skipped, labels(&[("a", "1")]));
    }
}
