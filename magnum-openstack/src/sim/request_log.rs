//! What was asked of the cloud, so that a sweep can break each call in turn.

use http::Method;

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestRecord {
    /// Its place in the log, from 0; what [`At::Call`](super::At::Call) means.
    pub index: u64,
    /// HTTP method.
    pub method: Method,
    /// The path as it was called.
    pub path: String,
    /// The path with names in place of identifiers; for a request that a fault kept from the services, with
    /// `{id}` for what looks like one.
    pub template: String,
    /// Who asked: `user`, or `user via trust` — empty for a request without a valid token.
    pub identity: String,
    /// Status of the answer; `None` while it is under way, or if it never was one.
    pub status: Option<u16>,
}

/// The requests so far.
#[derive(Debug, Default)]
pub(crate) struct RequestLog {
    records: Vec<RequestRecord>,
}

impl RequestLog {
    /// Notes a request; returns its index.
    pub(crate) fn begin(&mut self, method: Method, path: &str, identity: String) -> u64 {
        let index = self.count();
        let template = guess_template(path);
        self.records.push(RequestRecord {
            index,
            method,
            path: path.to_owned(),
            template,
            identity,
            status: None,
        });
        index
    }

    pub(crate) fn end(&mut self, index: u64, template: Option<String>, status: Option<u16>) {
        let record = usize::try_from(index)
            .ok()
            .and_then(|index| self.records.get_mut(index));
        if let Some(record) = record {
            record.status = status;
            if let Some(template) = template {
                record.template = template;
            }
        }
    }

    pub(crate) fn records(&self) -> Vec<RequestRecord> {
        self.records.clone()
    }

    pub(crate) fn count(&self) -> u64 {
        self.records.len() as u64
    }

    pub(crate) fn clear(&mut self) {
        self.records.clear();
    }
}

fn guess_template(path: &str) -> String {
    let is_id = |segment: &str| {
        segment.len() >= 32
            && segment
                .bytes()
                .all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
    };
    path.split('/')
        .map(|segment| if is_id(segment) { "{id}" } else { segment })
        .collect::<Vec<_>>()
        .join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_told_from_names() {
        let path = "/networking/v2.0/ports/0c1b2a3f-0000-4000-8000-000000000000";
        assert_eq!(guess_template(path), "/networking/v2.0/ports/{id}");
        assert_eq!(
            guess_template("/identity/v3/auth/tokens"),
            "/identity/v3/auth/tokens"
        );
    }
}
