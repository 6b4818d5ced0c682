//! Scripts made small: user data has little room.

/// A script without comments, indentation and empty lines, but within here-documents as it is. Comments that tell
/// shellcheck something stay. A string of several lines must not begin one of them with spaces or `# `.
pub(crate) fn compact(script: &str) -> String {
    let mut here_document: Option<&str> = None;
    let mut kept = String::with_capacity(script.len());
    for line in script.lines() {
        if let Some(end) = here_document {
            if line == end {
                here_document = None;
            }
            kept.push_str(line);
            kept.push('\n');
            continue;
        }
        here_document = here_document_end(line);
        let line = line.trim_start();
        let comment = line == "#" || line.starts_with("# ");
        if !line.is_empty() && (!comment || line.starts_with("# shellcheck")) {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// The line with which a here-document ends that begins after this one.
fn here_document_end(line: &str) -> Option<&str> {
    let (_, after) = line.split_once("<<")?;
    let word = after.trim_start_matches('\'');
    let end = word.find(|c: char| !c.is_ascii_uppercase()).unwrap_or(word.len());
    (end > 0).then(|| &word[..end])
}

#[cfg(test)]
mod tests {
    use super::compact;

    #[test]
    fn what_is_not_code_goes_and_here_documents_stay() {
        let script = "#!/bin/bash\n# why\n\nf() {\n    # shellcheck disable=SC2086\n    cat <<'UNIT' >x\n  # kept\n\n  a\nUNIT\n    b <<<\"c\"\n}\n";
        let small = "#!/bin/bash\nf() {\n# shellcheck disable=SC2086\ncat <<'UNIT' >x\n  # kept\n\n  a\nUNIT\nb <<<\"c\"\n}\n";
        assert_eq!(compact(script), small);
    }
}
