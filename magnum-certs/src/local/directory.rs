//! The directory of the `local` store: that it is this user's alone.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use magnum_core::{Error, ErrorKind, Result};
use rustix::fs::{CWD, Mode, OFlags};

use super::calls::Calls;
use super::files::Files;

const ROOT: u32 = 0;

/// A directory, by its path without symbolic links.
#[derive(Clone, Debug)]
pub(super) struct Directory {
    path: PathBuf,
    pub(super) calls: Calls,
}

impl Directory {
    /// Makes the directory where it is missing, and looks whether it is fit.
    ///
    /// # Errors
    /// `Configuration` when it is not; the message names the path, what is wrong and what is allowed.
    pub(super) fn prepared(path: &Path) -> Result<Self> {
        let (true, Some(parent), Some(name)) = (path.is_absolute(), path.parent(), path.file_name()) else {
            return Err(refused(
                path,
                "is no absolute path to a directory",
                "one is needed",
            ));
        };
        let parent = fs::canonicalize(parent).map_err(|error| {
            beyond_reach(parent, &error, "the directory that it is to be in must be there")
        })?;
        let path = parent.join(name);
        look_above(&path)?;
        match DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => File::open(&parent)
                .and_then(|parent| parent.sync_all())
                .map_err(|error| {
                    beyond_reach(&parent, &error, "this user must be able to make a directory")
                })?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => {
                return Err(beyond_reach(&path, &error, "this user must be able to make it"));
            }
        }
        let directory = Self {
            path,
            calls: Calls::default(),
        };
        directory.enter()?;
        Ok(directory)
    }

    /// Opens the directory after a look at it and at those above it.
    ///
    /// # Errors
    /// `Configuration` when it is not fit, in the words of [`prepared`](Self::prepared).
    pub(super) fn enter(&self) -> Result<Files> {
        let path = self.path.as_path();
        look_above(path)?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = self.calls.make("open the directory", || {
            Ok(rustix::fs::openat(CWD, path, flags, Mode::empty()).map(File::from))
        })?;
        let handle = opened.map_err(|errno| {
            let what = match fs::symlink_metadata(path) {
                Ok(there) if there.is_symlink() => "is a symbolic link",
                Ok(there) if !there.is_dir() => "is no directory",
                _ => return beyond_reach(path, &errno.into(), "a directory is needed"),
            };
            refused(path, what, "a directory is needed")
        })?;
        let metadata = self.calls.make("look at the directory", || handle.metadata())?;
        let user = rustix::process::geteuid().as_raw();
        if metadata.uid() != user {
            let what = format!("belongs to user {}", metadata.uid());
            let allowed = format!("it must belong to user {user}, whose process this is");
            return Err(refused(path, &what, &allowed));
        }
        if metadata.mode() & 0o077 != 0 {
            let what = format!("has mode {:04o}", metadata.mode() & 0o7777);
            return Err(refused(
                path,
                &what,
                "0700 is allowed: nothing for group and others",
            ));
        }
        Ok(Files::new(handle, self.calls.clone()))
    }
}

/// Whoever can rename a directory above can put another one in this one's place.
fn look_above(path: &Path) -> Result<()> {
    let user = rustix::process::geteuid().as_raw();
    for above in path.ancestors().skip(1) {
        let metadata = fs::symlink_metadata(above)
            .map_err(|error| beyond_reach(above, &error, "this user must be able to look at it"))?;
        let (owner, mode) = (metadata.uid(), metadata.mode());
        let at = || format!("is in {}, which", above.display());
        if owner != user && owner != ROOT {
            let what = format!("{} belongs to user {owner}", at());
            let allowed = format!("root and user {user}, whose process this is, are allowed");
            return Err(refused(path, &what, &allowed));
        }
        if mode & 0o022 != 0 && mode & 0o1000 == 0 {
            let what = format!("{} others can write: it has mode {:04o}", at(), mode & 0o7777);
            return Err(refused(
                path,
                &what,
                "only its owner may write there, or it must be sticky",
            ));
        }
    }
    Ok(())
}

fn beyond_reach(path: &Path, error: &io::Error, allowed: &str) -> Error {
    refused(path, &format!("cannot be used: {error}"), allowed)
}

fn refused(path: &Path, what: &str, allowed: &str) -> Error {
    Error::new(
        ErrorKind::Configuration,
        format!(
            "the directory of certificates {} {what}; {allowed}",
            path.display()
        ),
    )
}
