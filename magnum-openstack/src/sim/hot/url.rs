//! `make_url`.

use serde_json::{Map, Value};

use super::printing::{py_repr, py_str};

const KEYS: [&str; 8] = [
    "scheme", "username", "password", "host", "port", "path", "query", "fragment",
];

/// An escaped URL from its parts.
pub(crate) fn make(name: &str, args: &Value) -> Result<Value, String> {
    let Value::Object(parts) = args else {
        return Err(format!("The arguments to \"{name}\" must be a map"));
    };
    let unknown: Vec<&str> = parts
        .keys()
        .map(String::as_str)
        .filter(|k| !KEYS.contains(k))
        .collect();
    if !unknown.is_empty() {
        return Err(format!("Invalid arguments to \"{name}\": {}", unknown.join(", ")));
    }
    let text = |key: &str| -> Result<&str, String> {
        match parts.get(key) {
            None => Ok(""),
            Some(Value::String(text)) => Ok(text),
            Some(_) => Err(format!("The \"{key}\" argument to \"{name}\" must be a string")),
        }
    };
    let scheme = text("scheme")?;
    if scheme.contains(':') {
        return Err("URL \"scheme\" should not contain ':'".to_owned());
    }
    let mut authority = String::new();
    let (username, password) = (text("username")?, text("password")?);
    if !username.is_empty() || !password.is_empty() {
        authority.push_str(&quote(username, ""));
        if !password.is_empty() {
            authority.push(':');
            authority.push_str(&quote(password, ""));
        }
        authority.push('@');
    }
    let host = text("host")?;
    let host = host
        .strip_prefix('[')
        .and_then(|h| h.strip_suffix(']'))
        .unwrap_or(host);
    let host = quote(host, ":");
    authority.push_str(&if host.contains(':') {
        format!("[{host}]")
    } else {
        host
    });
    if let Some(port) = port(name, parts)? {
        authority.push_str(&format!(":{port}"));
    }
    let path = quote(text("path")?, "/");
    let query = match parts.get("query") {
        None => String::new(),
        Some(Value::Object(query)) => query
            .iter()
            .map(|(k, v)| format!("{}={}", quote_plus(k), quote_plus(&py_str(v))))
            .collect::<Vec<_>>()
            .join("&")
            .replace("%2F", "/"),
        Some(_) => return Err(format!("The \"query\" argument to \"{name}\" must be a map")),
    };
    let fragment = quote(text("fragment")?, "/");

    let mut url = path;
    if !authority.is_empty() {
        if !url.is_empty() && !url.starts_with('/') {
            url.insert(0, '/');
        }
        url = format!("//{authority}{url}");
    }
    if !scheme.is_empty() {
        url = format!("{scheme}:{url}");
    }
    if !query.is_empty() {
        url = format!("{url}?{query}");
    }
    if !fragment.is_empty() {
        url = format!("{url}#{fragment}");
    }
    Ok(Value::String(url))
}

fn port(name: &str, parts: &Map<String, Value>) -> Result<Option<i64>, String> {
    let port = match parts.get("port") {
        None => return Ok(None),
        Some(Value::String(text)) if text.is_empty() => return Ok(None),
        Some(Value::Number(n)) => n.as_i64(),
        Some(Value::String(text)) => text.trim().parse().ok(),
        Some(_) => None,
    };
    match port {
        Some(port) if (1..=65535).contains(&port) => Ok(Some(port)),
        Some(port) => Err(format!("Invalid URL port {port}, must be in range 1-65535")),
        None => Err(format!(
            "Invalid URL port \"{}\" for {name} called with {}",
            parts.get("port").map(py_str).unwrap_or_default(),
            py_repr(&Value::Object(parts.clone()))
        )),
    }
}

/// Percent-encodes everything but letters, digits, `_.-~` and what is `safe`.
fn quote(text: &str, safe: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        let c = char::from(byte);
        if byte.is_ascii_alphanumeric() || "_.-~".contains(c) || (byte.is_ascii() && safe.contains(c)) {
            out.push(c);
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn quote_plus(text: &str) -> String {
    quote(text, " ").replace(' ', "+")
}
