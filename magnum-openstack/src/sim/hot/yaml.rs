//! Reads YAML 1.1 as templates use it, and JSON.
//!
//! Plain scalars follow YAML 1.1 (`yes` is true, `0755` is octal, `1:30` is ninety); dates stay
//! text, so that an unquoted template version is what was written.

use std::collections::BTreeMap;

use serde_json::Number;
use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle};

use super::error::{ErrorKind, HeatError};
use super::node::Node;

/// Nodes a document may have after its aliases are expanded.
const NODE_LIMIT: usize = 500_000;
/// How deep a document may nest.
const DEPTH_LIMIT: usize = 200;

/// Reads a document: JSON if it is, else YAML.
///
/// # Errors
/// `HTTPBadRequest` with the place of the mistake.
pub(crate) fn parse_document(text: &str) -> Result<Node, HeatError> {
    if let Ok(node) = serde_json::from_str::<Node>(text) {
        return Ok(node);
    }
    Composer::read(text).map_err(|e| {
        HeatError::new(
            ErrorKind::HttpBadRequest,
            format!("Error parsing template [root stack] {e}"),
        )
    })
}

/// Reads a template: a document that is a map and names its version.
///
/// # Errors
/// `HTTPBadRequest` when it is not a map, names no version, or is no document at all.
pub(crate) fn parse_template(text: &str) -> Result<Node, HeatError> {
    let bad = |text: &str| HeatError::new(ErrorKind::HttpBadRequest, text);
    let node = match parse_document(text)? {
        Node::Null => Node::Map(Vec::new()),
        node => node,
    };
    if node.as_map().is_none() {
        return Err(bad("The template is not a JSON object or YAML mapping."));
    }
    let versions = [
        "HeatTemplateFormatVersion",
        "heat_template_version",
        "AWSTemplateFormatVersion",
    ];
    if !versions.iter().any(|key| node.get(key).is_some()) {
        return Err(bad("Template format version not found."));
    }
    Ok(node)
}

struct Composer<'a> {
    events: Parser<'a, serde_saphyr::granit_parser::StrInput<'a>>,
    anchors: BTreeMap<usize, Node>,
    nodes: usize,
}

impl<'a> Composer<'a> {
    fn read(text: &'a str) -> Result<Node, String> {
        let mut composer = Self {
            events: Parser::new_from_str(text),
            anchors: BTreeMap::new(),
            nodes: 0,
        };
        loop {
            match composer.next()? {
                Event::StreamEnd => return Ok(Node::Null),
                Event::StreamStart | Event::DocumentStart(..) => {}
                event => {
                    let node = composer.node(event, 0)?;
                    return match composer.next()? {
                        Event::DocumentEnd => match composer.next()? {
                            Event::StreamEnd => Ok(node),
                            _ => Err("expected a single document in the stream".to_owned()),
                        },
                        _ => Err("expected the end of the document".to_owned()),
                    };
                }
            }
        }
    }

    fn next(&mut self) -> Result<Event<'a>, String> {
        loop {
            match self.events.next() {
                None => return Ok(Event::StreamEnd),
                Some(Ok((Event::Comment(..), _))) => {}
                Some(Ok((event, _))) => return Ok(event),
                Some(Err(error)) => return Err(error.to_string()),
            }
        }
    }

    fn count(&mut self, more: usize) -> Result<(), String> {
        self.nodes += more;
        if self.nodes > NODE_LIMIT {
            Err("the document is too large".to_owned())
        } else {
            Ok(())
        }
    }

    fn node(&mut self, event: Event<'a>, depth: usize) -> Result<Node, String> {
        if depth > DEPTH_LIMIT {
            return Err("the document nests too deeply".to_owned());
        }
        self.count(1)?;
        let (anchor, node) = match event {
            Event::Alias(id) => {
                let node = self
                    .anchors
                    .get(&id)
                    .cloned()
                    .ok_or("an alias without its anchor")?;
                self.count(size(&node))?;
                return Ok(node);
            }
            Event::Scalar(text, style, anchor, tag) => {
                let tag = tag
                    .as_ref()
                    .map(|t| (t.handle().to_owned(), t.suffix().to_owned()));
                (anchor, scalar(&text, style, tag.as_ref())?)
            }
            Event::SequenceStart(_, anchor, _) => {
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        Event::SequenceEnd => break,
                        event => items.push(self.node(event, depth + 1)?),
                    }
                }
                (anchor, Node::List(items))
            }
            Event::MappingStart(_, anchor, _) => (anchor, self.mapping(depth)?),
            other => return Err(format!("did not expect {other:?}")),
        };
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn mapping(&mut self, depth: usize) -> Result<Node, String> {
        let mut map = Node::Map(Vec::new());
        let mut merged: Vec<Node> = Vec::new();
        loop {
            let key = match self.next()? {
                Event::MappingEnd => break,
                event => {
                    let plain_merge =
                        matches!(&event, Event::Scalar(t, ScalarStyle::Plain, _, None) if t == "<<");
                    if plain_merge {
                        let event = self.next()?;
                        match self.node(event, depth + 1)? {
                            Node::List(items) => merged.extend(items),
                            node => merged.push(node),
                        }
                        continue;
                    }
                    match self.node(event, depth + 1)? {
                        Node::Text(text) => text,
                        Node::List(_) | Node::Map(_) => return Err("found unhashable key".to_owned()),
                        scalar => super::printing::py_str(&scalar.to_value()),
                    }
                }
            };
            let event = self.next()?;
            let value = self.node(event, depth + 1)?;
            map.set(&key, value);
        }
        // A map's own keys win over merged ones; earlier merged maps win over later ones.
        for source in merged {
            let Node::Map(entries) = source else {
                return Err("expected a mapping or list of mappings for merging".to_owned());
            };
            for (key, value) in entries {
                if map.get(&key).is_none() {
                    map.set(&key, value);
                }
            }
        }
        Ok(map)
    }
}

