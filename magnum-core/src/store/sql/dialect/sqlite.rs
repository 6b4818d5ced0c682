//! SQLite: its file and its connections.

use std::fs::OpenOptions;
use std::io::ErrorKind as IoErrorKind;
use std::path::Path;
use std::time::{Duration, Instant};

use sqlx::any::{AnyPoolOptions, install_default_drivers};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AnyPool, ConnectOptions, Row};
use url::Url;

use super::super::failure::unavailable;
use super::{Dialect, Pools};
use crate::{Error, ErrorKind, Result};

/// Readers beside the one writer, at most; each is a thread.
const READERS: u32 = 8;
/// How long to wait for other processes while the file is set up.
const PATIENCE: Duration = Duration::from_secs(10);

/// The URL of a file, whatever characters its path has.
pub(in crate::store::sql) fn url_of(path: &Path) -> String {
    let mut url = "sqlite:".to_owned();
    for &byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => url.push(byte.into()),
            _ => url.push_str(&format!("%{byte:02X}")),
        }
    }
    url
}

/// Opens a file, made if need be for its owner only.
pub(super) async fn connect(url: &str) -> Result<Pools> {
    install_default_drivers();
    let parsed = Url::parse(url).map_err(misconfigured)?;
    let options = SqliteConnectOptions::from_url(&parsed).map_err(misconfigured)?;
    if url.contains(":memory:") || url.contains("mode=memory") {
        // Every connection to a database in memory would be another database, gone with it.
        let only = open(url, 1, None).await?;
        return Ok(Pools {
            readers: only.clone(),
            writers: only,
        });
    }
    if !url.contains("mode=ro") {
        make_file(options.get_filename())?;
    }
    let writers = open(url, 1, None).await?;
    write_ahead(&writers).await?;
    Ok(Pools {
        readers: open(url, READERS, Some(Duration::from_secs(600))).await?,
        writers,
    })
}

async fn open(url: &str, connections: u32, idle: Option<Duration>) -> Result<AnyPool> {
    let options = AnyPoolOptions::new()
        .max_connections(connections)
        .min_connections(1)
        .idle_timeout(idle)
        .max_lifetime(None)
        .test_before_acquire(false)
        .after_connect(|connection, _| {
            Box::pin(async move {
                // FULL: what was committed is on disk, not only with the kernel.
                let set_up =
                    "PRAGMA busy_timeout = 5000; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;";
                sqlx::raw_sql(set_up).execute(connection).await.map(|_| ())
            })
        });
    let opened = options.connect(url).await;
    opened.map_err(|error| unavailable(Dialect::Sqlite, error).at("store", "connect"))
}

/// Makes readers and the writer not wait for each other. This stays with the file; changing it needs
/// the file alone, for which SQLite does not wait by itself.
async fn write_ahead(pool: &AnyPool) -> Result<()> {
    let begun = Instant::now();
    loop {
        match sqlx::query("PRAGMA journal_mode = WAL").fetch_one(pool).await {
            Ok(row) => {
                let mode = row.try_get::<String, _>(0).unwrap_or_default();
                if mode != "wal" && mode != "memory" {
                    tracing::warn!(
                        mode,
                        "this file system has no shared memory: readers and writers of the database wait for each other"
                    );
                }
                return Ok(());
            }
            Err(sqlx::Error::Database(error))
                if Dialect::Sqlite.is_contention(error.as_ref()) && begun.elapsed() < PATIENCE =>
            {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Err(error) => return Err(unavailable(Dialect::Sqlite, error).at("store", "connect")),
        }
    }
}

fn make_file(path: &Path) -> Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == IoErrorKind::AlreadyExists => {
            warn_if_others_can_read(path);
            Ok(())
        }
        Err(error) => Err(
            Error::new(ErrorKind::Configuration, "the database file cannot be made")
                .at("store", "connect")
                .with_source(error),
        ),
    }
}

#[cfg(unix)]
fn warn_if_others_can_read(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    if std::fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o077 != 0) {
        tracing::warn!(path = %path.display(), "others than its owner can read or write the database file");
    }
}

#[cfg(not(unix))]
fn warn_if_others_can_read(_: &Path) {}

fn misconfigured(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(ErrorKind::Configuration, "the database URL is not acceptable")
        .at("store", "connect")
        .with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_path_has_a_url() {
        for path in [
            "/tmp/a b?mode=ro#x%41.db",
            "relative.db",
            "/tmp/ü:memory:.db",
            "//x//y",
        ] {
            let url = Url::parse(&url_of(Path::new(path))).unwrap();
            let options = SqliteConnectOptions::from_url(&url).unwrap();
            assert_eq!(
                options.get_filename().to_str().unwrap().trim_start_matches('/'),
                path.trim_start_matches('/')
            );
        }
    }
}
