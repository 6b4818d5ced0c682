//! `clouds.yaml` and `secure.yaml`.

use std::collections::BTreeMap;

use magnum_core::{Error, ErrorKind, Result, Secret, shown};
use serde::Deserialize;

use super::files::ConfigFile;
use super::reading::{Place, Settings};

#[derive(Default, Deserialize)]
struct File {
    #[serde(default)]
    clouds: BTreeMap<String, Option<Entry>>,
}

/// The keys of a cloud that matter here; unknown ones are ignored.
#[derive(Clone, Default, Deserialize)]
struct Entry {
    #[serde(default)]
    auth: Option<BTreeMap<String, Option<String>>>,
    profile: Option<String>,
    auth_type: Option<String>,
    region_name: Option<String>,
    interface: Option<String>,
    endpoint_type: Option<String>,
    cacert: Option<String>,
    cert: Option<String>,
    key: Option<String>,
    verify: Option<String>,
    identity_api_version: Option<String>,
}

/// The settings of a cloud, with the secure file's laid over.
pub(super) fn settings(
    clouds: &ConfigFile,
    secure: Option<&ConfigFile>,
    name: Option<&str>,
) -> Result<Settings> {
    let mut file = parse(clouds)?;
    let name = match name {
        Some(name) => name.to_owned(),
        None => the_only_one(clouds, &file)?,
    };
    let Some(entry) = file.clouds.remove(&name) else {
        let known: Vec<_> = file.clouds.keys().map(|name| shown(name)).collect();
        let message = format!(
            "{}: no cloud '{}'; there are: {}",
            clouds.name,
            shown(&name),
            known.join(", ")
        );
        return Err(Error::new(ErrorKind::Configuration, message));
    };
    let mut values = entry.unwrap_or_default().values();
    if let Some(secure) = secure {
        let over = parse(secure)?.clouds.remove(&name).flatten();
        values.extend(over.unwrap_or_default().values());
    }
    Ok(Settings {
        place: Place::File(clouds.name.clone()),
        cloud: name,
        values,
    })
}

fn the_only_one(source: &ConfigFile, file: &File) -> Result<String> {
    let mut names = file.clouds.keys();
    match (names.next(), names.next()) {
        (Some(name), None) => Ok(name.clone()),
        (None, _) => Err(Error::new(
            ErrorKind::Configuration,
            format!("{}: there are no clouds in it", source.name),
        )),
        (Some(_), Some(_)) => Err(Error::new(
            ErrorKind::Configuration,
            format!(
                "{}: there are several clouds; name one, or set OS_CLOUD",
                source.name
            ),
        )),
    }
}

fn parse(file: &ConfigFile) -> Result<File> {
    let parsed: Result<Option<File>, _> = serde_saphyr::from_str(file.text.expose());
    parsed.map(Option::unwrap_or_default).map_err(|error| {
        // The parser quotes the text around the error, passwords included: only the place is told.
        let place = error
            .location()
            .map(|at| format!(" at line {}, column {}", at.line(), at.column()))
            .unwrap_or_default();
        Error::new(
            ErrorKind::Configuration,
            format!("{}: not a file of clouds{place}", file.name),
        )
    })
}

impl Entry {
    /// Keys and values in one map; where a key is in `auth` and beside it, `auth` wins.
    fn values(self) -> BTreeMap<String, Secret> {
        let beside = [
            ("profile", self.profile),
            ("auth_type", self.auth_type),
            ("region_name", self.region_name),
            ("endpoint_type", self.endpoint_type),
            ("interface", self.interface),
            ("cacert", self.cacert),
            ("cert", self.cert),
            ("key", self.key),
            ("verify", self.verify),
            ("identity_api_version", self.identity_api_version),
        ];
        let beside = beside.into_iter().map(|(key, value)| (key.to_owned(), value));
        beside
            .chain(self.auth.unwrap_or_default())
            .filter_map(|(key, value)| Some((key, Secret::new(value?))))
            .collect()
    }
}
