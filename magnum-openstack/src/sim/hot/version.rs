//! Template versions, and what each of them understands.

use super::error::{ErrorKind, HeatError};
use super::node::Node;

/// A `heat_template_version`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Version {
    V20130523,
    V20141016,
    V20150430,
    V20151015,
    V20160408,
    V20161014,
    V20170224,
    V20170901,
    V20180302,
    V20180831,
    V20210416,
}

const NAMES: [(&str, Version); 17] = [
    ("2013-05-23", Version::V20130523),
    ("2014-10-16", Version::V20141016),
    ("2015-04-30", Version::V20150430),
    ("2015-10-15", Version::V20151015),
    ("2016-04-08", Version::V20160408),
    ("2016-10-14", Version::V20161014),
    ("2017-02-24", Version::V20170224),
    ("2017-09-01", Version::V20170901),
    ("2018-03-02", Version::V20180302),
    ("2018-08-31", Version::V20180831),
    ("2021-04-16", Version::V20210416),
    ("newton", Version::V20161014),
    ("ocata", Version::V20170224),
    ("pike", Version::V20170901),
    ("queens", Version::V20180302),
    ("rocky", Version::V20180831),
    ("wallaby", Version::V20210416),
];

impl Version {
    /// The version a template names.
    ///
    /// # Errors
    /// `InvalidTemplateVersion` for another format or an unknown name.
    pub(crate) fn of(template: &Node) -> Result<Self, HeatError> {
        let fail = |text: String| {
            HeatError::new(
                ErrorKind::InvalidTemplateVersion,
                format!("The template version is invalid: {text}"),
            )
        };
        let Some(version) = template.get("heat_template_version") else {
            return Err(fail("only heat_template_version is served here".to_owned()));
        };
        let text = super::printing::py_str(&version.to_value());
        NAMES
            .iter()
            .find(|(name, _)| *name == text)
            .map(|(_, v)| *v)
            .ok_or_else(|| {
                let mut names: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
                names.sort_unstable();
                fail(format!(
                    "\"heat_template_version: {text}\". \"heat_template_version\" should be one of: {}",
                    names.join(", ")
                ))
            })
    }

    /// The dated name.
    pub(crate) fn date(self) -> &'static str {
        NAMES
            .iter()
            .find(|(_, v)| *v == self)
            .map_or("2013-05-23", |(name, _)| name)
    }

    /// Whether conditions exist.
    pub(crate) fn has_conditions(self) -> bool {
        self >= Self::V20161014
    }
}
