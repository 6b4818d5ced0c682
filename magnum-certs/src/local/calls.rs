//! The one place through which the file system is called, so that tests can stop there.

use std::io;

use magnum_core::{Error, ErrorKind, Result};

/// How calls of the file system are made: at once, but in tests only so many.
#[derive(Clone, Debug, Default)]
pub(super) struct Calls {
    #[cfg(test)]
    pub(super) limit: Option<std::sync::Arc<limit::Limit>>,
}

impl Calls {
    /// Makes a call that does `what`.
    ///
    /// # Errors
    /// `Unavailable` with the file system's own error.
    pub(super) fn make<T>(&self, what: &'static str, call: impl FnOnce() -> io::Result<T>) -> Result<T> {
        #[cfg(test)]
        let call = || match &self.limit {
            Some(limit) => limit.pass(what, call),
            None => call(),
        };
        call().map_err(|error| {
            let message = format!("the file system of the certificates could not {what}");
            Error::new(ErrorKind::Unavailable, message).with_source(error)
        })
    }
}

#[cfg(test)]
pub(super) mod limit {
    use std::io;
    use std::sync::Mutex;

    /// Lets some calls succeed and no other, and remembers them.
    #[derive(Debug)]
    pub(in crate::local) struct Limit {
        pub(in crate::local) made: Mutex<Vec<&'static str>>,
        succeed: usize,
        /// Whether the first that fails has its effect.
        lost_answer: bool,
    }

    impl Limit {
        pub(in crate::local) fn new(succeed: usize, lost_answer: bool) -> Self {
            Self {
                made: Mutex::default(),
                succeed,
                lost_answer,
            }
        }

        pub(super) fn pass<T>(
            &self,
            what: &'static str,
            call: impl FnOnce() -> io::Result<T>,
        ) -> io::Result<T> {
            let mut made = self.made.lock().unwrap();
            let before = made.len();
            made.push(what);
            if before < self.succeed {
                return call();
            }
            if before == self.succeed && self.lost_answer {
                let _ = call();
            }
            Err(io::Error::other("the test ends here"))
        }
    }
}
