//! Assembles the texts of drivers: Heat templates, node scripts, client configurations.
//!
//! Templates and scripts are the same for all clusters of a driver, so nothing of a tenant is ever a value
//! here; tenants' values are parameters of the stack. Only the documents that a tenant gets back are filled
//! with them, each value through the escape function of the document's language.

mod yaml;

use std::borrow::Cow;

use handlebars::{Handlebars, no_escape};
use magnum_core::{Error, Result};
use serde::Serialize;

/// What language a text is in, and so how values are written into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Values stand as they are. Only for values that are fixed in the driver.
    Verbatim,
    /// Each value becomes a double-quoted YAML scalar, so that `010`, `1.10` and `yes` stay text.
    /// The quotes are part of it: write `name: {{name}}`.
    Yaml,
}

/// Assembles texts from fragments. A variable or fragment that is not there is an error.
///
/// ```
/// use magnum_drivers::{Language, TemplateText};
/// let text = TemplateText::new(Language::Yaml);
/// let document = text.assemble("version: {{version}}\n", &serde_json::json!({"version": "1.10"}))?;
/// assert_eq!(document, "version: \"1.10\"\n");
/// # Ok::<(), magnum_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct TemplateText {
    engine: Handlebars<'static>,
}

impl TemplateText {
    /// No fragments yet.
    #[must_use]
    pub fn new(language: Language) -> Self {
        let mut engine = Handlebars::new();
        engine.set_strict_mode(true);
        match language {
            Language::Verbatim => engine.register_escape_fn(no_escape),
            Language::Yaml => engine.register_escape_fn(yaml::double_quoted),
        }
        Self { engine }
    }

    /// Adds a fragment, which `{{> name}}` puts in. Alone on its line it is indented as that line is.
    ///
    /// # Errors
    /// `Internal` when the fragment is malformed.
    pub fn with_fragment(mut self, name: &str, text: &str) -> Result<Self> {
        let text: Cow<'_, str> = if text.ends_with('\n') {
            text.into()
        } else {
            format!("{text}\n").into()
        };
        self.engine
            .register_partial(name, text)
            .map_err(|e| Error::internal(format!("fragment {name}: {e}")).at("driver", "template text"))?;
        Ok(self)
    }

    /// Puts fragments and values into a text.
    ///
    /// # Errors
    /// `Internal` when the text is malformed, or names a value or fragment that is not there.
    pub fn assemble(&self, text: &str, values: &impl Serialize) -> Result<String> {
        self.engine
            .render_template(text, values)
            .map_err(|e| Error::internal(e.to_string()).at("driver", "template text"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn verbatim() -> TemplateText {
        TemplateText::new(Language::Verbatim)
    }

    #[test]
    fn a_missing_value_is_an_error() {
        let error = verbatim()
            .assemble("{{absent}}", &json!({"present": 1}))
            .unwrap_err();
        assert!(error.to_string().contains("absent"), "{error}");
    }

    #[test]
    fn a_missing_fragment_is_an_error() {
        let error = verbatim().assemble("{{> absent.sh}}", &json!({})).unwrap_err();
        assert!(error.to_string().contains("absent.sh"), "{error}");
    }

    #[test]
    fn a_malformed_fragment_is_an_error() {
        assert!(verbatim().with_fragment("broken", "{{#if}}").is_err());
    }

    #[test]
    fn values_stand_as_they_are() {
        let text = verbatim().assemble("{{x}}", &json!({"x": "<&\"'`$>"})).unwrap();
        assert_eq!(text, "<&\"'`$>");
    }

    #[test]
    fn a_fragment_is_indented_as_its_line() {
        let text = verbatim().with_fragment("p.yaml", "a:\n  b: 1\nc: 2").unwrap();
        let out = text
            .assemble("top:\n  {{> p.yaml}}\nend: {{n}}\n", &json!({"n": 1}))
            .unwrap();
        assert_eq!(out, "top:\n  a:\n    b: 1\n  c: 2\nend: 1\n");
    }

    #[test]
    fn what_shells_and_heat_write_is_left_alone() {
        let text = "${#a[@]} $(( 1 )) {a, b} %index% \\$x '\\''\n";
        assert_eq!(verbatim().assemble(text, &json!({})).unwrap(), text);
    }
}
