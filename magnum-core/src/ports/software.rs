//! Software that a driver's scripts install, and versions.

/// The numbers of a version like `v1.15.7`, in their order; `None` for any other text.
#[must_use]
pub fn version_numbers(text: &str) -> Option<[u32; 3]> {
    let mut numbers = [0; 3];
    let mut parts = text.strip_prefix('v')?.split('.');
    for number in &mut numbers {
        let part = parts.next()?;
        let plain = !part.is_empty() && part.len() <= 6 && part.bytes().all(|b| b.is_ascii_digit());
        *number = part.parse().ok().filter(|_| plain)?;
    }
    parts.next().is_none().then_some(numbers)
}

/// Software that a driver's scripts install.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Software {
    /// The version when nothing else is asked for.
    pub default: String,
    /// The oldest and the newest version that can be asked for, and the label to do so.
    pub range: Option<(String, String, &'static str)>,
    /// What only newer versions can do.
    pub features: Vec<Feature>,
}

impl Software {
    /// Software of one version.
    #[must_use]
    pub fn fixed(version: impl Into<String>) -> Self {
        Self {
            default: version.into(),
            ..Self::default()
        }
    }
}

/// Something that software can do from a version on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Feature {
    /// What, in words.
    pub what: &'static str,
    /// The first version that can.
    pub since: &'static str,
}
