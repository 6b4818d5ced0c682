//! The directory of a client configuration: files appear in it whole, for their owner only, and no link is followed.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File};
use std::io::{Error as IoError, ErrorKind as IoErrorKind, Write as _};
use std::path::{Component, Path, PathBuf};

use magnum_core::{Error, ErrorKind, Result, Secret};
use tempfile::NamedTempFile;

/// A directory that is there. Dropped, it removes what was made for it, unless something was written.
#[derive(Debug)]
pub(super) struct Directory {
    text: String,
    /// The directories that were not there before, outermost first.
    made: Vec<PathBuf>,
}

impl Directory {
    /// Makes what is missing of it.
    pub(super) fn open(wanted: &Path) -> Result<Self> {
        if wanted.to_str().is_none() {
            return Err(not_text(wanted));
        }
        let failed = |error: IoError| unusable(wanted, &error.to_string());
        let mut directory = Self {
            text: String::new(),
            made: Vec::new(),
        };
        let is_missing = |path: &&Path| {
            let found = fs::symlink_metadata(path);
            !path.as_os_str().is_empty() && found.is_err_and(|error| error.kind() == IoErrorKind::NotFound)
        };
        let missing: Vec<&Path> = wanted.ancestors().take_while(is_missing).collect();
        for path in missing.into_iter().rev() {
            directory.make(path).map_err(failed)?;
        }
        let path = fs::canonicalize(wanted).map_err(failed)?;
        check_access(&path, !directory.made.is_empty())?;
        path.to_str()
            .ok_or_else(|| not_text(&path))?
            .clone_into(&mut directory.text);
        Ok(directory)
    }

    fn make(&mut self, path: &Path) -> std::io::Result<()> {
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        match builder.create(path) {
            // Somebody else was faster, or it is `a/..`.
            Err(error) if error.kind() == IoErrorKind::AlreadyExists && path.is_dir() => Ok(()),
            made => made.map(|()| self.made.push(path.to_owned())),
        }
    }

    /// Its absolute path.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    fn path(&self) -> &Path {
        Path::new(&self.text)
    }

    /// Refuses names that cannot be written: of what is there, without `force`; of directories in any case.
    pub(super) fn check<'a>(&self, names: impl Iterator<Item = &'a String>, force: bool) -> Result<()> {
        for name in names {
            let mut components = Path::new(name).components();
            if components.next() != Some(Component::Normal(name.as_ref())) || components.next().is_some() {
                let message = format!(
                    "the driver's client configuration has a file '{}'",
                    name.escape_debug()
                );
                return Err(Error::new(ErrorKind::Internal, message));
            }
            let path = self.path().join(name);
            // Of the link itself, wherever it leads.
            match fs::symlink_metadata(&path) {
                Err(error) if error.kind() == IoErrorKind::NotFound => {}
                Err(error) => return Err(unusable(&path, &error.to_string())),
                Ok(found) if found.is_dir() => {
                    let message = format!("{} is a directory, and a file is to be there", said(&path));
                    return Err(Error::new(ErrorKind::Conflict, message));
                }
                Ok(_) if !force => return Err(exists(&path)),
                Ok(_) => {}
            }
        }
        Ok(())
    }

    /// Writes files that were checked; all are on the disk before the first gets its name.
    pub(super) fn write(&self, files: &BTreeMap<String, Secret>, force: bool) -> Result<Vec<PathBuf>> {
        let mut aside = Vec::new();
        for (name, content) in files {
            let path = self.path().join(name);
            let file = self
                .write_aside(content)
                .map_err(|error| unusable(&path, &error.to_string()))?;
            aside.push((file, path));
        }
        let mut placed = Vec::new();
        for (file, path) in aside {
            let persisted = if force {
                file.persist(&path)
            } else {
                file.persist_noclobber(&path)
            };
            if let Err(error) = persisted {
                return Err(failed_at(&path, &error.error, &placed, force));
            }
            placed.push(path);
        }
        if let Err(error) = self.sync() {
            return Err(failed_at(self.path(), &error, &placed, force));
        }
        Ok(placed)
    }

    /// With mode 0600.
    fn write_aside(&self, content: &Secret) -> std::io::Result<NamedTempFile> {
        let mut file = tempfile::Builder::new()
            .prefix(".cluster-config-")
            .tempfile_in(self.path())?;
        file.write_all(content.expose().as_bytes())?;
        file.as_file().sync_all()?;
        Ok(file)
    }

    /// Names are on the disk when their directory is.
    fn sync(&self) -> std::io::Result<()> {
        if cfg!(unix) {
            File::open(self.path())?.sync_all()?;
            for made in &self.made {
                let beside = made.parent().filter(|parent| !parent.as_os_str().is_empty());
                File::open(beside.unwrap_or(Path::new(".")))?.sync_all()?;
            }
        }
        Ok(())
    }

    /// Leaves it as it is now; its path.
    pub(super) fn keep(mut self) -> PathBuf {
        self.made.clear();
        PathBuf::from(std::mem::take(&mut self.text))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        for made in self.made.iter().rev() {
            // What somebody else uses by now is not empty, and stays.
            let _ = fs::remove_dir(made);
        }
    }
}

/// Takes away what was placed where nothing was before; with `force` there is nothing to go back to.
fn failed_at(path: &Path, error: &IoError, placed: &[PathBuf], force: bool) -> Error {
    if force {
        let names = placed.iter().map(|path| said(path)).collect::<Vec<_>>();
        let new = match &names[..] {
            [] => String::new(),
            names => format!("; {} replaced already: repeat it with force", names.join(", ")),
        };
        return unusable(path, &format!("{error}{new}"));
    }
    for path in placed {
        let _ = fs::remove_file(path);
    }
    if error.kind() == IoErrorKind::AlreadyExists {
        return exists(path);
    }
    unusable(path, &error.to_string())
}

