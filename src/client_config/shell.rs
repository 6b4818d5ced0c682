//! Environment variables as commands of a shell.

/// The kinds of shell, by how they set an environment variable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Shell {
    /// `sh`, `bash`, `dash`, `ksh`, `zsh`: `export NAME=value`.
    #[default]
    Posix,
    /// `csh` and `tcsh`: `setenv NAME value;`. The semicolon is for ``eval `…` ``, which makes one line of all.
    Csh,
}

impl Shell {
    /// The kind of a user's shell by the value of `SHELL`: with "csh" in it [`Shell::Csh`]; anything else, and none,
    /// [`Shell::Posix`].
    ///
    /// ```
    /// use magnum::Shell;
    /// assert_eq!(Shell::from_env(Some("/bin/tcsh")), Shell::Csh);
    /// assert_eq!(Shell::from_env(Some("/bin/bash")), Shell::Posix);
    /// assert_eq!(Shell::from_env(None), Shell::Posix);
    /// ```
    #[must_use]
    pub fn from_env(shell: Option<&str>) -> Self {
        if shell.is_some_and(|shell| shell.contains("csh")) {
            Self::Csh
        } else {
            Self::Posix
        }
    }

    pub(super) fn export(self, name: &str, value: &str) -> String {
        let value = self.quoted(value);
        match self {
            Self::Posix => format!("export {name}={value}\n"),
            Self::Csh => format!("setenv {name} {value};\n"),
        }
    }

    /// A value as one word, bare where no shell sees anything special in it.
    fn quoted(self, value: &str) -> String {
        let plain = |c: char| c.is_ascii_alphanumeric() || "_+:,./-@".contains(c);
        if !value.is_empty() && value.chars().all(plain) {
            return value.to_owned();
        }
        let mut quoted = String::from("'");
        for c in value.chars() {
            match (self, c) {
                (_, '\'') => quoted.push_str(r"'\''"),
                // History and the end of a line reach into csh's quotes.
                (Self::Csh, '!' | '\n') => quoted.extend(['\\', c]),
                _ => quoted.push(c),
            }
        }
        quoted.push('\'');
        quoted
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::Shell;

    /// What a shell puts into a child's environment; none when the shell is not installed.
    fn read_by(program: &str, shell: Shell, value: &str) -> Option<Vec<u8>> {
        let script = format!("{}env printenv -0 A; echo end", shell.export("A", value));
        let output = match Command::new(program)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .arg(if shell == Shell::Csh { "-fc" } else { "-c" })
            .arg(&script)
            .output()
        {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
            output => output.unwrap(),
        };
        assert!(output.status.success(), "{program}: {script:?}: {output:?}");
        Some(output.stdout)
    }

    #[track_caller]
    fn arrives(value: &str) {
        let expected = [value.as_bytes(), b"\0end\n"].concat();
        for program in ["sh", "bash"] {
            let read = read_by(program, Shell::Posix, value);
            assert_eq!(read.as_ref(), Some(&expected), "{program}: {value:?}");
        }
        for program in ["csh", "tcsh"] {
            let read = read_by(program, Shell::Csh, value);
            assert!(read.is_none_or(|read| read == expected), "{program}: {value:?}");
        }
    }

    #[test]
    fn hostile_values_arrive_as_they_are() {
        for value in [
            "",
            " ",
            "'",
            "''",
            "\"",
            "\\",
            "\\\\",
            "\\!",
            "!",
            "!!",
            "a!b",
            "\n",
            "a\\\nb",
            "\\'",
            "$HOME",
            "${A",
            "$(touch x)",
            "`id`",
            "~",
            "~root",
            "=1",
            "-n",
            "a;b&c|d<e>f(g)h{i}j[k]l*m?n#o^p%q",
            "tab\there",
            "a\r\nb",
            "Zürich ☃",
            "/home/me/it's \"my\" cluster",
        ] {
            arrives(value);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_value_arrives_as_it_is(value in "[^\0]{0,40}") {
            arrives(&value);
        }

        #[test]
        fn so_do_the_characters_that_shells_know(value in r#"[ '"\\!$`\n\t~=*?#;&|<>(){}\[\]^%a-]{0,20}"#) {
            arrives(&value);
        }
    }

    #[test]
    fn what_needs_no_quotes_has_none() {
        let plain = "tcp://172.24.4.5:2376";
        assert_eq!(
            Shell::Posix.export("A", plain),
            "export A=tcp://172.24.4.5:2376\n"
        );
        assert_eq!(Shell::Csh.export("A", plain), "setenv A tcp://172.24.4.5:2376;\n");
        assert_eq!(Shell::Posix.export("A", ""), "export A=''\n");
        assert_eq!(Shell::Csh.export("A", ""), "setenv A '';\n");
    }

    #[test]
    fn csh_needs_history_and_line_ends_escaped_inside_quotes() {
        assert_eq!(Shell::Csh.quoted("a!b"), r"'a\!b'");
        assert_eq!(Shell::Csh.quoted("a\nb"), "'a\\\nb'");
        assert_eq!(Shell::Csh.quoted("it's"), r"'it'\''s'");
        assert_eq!(Shell::Posix.quoted("a!b"), "'a!b'");
        assert_eq!(Shell::Posix.quoted("a\nb"), "'a\nb'");
        assert_eq!(Shell::Posix.quoted("it's"), r"'it'\''s'");
    }

    #[test]
    fn shells_are_known_by_their_paths() {
        for (path, shell) in [
            (Some("/bin/csh"), Shell::Csh),
            (Some("/usr/bin/tcsh"), Shell::Csh),
            (Some("/bin/sh"), Shell::Posix),
            (Some("/usr/bin/fish"), Shell::Posix),
            (Some(""), Shell::Posix),
            (None, Shell::Posix),
        ] {
            assert_eq!(Shell::from_env(path), shell, "{path:?}");
        }
    }
}
