//! `digest`.

use openssl::hash::{MessageDigest, hash};
use serde_json::Value;

/// The hexadecimal digest of a string by a named algorithm.
pub(crate) fn digest(name: &str, args: &Value) -> Result<Value, String> {
    let Some(items) = args.as_array().filter(|items| items.iter().all(Value::is_string)) else {
        return Err(format!(
            "Argument to function \"{name}\" must be a list of strings"
        ));
    };
    let [Value::String(algorithm), Value::String(text)] = items.as_slice() else {
        return Err(format!(
            "Function \"{name}\" usage: [\"<algorithm>\", \"<value>\"]"
        ));
    };
    let method = MessageDigest::from_name(&algorithm.to_lowercase())
        .ok_or_else(|| "Algorithm must be one of md5, sha1, sha224, sha256, sha384, sha512".to_owned())?;
    // The bytes are those of Latin-1; a character outside it cannot be digested.
    let mut bytes = Vec::with_capacity(text.len());
    for (at, c) in text.chars().enumerate() {
        bytes.push(u8::try_from(u32::from(c)).map_err(|_| {
            format!(
                "'latin-1' codec can't encode character '{c}' in position {at}: ordinal not in range(256)"
            )
        })?);
    }
    let digest = hash(method, &bytes).map_err(|e| e.to_string())?;
    Ok(Value::String(digest.iter().map(|b| format!("{b:02x}")).collect()))
}
