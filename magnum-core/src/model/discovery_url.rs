//! The grammar of discovery URLs: one for the service, for what discoveries give, and for every driver.

use url::Url;

use crate::Problem;

/// What is wrong with the URL of an etcd discovery, or nothing.
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
    const MESSAGE: &str = "must be http:// or https://, a host, and letters, digits and . _ ~ : / [ ] ? = & % -, \
                           at most 255 in all";
    (!is_discovery_url(value)).then(|| Problem::new("discovery_url", value, MESSAGE))
}

fn is_discovery_url(value: &str) -> bool {
    let rest = value
        .strip_prefix("http://")
        .or_else(|| value.strip_prefix("https://"));
    let plain = |c: char| c.is_ascii_alphanumeric() || "._~:/[]?=&%-".contains(c);
    // A slash more at its beginning is nothing to some readers of URLs, and an empty host to others.
    rest.is_some_and(|rest| !rest.starts_with('/') && rest.chars().all(plain))
        && value.len() <= 255
        && Url::parse(value).is_ok_and(|url| url.host().is_some())
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
            assert_eq!(discovery_url_problem(good), None, "{good}");
        }
        let long = format!("http://{}", "a".repeat(249));
        for bad in [
            "",
            "http://",
            "http:///a",
            "http://:80/",
            "http://[",
            "http://a:b:c/",
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
            let problem = discovery_url_problem(bad).unwrap_or_else(|| panic!("{bad:?} is taken"));
            assert_eq!(problem.field, "discovery_url");
        }
    }
}
