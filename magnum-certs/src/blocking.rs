//! Cryptography away from the threads that serve requests.

use magnum_core::{Error, Result};

/// Runs `work` on a thread that may block, within the caller's span.
pub(crate) async fn blocking<T: Send + 'static>(
    operation: &'static str,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let span = tracing::Span::current();
    tokio::task::spawn_blocking(move || span.in_scope(work))
        .await
        .unwrap_or_else(|ended| {
            let reason = if ended.is_panic() {
                "it panicked"
            } else {
                "the runtime is shutting down"
            };
            Err(Error::internal(format!("the work was not finished: {reason}")))
        })
        .map_err(|error| error.at("certs", operation))
}

/// A failure of OpenSSL that no input should cause.
pub(crate) fn openssl_fault(what: &'static str) -> impl FnOnce(openssl::error::ErrorStack) -> Error {
    move |stack| Error::internal(format!("OpenSSL could not {what}")).with_source(stack)
}
