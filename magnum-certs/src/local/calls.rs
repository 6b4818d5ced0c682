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
    use std::fmt;
    use std::io;
    use std::sync::Mutex;

    /// Lets so many calls succeed, and remembers all of them.
    #[derive(Debug)]
    pub(in crate::local) struct Limit {
        pub(in crate::local) made: Mutex<Vec<&'static str>>,
        pub(in crate::local) succeed: usize,
        pub(in crate::local) then: Then,
    }

    /// What happens after the calls that succeed.
    pub(in crate::local) enum Then {
        /// All others fail.
        Fail,
        /// All others fail, but the first has its effect.
        LoseAnswer,
        /// This happens, once, and then they succeed as well.
        Run(Mutex<Option<Box<dyn FnOnce() + Send>>>),
    }

    impl fmt::Debug for Then {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Then")
        }
    }

    impl Limit {
        pub(in crate::local) fn new(succeed: usize, then: Then) -> Self {
            Self {
                made: Mutex::default(),
                succeed,
                then,
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
            match &self.then {
                Then::Run(other) => {
                    if let Some(run) = other.lock().unwrap().take() {
                        run();
                    }
                    return call();
                }
                Then::LoseAnswer if before == self.succeed => drop(call()),
                Then::LoseAnswer | Then::Fail => {}
            }
            Err(io::Error::other("the test ends here"))
        }
    }
}
