//! In what two Heats differ, and what they may differ in.

use serde_json::Value;

/// What is not compared, by the key under which an answer has it, and why.
const EXEMPT: [(&str, &str); 4] = [
    (
        "attributes",
        "a preview's resources have no attributes yet; how the API says so is another thing for each type",
    ),
    ("tenant", "each cloud has its own project"),
    (
        "reported_version",
        "the masters of Mesos report it, and are not the same: one runs the script, the other plays it",
    ),
    (
        "container_version",
        "the nodes that report it are not the same: one runs the script, the other plays it",
    ),
];

/// Keys under which a list is a set.
const UNORDERED: [&str; 1] = ["required_by"];

/// Where the simulated answer is not the real one, as `path: real … simulated …`.
pub fn between(real: &Value, simulated: &Value) -> Result<(), String> {
    let mut found = Vec::new();
    compare("", real, simulated, &mut found);
    if found.is_empty() {
        return Ok(());
    }
    let count = found.len();
    found.truncate(40);
    Err(format!("{count} differences\n    {}", found.join("\n    ")))
}

fn compare(path: &str, real: &Value, simulated: &Value, found: &mut Vec<String>) {
    let key = path.rsplit('/').next().unwrap_or_default();
    if EXEMPT.iter().any(|(exempt, _)| *exempt == key) {
        return;
    }
    match (real, simulated) {
        (Value::Object(one), Value::Object(other)) => {
            let mut keys: Vec<&String> = one.keys().chain(other.keys()).collect();
            keys.sort();
            keys.dedup();
            for key in keys {
                let path = format!("{path}/{key}");
                match (one.get(key), other.get(key)) {
                    (Some(real), Some(simulated)) => compare(&path, real, simulated, found),
                    (Some(real), None) => found.push(format!("{path}: only real, {}", short(real))),
                    (None, other) => found.push(format!(
                        "{path}: only simulated, {}",
                        short(other.unwrap_or(&Value::Null))
                    )),
                }
            }
        }
        (Value::Array(one), Value::Array(other)) if UNORDERED.contains(&key) => {
            if sorted(one) != sorted(other) {
                found.push(format!(
                    "{path}: real {}, simulated {}",
                    short(real),
                    short(simulated)
                ));
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (n, (real, simulated)) in one.iter().zip(other).enumerate() {
                compare(&format!("{path}/{n}"), real, simulated, found);
            }
        }
        _ if real == simulated => {}
        _ => found.push(format!(
            "{path}: real {}, simulated {}",
            short(real),
            short(simulated)
        )),
    }
}

fn sorted(list: &[Value]) -> Vec<String> {
    let mut all: Vec<String> = list.iter().map(Value::to_string).collect();
    all.sort();
    all
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    let cut: String = text.chars().take(200).collect();
    if cut.len() < text.len() {
        format!("{cut}…")
    } else {
        cut
    }
}
