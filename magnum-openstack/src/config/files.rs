//! Where configuration files are.

use std::fmt;
use std::path::{Path, PathBuf};

use magnum_core::{Error, ErrorKind, Result, Secret};

/// A configuration file's text and its name for messages.
#[derive(Clone)]
pub struct ConfigFile {
    pub(super) name: String,
    pub(super) text: Secret,
}

impl ConfigFile {
    /// A file that was read already.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            text: Secret::new(text),
        }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// `Configuration` when it cannot be read.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            let message = format!("cannot read {}: {error}", path.display());
            Error::new(ErrorKind::Configuration, message)
        })?;
        Ok(Self::new(path.display().to_string(), text))
    }
}

/// Shows the name; the text holds passwords.
impl fmt::Debug for ConfigFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConfigFile({})", self.name)
    }
}

/// The first file of this stem on the search path. One that a variable names must exist.
pub(super) fn find(
    stem: &str,
    variable: &str,
    environment: &impl Fn(&str) -> Option<String>,
) -> Result<Option<ConfigFile>> {
    if let Some(path) = environment(variable) {
        return ConfigFile::read(Path::new(&path)).map(Some);
    }
    let home = environment("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| environment("HOME").map(|home| Path::new(&home).join(".config")));
    let places = [
        Some(PathBuf::from(".")),
        home.map(|home| home.join("openstack")),
        Some(PathBuf::from("/etc/openstack")),
    ];
    let path = places
        .into_iter()
        .flatten()
        .flat_map(|place| ["yaml", "yml"].map(|end| place.join(format!("{stem}.{end}"))))
        .find(|path| path.is_file());
    path.map(|path| ConfigFile::read(&path)).transpose()
}