fn size(node: &Node) -> usize {
    match node {
        Node::List(items) => 1 + items.iter().map(size).sum::<usize>(),
        Node::Map(entries) => 1 + entries.iter().map(|(_, v)| size(v)).sum::<usize>(),
        _ => 1,
    }
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&(String, String)>) -> Result<Node, String> {
    if let Some((handle, suffix)) = tag {
        let name = format!("{handle}{suffix}");
        return match name.as_str() {
            "tag:yaml.org,2002:str" | "!" | "tag:yaml.org,2002:timestamp" | "tag:yaml.org,2002:binary" => {
                Ok(Node::Text(text.to_owned()))
            }
            "tag:yaml.org,2002:int"
            | "tag:yaml.org,2002:float"
            | "tag:yaml.org,2002:bool"
            | "tag:yaml.org,2002:null" => Ok(plain(text)),
            _ => Err(format!("could not determine a constructor for the tag '{name}'")),
        };
    }
    match style {
        ScalarStyle::Plain if text == "=" => {
            Err("could not determine a constructor for the tag 'tag:yaml.org,2002:value'".to_owned())
        }
        ScalarStyle::Plain => Ok(plain(text)),
        _ => Ok(Node::Text(text.to_owned())),
    }
}

/// What a plain scalar means.
fn plain(text: &str) -> Node {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Node::Null,
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => return Node::Bool(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => return Node::Bool(false),
        _ => {}
    }
    if let Some(number) = integer(text).map(Number::from).or_else(|| float(text)) {
        return Node::Number(number);
    }
    Node::Text(text.to_owned())
}

fn integer(text: &str) -> Option<i64> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let first = digits.bytes().next()?;
    if !first.is_ascii_digit() {
        return None;
    }
    let clean: String = digits.chars().filter(|c| *c != '_').collect();
    let magnitude = if let Some(bits) = clean.strip_prefix("0b") {
        i64::from_str_radix(bits, 2).ok()?
    } else if let Some(hex) = clean.strip_prefix("0x") {
        i64::from_str_radix(hex, 16).ok()?
    } else if clean == "0" {
        0
    } else if clean.starts_with('0') {
        i64::from_str_radix(clean.get(1..)?, 8).ok()?
    } else if clean.contains(':') {
        sexagesimal(&clean)?
    } else {
        clean.parse().ok()?
    };
    Some(if negative { -magnitude } else { magnitude })
}

/// `1:30` and the like: base sixty, each part after the first below sixty.
fn sexagesimal(text: &str) -> Option<i64> {
    let mut parts = text.split(':');
    let mut total: i64 = parts.next()?.parse().ok()?;
    for part in parts {
        if part.is_empty() || part.len() > 2 {
            return None;
        }
        let digit: i64 = part.parse().ok()?;
        if digit >= 60 {
            return None;
        }
        total = total.checked_mul(60)?.checked_add(digit)?;
    }
    Some(total)
}

fn float(text: &str) -> Option<Number> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    // A float has a dot; an exponent, if any, has a sign. `1e3` is text in YAML 1.1.
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (unsigned.get(..at)?, Some(unsigned.get(at + 1..)?)),
        None => (unsigned, None),
    };
    if !mantissa.contains('.')
        || !mantissa
            .bytes()
            .all(|b| b.is_ascii_digit() || b == b'.' || b == b'_')
    {
        return None;
    }
    if mantissa.matches('.').count() != 1 || !mantissa.bytes().any(|b| b.is_ascii_digit()) {
        return None;
    }
    if let Some(exponent) = exponent {
        let digits = exponent.strip_prefix(['-', '+'])?;
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
    }
    let clean: String = text.chars().filter(|c| *c != '_').collect();
    clean.parse::<f64>().ok().and_then(Number::from_f64)
}
