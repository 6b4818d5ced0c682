//! The page of refusals says what the code does, and all of it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::cases;

const PAGE: &str = include_str!("../../../../docs/certificate-refusals.md");

/// What judges a request: every text in it is a refusal's, if it is not among [`ELSEWHERE`].
const SOURCES: [&str; 7] = [
    include_str!("../../../src/key_strength.rs"),
    include_str!("../../../src/pem.rs"),
    include_str!("../../../src/profile.rs"),
    include_str!("../../../src/request.rs"),
    include_str!("../../../src/request_extensions.rs"),
    include_str!("../../../src/request_subject.rs"),
    include_str!("../../../src/subject.rs"),
];

/// Texts that no request brings up.
const ELSEWHERE: [&str; 10] = [
    // What a PEM block begins and ends with, and its labels.
    "-----BEGIN ",
    "-----END ",
    "CERTIFICATE REQUEST",
    "NEW CERTIFICATE REQUEST",
    // Of the host's own keys and profiles, and of OpenSSL.
    "the key source gave {}: {}",
    "the profile is that of '{}'",
    "DNS names of 1 to 253 visible ASCII characters are allowed",
    "the authority does not know this certificate profile",
    "make a distinguished name",
    // OpenSSL does not read such a point.
    "the public point is not on its curve",
];

/// The cells of each line of the page's table under a heading, without its header.
fn table(heading: &str) -> Vec<Vec<&'static str>> {
    let (_, section) = PAGE.split_once(&format!("\n## {heading}\n")).unwrap();
    let section = section.split("\n## ").next().unwrap();
    section
        .lines()
        .filter(|line| line.starts_with('|'))
        .skip(2)
        .map(|line| line.split(" | ").map(|cell| cell.trim_matches(['|'])).collect())
        .collect()
}

/// What a cell has between backticks.
fn code(cell: &str) -> &str {
    let cell = cell.trim();
    cell.strip_prefix('`')
        .and_then(|cell| cell.strip_suffix('`'))
        .unwrap()
}

/// The texts of a source that have more than one word, without comments and tests.
fn texts(source: &str) -> impl Iterator<Item = &str> {
    let code = source.split("#[cfg(test)]").next().unwrap();
    code.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| line.split('"').skip(1).step_by(2))
        .filter(|text| text.contains(' '))
}

#[test]
fn the_page_has_each_case_and_no_other() {
    let line = |named: &str, sentence: &str, case: &str| format!("`{named}` | {sentence} | {case}");
    let page: Vec<String> = table("What is refused")
        .iter()
        .map(|cells| match cells.as_slice() {
            [what, named, sentence, case] if what.len() > 4 => {
                line(code(named), sentence.trim(), case.trim())
            }
            _ => panic!("a line of other cells: {cells:?}"),
        })
        .collect();
    let tested: Vec<String> = cases()
        .iter()
        .map(|case| line(case.aspect, case.sentence, case.name))
        .collect();
    assert_eq!(page, tested);
    let names: BTreeSet<_> = cases().iter().map(|case| case.name).collect();
    assert_eq!(names.len(), tested.len(), "two cases have one name");
}

#[test]
fn the_page_has_each_text_of_the_source() {
    let mut elsewhere: BTreeSet<_> = ELSEWHERE.into();
    let mut seen = 0;
    for text in SOURCES.iter().flat_map(|source| texts(source)) {
        if ELSEWHERE.contains(&text) {
            elsewhere.remove(text);
            continue;
        }
        // Between the values that a text is filled with.
        for part in text.split(['{', '}']).step_by(2) {
            assert!(PAGE.contains(part), "the page lacks '{part}' of '{text}'");
        }
        seen += 1;
    }
    assert!(elsewhere.is_empty(), "not in the sources: {elsewhere:?}");
    assert!(seen > 40, "{seen}");
}

#[test]
fn each_test_of_what_is_dropped_is_there() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/certificates");
    let sources: String = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    let lines = table("What is dropped");
    assert!(lines.len() > 8, "{}", lines.len());
    for cells in lines {
        let [_, _, test] = cells.as_slice() else {
            panic!("a line of other cells: {cells:?}");
        };
        assert!(sources.contains(&format!("fn {}()", code(test))), "{test}");
    }
}
