//! The grammar of discovery URLs: one for the service, for what discoveries give, and for every driver.

use url::Url;

use crate::Problem;

/// What a discovery URL has that cannot be written into a script, or nothing.
///
/// Drivers write it into the scripts of their servers, so it consists of characters that mean nothing there.
///
/// ```
/// use magnum_core::discovery_url_problem;
/// assert_eq!(discovery_url_problem("https://discovery.etcd.io/d4f1"), None);
/// assert_eq!(discovery_url_problem("https://$(id)/").unwrap().field, "discovery_url");
/// ```
#[must_use]
pub fn discovery_url_problem(value: &str) -> Option<Problem> {
    let rest = value
        .strip_prefix("http://")
        .or_else(|| value.strip_prefix("https://"));
    let plain = |c: char| c.is_ascii_alphanumeric() || "._~:/[]?=&%-".contains(c);
    let fits = value.len() <= 255 && rest.is_some_and(|rest| !rest.is_empty() && rest.chars().all(plain));
    (!fits).then(|| {
        let message =
            "must be http:// or https:// and letters, digits and . _ ~ : / [ ] ? = & % -, at most 255 in all";
        Problem::new("discovery_url", value, message)
    })
}

/// A discovery URL that can be written into a script and that all readers of URLs read alike.
pub(crate) fn discovery_url(value: &str) -> Result<Url, Problem> {
    if let Some(problem) = discovery_url_problem(value) {
        return Err(problem);
    }
    // A third slash is nothing to some readers, and an empty host to others.
    let empty = value.starts_with("http:///") || value.starts_with("https:///");
    match Url::parse(value) {
        Ok(url) if !empty && url.host().is_some() => Ok(url),
        _ => Err(Problem::new("discovery_url", value, "must be a URL with a host")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_script_or_a_reader_of_urls_could_misread_is_refused() {
        for good in [
            "http://a",
            "https://discovery.etcd.io/3e86b59982e49066c5d813af1c2e2579cbf573de",
            "http://10.0.0.1:2379/v2/keys/x",
            "https://[2001:db8::1]:8087/x?y=[1]&z=%20~a-b",
        ] {
            discovery_url(good).unwrap();
        }
        let long = format!("http://{}", "a".repeat(249));
        for bad in [
            "",
            "http://",
            "HTTP://a",
            "ftp://a",
            "//a",
            "http:a",
            "http://a b",
            "http://user@a/",
            "http://a/$(id)",
            "http://a/'",
            "http://a/\"",
            "http://a/`id`",
            "http://a/;b",
            "http://a/\n",
            "http://a\\b",
            "http://a/#b",
            "http://ä/",
            &long,
        ] {
            assert!(discovery_url_problem(bad).is_some(), "{bad:?}");
            assert_eq!(discovery_url(bad).unwrap_err().field, "discovery_url");
        }
        for bad in [
            "http:///a",
            "http://:80/",
            "http://[",
            "http://a:b:c/",
            "http://??",
            "http://a%00b/",
        ] {
            assert_eq!(discovery_url_problem(bad), None, "{bad:?}");
            assert_eq!(
                discovery_url(bad).unwrap_err().message,
                "must be a URL with a host",
                "{bad:?}"
            );
        }
    }
}
