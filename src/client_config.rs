//! Client configuration on disk (`cluster-config`): key, certificate and authority, and what to put into the environment.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use magnum_certs::ClientRequest;
use magnum_core::{
    ClientIdentity, Error, ErrorKind, Ident, KeySource, Magnum, RequestContext, Result, shown,
};

/// A client configuration that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenConfig {
    /// The directory, absolute.
    pub directory: PathBuf,
    /// The files in it.
    pub files: Vec<PathBuf>,
    /// Environment variables for the COE's native client.
    pub environment: BTreeMap<String, String>,
}

impl WrittenConfig {
    /// The environment as lines for a POSIX shell: `export DOCKER_HOST='tcp://…'`.
    #[must_use]
    pub fn exports(&self) -> String {
        let quoted = |value: &str| format!("'{}'", value.replace('\'', r"'\''"));
        self.environment
            .iter()
            .map(|(name, value)| format!("export {name}={}\n", quoted(value)))
            .collect()
    }
}

/// Makes a key, has the cluster's authority sign it, and writes what the COE's native client needs.
///
/// The directory is made when it is missing, with mode 0700; files get mode 0600 and appear whole or not at all.
///
/// ```no_run
/// # async fn f(magnum: magnum::Magnum, cx: magnum::RequestContext) -> magnum::Result<()> {
/// use magnum::certs::{RsaBits, RsaKeys};
/// let written = magnum::write_client_config(
///     &magnum, &cx, "mycluster", "myclusterconfig".as_ref(), &RsaKeys::default(), false,
/// ).await?;
/// print!("{}", written.exports());
/// # Ok(()) }
/// ```
///
/// # Errors
/// `Conflict` when a file exists and `force` is false, before a certificate is asked for; `Conflict` while the
/// cluster has no address; `NotFound`; `Forbidden`; `Configuration` when the directory cannot be written.
pub async fn write_client_config(
    magnum: &Magnum,
    cx: &RequestContext,
    ident: impl Into<Ident>,
    directory: &Path,
    keys: &dyn KeySource,
    force: bool,
) -> Result<WrittenConfig> {
    let cluster = magnum.cluster(cx, ident).await?;
    if cluster.api_address.is_none() {
        let message = format!("the cluster has no address yet; it is {}", cluster.status);
        return Err(Error::new(ErrorKind::Conflict, message));
    }
    if !force {
        for name in ["ca.pem", "cert.pem", "key.pem", "config"] {
            refuse_existing(&directory.join(name))?;
        }
    }
    let identity = if cluster.tls() {
        let request = ClientRequest::generate("admin", &["system:masters".to_owned()], keys).await?;
        Some(ClientIdentity {
            ca: magnum.ca_show(cx, cluster.id).await?,
            certificate: magnum.ca_sign(cx, cluster.id, &request.csr).await?,
            private_key: request.private_key,
        })
    } else {
        None
    };
    let config = magnum.client_config(cx, cluster.id, identity.as_ref()).await?;
    make_directory(directory)?;
    let directory = fs::canonicalize(directory).map_err(|error| unwritable(directory, &error))?;
    let mut files = Vec::new();
    for (name, content) in &config.files {
        let path = directory.join(name);
        write_file(&directory, &path, content.expose().as_bytes(), force)?;
        files.push(path);
    }
    let shown_directory = directory.display().to_string();
    let environment = config
        .environment
        .into_iter()
        .map(|(name, value)| (name, value.replace("{dir}", &shown_directory)))
        .collect();
    Ok(WrittenConfig {
        directory,
        files,
        environment,
    })
}

fn refuse_existing(path: &Path) -> Result<()> {
    if fs::symlink_metadata(path).is_ok() {
        let message = format!(
            "{} exists; say force to overwrite it",
            shown(&path.display().to_string())
        );
        return Err(Error::new(ErrorKind::Conflict, message));
    }
    Ok(())
}

fn unwritable(path: &Path, error: &std::io::Error) -> Error {
    let message = format!(
        "{} cannot be written: {error}",
        shown(&path.display().to_string())
    );
    Error::new(ErrorKind::Configuration, message)
}

fn make_directory(directory: &Path) -> Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(directory)
        .map_err(|error| unwritable(directory, &error))
}

/// Written aside with mode 0600, then moved into place.
fn write_file(directory: &Path, path: &Path, content: &[u8], force: bool) -> Result<()> {
    let failed = |error: std::io::Error| unwritable(path, &error);
    let mut aside = tempfile::NamedTempFile::new_in(directory).map_err(failed)?;
    aside.write_all(content).map_err(failed)?;
    aside.as_file().sync_all().map_err(failed)?;
    if force {
        aside.persist(path).map_err(|error| failed(error.error))?;
    } else {
        aside
            .persist_noclobber(path)
            .map_err(|error| failed(error.error))?;
    }
    Ok(())
}
