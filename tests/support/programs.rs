//! Programs that users have, run with nothing of our environment but the path.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, Stdio};

/// What a program said.
#[derive(Debug)]
pub struct Said {
    pub ok: bool,
    pub out: String,
    pub err: String,
}

/// Runs a program in a directory that is also the user's home.
pub fn run(program: &str, home: &Path, environment: &BTreeMap<String, String>, arguments: &[&str]) -> Said {
    let output = Command::new(program)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", home)
        .envs(environment)
        .current_dir(home)
        .args(arguments)
        .stdin(Stdio::null())
        .output();
    let output = match output {
        Err(error) if error.kind() == ErrorKind::NotFound => panic!(
            "{program} is missing, and this test is about it: \
             apt-get install docker.io kubernetes-client openssl"
        ),
        output => output.unwrap(),
    };
    Said {
        ok: output.status.success(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}