/// Whether others could put files of theirs in place of those that are to be written.
#[cfg(unix)]
fn check_access(path: &Path, made: bool) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let found = fs::metadata(path).map_err(|error| unusable(path, &error.to_string()))?;
    if !found.is_dir() {
        return Err(unusable(path, "it is not a directory"));
    }
    let mode = found.permissions().mode();
    let sticky = mode & 0o1000 != 0;
    if mode & 0o002 != 0 && !sticky {
        return Err(unusable(path, "everybody may write into it; chmod o-w"));
    }
    if mode & 0o020 != 0 && !sticky && !made {
        let directory = said(path);
        tracing::warn!(
            directory,
            "the directory's group may replace the client configuration"
        );
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_access(path: &Path, _made: bool) -> Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    Err(unusable(path, "it is not a directory"))
}

/// A path in one line.
fn said(path: &Path) -> String {
    path.display().to_string().escape_debug().to_string()
}

fn exists(path: &Path) -> Error {
    let message = format!("{} exists; say force to overwrite it", said(path));
    Error::new(ErrorKind::Conflict, message)
}

fn unusable(path: &Path, why: &str) -> Error {
    let message = format!("{} cannot be written: {why}", said(path));
    Error::new(ErrorKind::Configuration, message)
}

fn not_text(path: &Path) -> Error {
    let why = "its path is not UTF-8, and environment variables have to name it";
    Error::field("directory", said(path), why)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    fn files() -> BTreeMap<String, Secret> {
        ["ca.pem", "cert.pem", "key.pem"]
            .map(|name| (name.to_owned(), Secret::new(format!("new {name}"))))
            .into()
    }

    /// Names and, of files, contents.
    fn listing(directory: &Path) -> Vec<(String, Option<String>)> {
        let mut found: Vec<_> = fs::read_dir(directory)
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let name = entry.file_name().into_string().unwrap();
                (name, fs::read_to_string(entry.path()).ok())
            })
            .collect();
        found.sort();
        found
    }

    #[test]
    fn who_comes_between_check_and_write_keeps_their_file_and_finds_none_of_ours() {
        let here = tempfile::tempdir().unwrap();
        for name in files().keys() {
            let directory = Directory::open(here.path()).unwrap();
            directory.check(files().keys(), false).unwrap();
            fs::write(here.path().join(name), "theirs").unwrap();
            let error = directory.write(&files(), false).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Conflict);
            assert!(error.to_string().contains(&format!("{name} exists")), "{error}");
            assert_eq!(listing(here.path()), [(name.clone(), Some("theirs".to_owned()))]);
            fs::remove_file(here.path().join(name)).unwrap();
        }
    }

    #[test]
    fn a_forced_write_that_stops_half_way_says_so_and_the_next_one_mends() {
        let here = tempfile::tempdir().unwrap();
        for name in files().keys() {
            fs::write(here.path().join(name), "old").unwrap();
        }
        let directory = Directory::open(here.path()).unwrap();
        directory.check(files().keys(), true).unwrap();
        fs::remove_file(here.path().join("cert.pem")).unwrap();
        fs::create_dir(here.path().join("cert.pem")).unwrap();
        let error = directory.write(&files(), true).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        let text = error.to_string();
        assert!(
            text.contains("cert.pem cannot be written") && text.contains("ca.pem replaced already: repeat"),
            "{text}"
        );
        let found = |name: &str, content: Option<&str>| (name.to_owned(), content.map(str::to_owned));
        assert_eq!(
            listing(here.path()),
            [
                found("ca.pem", Some("new ca.pem")),
                found("cert.pem", None),
                found("key.pem", Some("old"))
            ]
        );
        fs::remove_dir(here.path().join("cert.pem")).unwrap();
        directory.write(&files(), true).unwrap();
        assert_eq!(
            listing(here.path()),
            ["ca.pem", "cert.pem", "key.pem"].map(|name| found(name, Some(&format!("new {name}"))))
        );
    }

    #[test]
    fn a_drivers_file_stays_in_the_directory() {
        let here = tempfile::tempdir().unwrap();
        let directory = Directory::open(here.path()).unwrap();
        for name in ["", ".", "..", "../key.pem", "/etc/passwd", "a/b", "a/"] {
            let error = directory.check([name.to_owned()].iter(), true).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Internal, "{name}");
        }
        directory.check([".kube".to_owned()].iter(), true).unwrap();
    }

    #[test]
    fn what_was_made_for_nothing_goes_again_and_what_was_there_stays() {
        let home = tempfile::tempdir().unwrap();
        let wanted = home.path().join("there/made/too");
        fs::create_dir(home.path().join("there")).unwrap();
        drop(Directory::open(&wanted).unwrap());
        assert_eq!(listing(home.path()), [("there".to_owned(), None)]);
        assert_eq!(listing(&home.path().join("there")), []);

        let kept = Directory::open(&wanted).unwrap().keep();
        assert_eq!(kept, wanted.canonicalize().unwrap());
    }

    #[test]
    fn a_way_back_through_a_directory_that_is_to_be_made_is_a_way() {
        let home = tempfile::tempdir().unwrap();
        let directory = Directory::open(&home.path().join("a/../b")).unwrap();
        let made = home.path().canonicalize().unwrap().join("b");
        assert_eq!(directory.keep(), made);
    }
}
