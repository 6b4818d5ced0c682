//! Client configuration on disk (`cluster-config`): key, certificate and authority, and what to put into the environment.

mod directory;
mod shell;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use magnum_certs::ClientRequest;
use magnum_core::{
    ClientConfig, ClientIdentity, Error, ErrorKind, Ident, KeySource, Magnum, RequestContext, Result, Secret,
    shown,
};

use directory::Directory;
pub use shell::Shell;

/// A client configuration that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenConfig {
    /// The directory, absolute.
    pub directory: PathBuf,
    /// The files in it, by name.
    pub files: Vec<PathBuf>,
    /// Environment variables for the COE's native client. Where paths are in them they are absolute. An empty value
    /// is to be set, too: it ends what an earlier configuration has set.
    pub environment: BTreeMap<String, String>,
}

impl WrittenConfig {
    /// The environment as commands of a shell, one a line and in order of the names. Values are quoted where the
    /// shell would change them.
    ///
    /// ```
    /// use magnum::{Shell, WrittenConfig};
    /// let written = WrittenConfig {
    ///     directory: "/home/me/my cluster".into(),
    ///     files: vec![],
    ///     environment: [
    ///         ("DOCKER_CERT_PATH".into(), "/home/me/my cluster".into()),
    ///         ("DOCKER_HOST".into(), "tcp://172.24.4.5:2376".into()),
    ///     ]
    ///     .into(),
    /// };
    /// assert_eq!(
    ///     written.exports(Shell::Posix),
    ///     "export DOCKER_CERT_PATH='/home/me/my cluster'\nexport DOCKER_HOST=tcp://172.24.4.5:2376\n"
    /// );
    /// assert_eq!(
    ///     written.exports(Shell::Csh),
    ///     "setenv DOCKER_CERT_PATH '/home/me/my cluster';\nsetenv DOCKER_HOST tcp://172.24.4.5:2376;\n"
    /// );
    /// ```
    #[must_use]
    pub fn exports(&self, shell: Shell) -> String {
        let lines = self.environment.iter();
        lines.map(|(name, value)| shell.export(name, value)).collect()
    }
}

/// Makes a key, has the cluster's authority sign it, and writes what the COE's native client needs.
///
/// `directory` is the guide's `--dir`, `.` for the current one; it is made when it is missing, with mode 0700, and
/// with all that lead to it. `force` is the guide's `--force`: it overwrites files that are there. Files get mode 0600;
/// each appears whole or not at all, and is on the disk when this returns.
///
/// Without `force` the files appear together or none stays. With it each replaces what has its name, a symbolic link
/// itself and never what it leads to. A crash between two leaves files that do not fit together; clients refuse those,
/// and the next forced run replaces them all.
///
/// A directory into which everybody may write is refused unless it has the sticky bit: others could put a configuration
/// of theirs in place of yours. For one into which its group may write there is a warning on `tracing` only, because
/// many systems give every user a group of their own and make directories so.
///
/// ```no_run
/// # async fn f(magnum: magnum::Magnum, cx: magnum::RequestContext) -> magnum::Result<()> {
/// use magnum::Shell;
/// use magnum::certs::RsaKeys;
/// let written = magnum::write_client_config(
///     &magnum, &cx, "mycluster", "myclusterconfig".as_ref(), &RsaKeys::default(), false,
/// ).await?;
/// let shell = Shell::from_env(std::env::var("SHELL").ok().as_deref());
/// print!("{}", written.exports(shell));
/// # Ok(()) }
/// ```
///
/// # Errors
/// Before a key is made or a certificate asked for: `Conflict` when a file exists and `force` is false, or a
/// directory has a file's name, or while the cluster has no address; `Unsupported` when the COE has no client
/// configuration; `InvalidInput` for a directory that no environment variable can name; `Configuration` when the
/// directory cannot be made or everybody may write into it; `NotFound`; `Forbidden`. After that: `Conflict` when
/// somebody made such a file in the meantime; `Configuration` when a file cannot be written. Without `force` an error
/// leaves nothing behind.
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
    // The driver alone knows which files there will be.
    let nobody = cluster.tls().then(|| ClientIdentity {
        ca: String::new(),
        certificate: String::new(),
        private_key: Secret::new(""),
    });
    let outline = magnum.client_config(cx, cluster.id, nobody.as_ref()).await?;
    let directory = Directory::open(directory)?;
    environment(&outline, &directory)?;
    directory.check(outline.files.keys(), force)?;

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
    let environment = environment(&config, &directory)?;
    directory.check(config.files.keys(), force)?;
    let files = directory.write(&config.files, force)?;
    Ok(WrittenConfig {
        directory: directory.keep(),
        files,
        environment,
    })
}

/// The environment with the directory in it.
fn environment(config: &ClientConfig, directory: &Directory) -> Result<BTreeMap<String, String>> {
    let environment: BTreeMap<String, String> = config
        .environment
        .iter()
        .map(|(name, value)| (name.clone(), value.replace("{dir}", directory.text())))
        .collect();
    // kubectl reads a list of paths there, and knows no quoting.
    if let Some(path) = environment.get("KUBECONFIG")
        && std::env::split_paths(path).count() != 1
    {
        let why = "kubectl would take it for a list of paths; choose one without the separator of PATH";
        return Err(Error::field("directory", shown(directory.text()), why));
    }
    Ok(environment)
}
