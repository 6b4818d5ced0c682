//! What is done to the files of the directory, all of it by the directory that was looked at and not by its path.

use std::fs::{File, Metadata};
use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;

use magnum_core::{Error, ErrorKind, Result, shown};
use rustix::fs::{AtFlags, Dir, Mode, OFlags};
use rustix::io::Errno;
use zeroize::Zeroizing;

use super::LONGEST;
use super::calls::Calls;

/// The content of a file, wiped when dropped.
pub(super) type Content = Zeroizing<Vec<u8>>;

/// The files of a directory that nobody else may use.
#[derive(Debug)]
pub(super) struct Files {
    directory: File,
    calls: Calls,
}

impl Files {
    pub(super) fn new(directory: File, calls: Calls) -> Self {
        Self { directory, calls }
    }

    /// The names of all files. Names that are no text are nobody's here.
    pub(super) fn list(&self) -> Result<Vec<String>> {
        self.calls.make("list the files", || {
            let mut names = Vec::new();
            for entry in Dir::read_from(&self.directory)? {
                if let Ok(name) = entry?.file_name().to_str() {
                    names.push(name.to_owned());
                }
            }
            Ok(names)
        })
    }

    /// Makes a file that must not be there, with its content on the disk.
    pub(super) fn create(&self, name: &str, content: &[u8]) -> Result<()> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        let mut file = self.calls.make("make a file", || {
            Ok(File::from(rustix::fs::openat(
                &self.directory,
                name,
                flags,
                mode,
            )?))
        })?;
        self.calls.make("write a file", || file.write_all(content))?;
        self.calls.make("flush a file", || file.sync_all())
    }

    /// The content of a file, or `None` when it is not there.
    ///
    /// # Errors
    /// `Configuration` when it is not a file that this user alone may use, or longer than any that is written.
    pub(super) fn read(&self, name: &str) -> Result<Option<Content>> {
        // Opening a pipe would wait without NONBLOCK.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let opened = self.calls.make("open a file", || {
            match rustix::fs::openat(&self.directory, name, flags, Mode::empty()) {
                Ok(file) => Ok(Ok(File::from(file))),
                Err(errno @ (Errno::NOENT | Errno::LOOP)) => Ok(Err(errno)),
                Err(errno) => Err(errno.into()),
            }
        })?;
        let file = match opened {
            Ok(file) => file,
            Err(Errno::NOENT) => return Ok(None),
            Err(_) => return Err(unfit(name, "is a symbolic link")),
        };
        let metadata = self.calls.make("look at a file", || file.metadata())?;
        if let Some(why) = fault(&metadata) {
            return Err(unfit(name, why));
        }
        // One allocation, so that nothing is left behind by one that was too small.
        let mut content = Zeroizing::new(Vec::with_capacity(LONGEST + 1));
        let limit = LONGEST as u64 + 1;
        self.calls
            .make("read a file", || file.take(limit).read_to_end(&mut content))?;
        if content.len() > LONGEST {
            return Err(unfit(name, "is longer than 64 KiB"));
        }
        Ok(Some(content))
    }

    /// Gives a file another name, in one step.
    pub(super) fn rename(&self, from: &str, to: &str) -> Result<()> {
        self.calls.make("rename a file", || {
            Ok(rustix::fs::renameat(&self.directory, from, &self.directory, to)?)
        })
    }

    /// Removes a file, or the link in its place; that it is not there is what is wanted.
    pub(super) fn remove(&self, name: &str) -> Result<()> {
        self.calls.make("remove a file", || {
            match rustix::fs::unlinkat(&self.directory, name, AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => Ok(()),
                Err(errno) => Err(errno.into()),
            }
        })
    }

    /// Returns when the directory is on the disk as it is now.
    pub(super) fn flush(&self) -> Result<()> {
        self.calls
            .make("flush the directory", || self.directory.sync_all())
    }
}

/// What makes a file unfit, as the rest of a sentence about it.
fn fault(file: &Metadata) -> Option<&'static str> {
    if !file.is_file() {
        Some("is no file")
    } else if file.uid() != rustix::process::geteuid().as_raw() {
        Some("belongs to another user")
    } else if file.mode() & 0o077 != 0 {
        Some("can be used by its group or by others")
    } else if file.len() > LONGEST as u64 {
        Some("is longer than 64 KiB")
    } else {
        None
    }
}

fn unfit(name: &str, why: &str) -> Error {
    let name = shown(name);
    Error::new(
        ErrorKind::Configuration,
        format!(
            "{name} among the certificates {why}; files of this process' own user, of mode 0600 and at most 64 KiB are allowed"
        ),
    )
}
