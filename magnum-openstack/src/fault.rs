//! What a service's refusal means: the one place where an HTTP status becomes an [`ErrorKind`].

use http::StatusCode;
use magnum_core::{Error, ErrorKind, Retry, Secret};
use serde_json::Value;

use crate::{Answer, Call};

/// Longest message kept, in characters.
const LIMIT: usize = 400;

/// The error that an answer stands for. `token` and the call's own secrets are cut out of the message.
pub(crate) fn error(call: &Call, answer: &Answer, token: Option<&str>) -> Error {
    let said = Said::read(&answer.body);
    let status = answer.status.as_u16();
    let kind = kind(status, &said, answer);
    let secrets = call.secrets.iter().map(Secret::expose).chain(token);
    let message = message(call, status, kind, &said, secrets);
    let mut error = Error::new(kind, message)
        .at(call.service.name(), call.operation)
        .with_request_id(answer.request_id())
        .with_source(Status(answer.status));
    if call.repeatable && error.retry() == Retry::Unknown {
        error = error.with_retry(Retry::Later);
    }
    error
}

/// The cause in a chain of errors.
#[derive(Debug, thiserror::Error)]
#[error("HTTP status {0}")]
struct Status(StatusCode);

/// What the body says.
#[derive(Debug, Default, PartialEq, Eq)]
struct Said {
    /// The sentence.
    message: Option<String>,
    /// The service's own word for the error: Heat's and Neutron's `type`.
    word: Option<String>,
    /// Whether the body is of a form that OpenStack services answer with.
    json: bool,
}

impl Said {
    fn read(body: &[u8]) -> Self {
        let Ok(Value::Object(top)) = serde_json::from_slice::<Value>(body) else {
            return Self::default();
        };
        // Keystone and Heat: {"error": {..}}; Neutron: {"NeutronError": {..}}; Nova: {"itemNotFound": {..}};
        // Barbican and Glance: the fields at the top. Heat adds `explanation` at the top.
        let inner = top
            .get("error")
            .or_else(|| top.get("NeutronError"))
            .or_else(|| top.values().find(|value| value.get("message").is_some()));
        let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        let outer = Value::Object(top.clone());
        let places = [
            inner.and_then(|inner| text(inner, "message")),
            inner.and_then(Value::as_str).map(str::to_owned),
            text(&outer, "message"),
            text(&outer, "description"),
            text(&outer, "explanation"),
            text(&outer, "faultstring"),
            text(&outer, "title"),
        ];
        Self {
            message: places.into_iter().flatten().find(|text| !text.trim().is_empty()),
            word: inner.and_then(|inner| text(inner, "type")),
            json: true,
        }
    }

    fn quota(&self) -> bool {
        let word = self.word.as_deref().unwrap_or_default();
        if word == "OverQuota" || word == "StackResourceLimitExceeded" {
            return true;
        }
        let text = self.message.as_deref().unwrap_or_default().to_lowercase();
        // Barbican: "Creation not allowed because a quota has been reached".
        let spent = ["exceed", "limit", "reached"]
            .iter()
            .any(|word| text.contains(word));
        (text.contains("quota") && spent)
            || text.contains("maximum stacks per tenant")
            || text.contains("maximum resources per stack")
    }
}

fn kind(status: u16, said: &Said, answer: &Answer) -> ErrorKind {
    match status {
        400 | 403 | 409 | 413 if said.quota() => ErrorKind::Quota,
        401 => ErrorKind::Unauthorized,
        403 => ErrorKind::Forbidden,
        404 if of_the_service(said, answer) => ErrorKind::NotFound,
        // Something before the service answered: nothing is known about what was asked for.
        404 => ErrorKind::Unavailable,
        410 => ErrorKind::NotFound,
        409 if said.word.as_deref() == Some("ActionInProgress") => ErrorKind::Busy,
        // Heat: the stack is being deleted.
        400 if said.word.as_deref() == Some("NotSupported") => ErrorKind::Conflict,
        409 | 412 => ErrorKind::Conflict,
        429 => ErrorKind::RateLimited,
        413 if answer.header("retry-after").is_some() => ErrorKind::RateLimited,
        405 | 406 | 501 => ErrorKind::Unsupported,
        408 => ErrorKind::Timeout,
        400..=499 => ErrorKind::InvalidInput,
        300..=399 => ErrorKind::Configuration,
        _ => ErrorKind::Unavailable,
    }
}

/// Whether a 404 is about the thing asked for, and not about a path that nobody serves.
fn of_the_service(said: &Said, answer: &Answer) -> bool {
    // Heat names its type HTTPNotFound where no route matched.
    said.word.as_deref() != Some("HTTPNotFound") && (said.json || answer.request_id().is_some())
}

fn message<'a>(
    call: &Call,
    status: u16,
    kind: ErrorKind,
    said: &Said,
    secrets: impl Iterator<Item = &'a str>,
) -> String {
    let title = call.service.title();
    match (status, kind, &said.message) {
        (404, ErrorKind::Unavailable, _) => {
            format!(
                "what answered {} is not {title}: is its endpoint in the catalog right?",
                call.operation
            )
        }
        (_, _, Some(text)) => format!("{title}: {}", one_line(text, secrets)),
        (401, _, None) => format!("{title} refused the credentials"),
        (_, _, None) => format!("{title} answered {} with status {status}", call.operation),
    }
}

/// A service's text as one line without markup, secrets, control characters and URL queries.
pub(crate) fn one_line<'a>(text: &str, secrets: impl Iterator<Item = &'a str>) -> String {
    let mut text = text.to_owned();
    for secret in secrets.filter(|secret| secret.len() >= 4) {
        text = text.replace(secret, "[secret]");
    }
    let words: Vec<String> = without_markup(&text)
        .split_whitespace()
        .map(without_query)
        .collect();
    let line = words.join(" ");
    let mut out: String = line
        .chars()
        .take(LIMIT)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    if line.chars().count() > LIMIT {
        out.push('…');
    }
    out
}

/// Drops the tags that web frameworks put into explanations.
fn without_markup(text: &str) -> String {
    ["<br />", "<br/>", "<br>", "<p>", "</p>"]
        .iter()
        .fold(text.to_owned(), |text, tag| text.replace(tag, " "))
}

/// Drops the query of a URL; signed ones carry their signature there.
fn without_query(word: &str) -> String {
    match (word.find("://"), word.find('?')) {
        (Some(scheme), Some(query)) if scheme < query => format!("{}?…", &word[..query]),
        _ => word.to_owned(),
    }
}

#[cfg(test)]
mod tests;
