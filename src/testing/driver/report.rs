//! What the kit found, in words.

use std::fmt;

use super::RULES;

/// A rule that a driver breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule's name; one of [`RULES`].
    pub rule: &'static str,
    /// How the cluster was asked for, or which attribute it was.
    pub case: String,
    /// What was seen.
    pub what: String,
}

/// What was checked, and what was found. Shows itself as text.
#[derive(Clone, Debug)]
#[must_use]
pub struct Report {
    driver: String,
    done: Vec<String>,
    findings: Vec<Finding>,
}

impl Report {
    pub(super) fn new(driver: &str) -> Self {
        Self {
            driver: driver.to_owned(),
            done: Vec::new(),
            findings: Vec::new(),
        }
    }

    pub(super) fn did(&mut self, what: impl Into<String>) {
        self.done.push(what.into());
    }

    pub(super) fn found(&mut self, rule: &'static str, case: impl Into<String>, what: impl Into<String>) {
        debug_assert!(RULES.iter().any(|(name, _)| *name == rule), "{rule}");
        let finding = Finding {
            rule,
            case: case.into(),
            what: what.into(),
        };
        // The same wrong answer to a hundred questions is one finding.
        let said = |other: &&Finding| other.rule == rule && other.what == finding.what;
        if self.findings.iter().filter(said).count() < 3 {
            self.findings.push(finding);
        }
    }

    /// Rules that are broken; none for a driver that is as it should be.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// What was run, each in a sentence with its counts, and what could not be.
    #[must_use]
    pub fn done(&self) -> &[String] {
        &self.done
    }

    /// Passes if no rule is broken.
    ///
    /// # Panics
    /// With the whole report when one is.
    #[expect(clippy::panic, reason = "it is what a test wants")]
    pub fn assert(&self) {
        if !self.findings.is_empty() {
            panic!("{self}");
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "driver {}", self.driver)?;
        for done in &self.done {
            writeln!(f, "  {done}")?;
        }
        for finding in &self.findings {
            writeln!(f, "  BROKEN {}: {}: {}", finding.rule, finding.case, finding.what)?;
        }
        match self.findings.len() {
            0 => write!(f, "  no rule is broken"),
            count => write!(f, "  {count} findings"),
        }
    }
}
