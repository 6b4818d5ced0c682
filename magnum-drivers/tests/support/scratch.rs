//! A server's file system in a scratch root: scripts run there with the real bash, curl and openssl, and with
//! recorders in the place of package tools and daemons.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

use super::server::Server;

const RECORDER: &str = include_str!("recorder.sh");

/// What to run.
#[derive(Clone, Copy, Debug)]
pub enum RunningAs<'a> {
    /// A file of the scratch directory, without arguments.
    Script(&'a str),
    /// A file of the root, with `start`.
    Start(&'a str),
    /// A file of the root, with `renew`.
    Renew(&'a str),
}

/// Everything below a directory: path, mode, time of the last change, content.
pub type Snapshot = Vec<(PathBuf, u32, std::time::SystemTime, Vec<u8>)>;

/// A server before its first boot.
pub struct Scratch {
    pub directory: TempDir,
    pub heat: Server,
}

impl Scratch {
    pub fn new(commands: &[&str], heat: Server) -> Self {
        let directory = TempDir::new().unwrap();
        let home = directory.path();
        for sub in [
            "active",
            "bin",
            "fail",
            "tmp",
            "root/etc/ssl/certs",
            "root/etc/systemd/system",
        ] {
            fs::create_dir_all(home.join(sub)).unwrap();
        }
        fs::write(home.join("installed"), "curl\nopenssl\nca-certificates\n").unwrap();
        fs::write(home.join("kernel"), "4.19.8-200.fc28.x86_64\n").unwrap();
        fs::write(home.join("commands"), "").unwrap();
        for name in commands {
            let path = home.join("bin").join(name);
            fs::write(&path, RECORDER).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        Self { directory, heat }
    }

    /// A file in the scratch directory, beside the root.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn path(&self, inside: &str) -> PathBuf {
        self.beside("root").join(inside.trim_start_matches('/'))
    }

    /// A file's content.
    pub fn read(&self, inside: &str) -> String {
        fs::read_to_string(self.path(inside)).unwrap_or_else(|e| panic!("{inside}: {e}"))
    }

    /// The same, with paths as on a real server.
    pub fn plain(&self, inside: &str) -> String {
        self.read(inside)
            .replace(&format!("{}", self.path("").display()), "/")
    }

    pub fn write(&self, inside: &str, content: &str) {
        let path = self.path(inside);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub fn mode(&self, inside: &str) -> u32 {
        fs::metadata(self.path(inside))
            .unwrap_or_else(|e| panic!("{inside}: {e}"))
            .permissions()
            .mode()
            & 0o7777
    }

    /// Makes a recorded command fail with these words.
    pub fn fail(&self, command: &str, words: &str) {
        fs::write(self.beside("fail").join(command), words).unwrap();
    }

    /// Makes exactly this call fail.
    pub fn fail_call(&self, call: &str) {
        fs::write(self.beside("fail-call"), call).unwrap();
    }

    /// How the recorded commands were called.
    pub fn commands(&self) -> Vec<String> {
        let all = fs::read_to_string(self.beside("commands")).unwrap();
        all.lines().map(ToOwned::to_owned).collect()
    }

    pub fn commands_of(&self, name: &str) -> Vec<String> {
        self.commands()
            .into_iter()
            .filter(|c| c.split(' ').next() == Some(name))
            .collect()
    }

    pub fn forget(&self) {
        fs::write(self.beside("commands"), "").unwrap();
        self.heat.forget();
    }

    /// What was said to curl through its configuration.
    pub fn curl_configs(&self) -> String {
        fs::read_to_string(self.beside("curl-configs")).unwrap()
    }

    /// The bodies of the signals that Heat got.
    pub fn signals(&self) -> Vec<Value> {
        let asked = self.heat.asked("/v1/p/stacks/");
        asked
            .iter()
            .map(|a| serde_json::from_str(&a.body).unwrap_or_else(|e| panic!("{e}: {}", a.body)))
            .collect()
    }

    /// The one signal.
    pub fn signal(&self) -> Value {
        let mut signals = self.signals();
        assert_eq!(signals.len(), 1, "{signals:?}");
        signals.remove(0)
    }

    /// Puts a script beside the root, with paths that start like these moved into it.
    pub fn install(&self, name: &str, script: &str, prefixes: &[&str]) {
        let root = self.path("");
        let mut script = script.to_owned();
        for prefix in prefixes {
            let moved = format!("{}{}", root.display(), prefix.trim_start_matches('/'));
            script = script.replace(prefix, &moved);
        }
        fs::write(self.beside(name), script).unwrap();
    }

    pub fn run(&self, what: RunningAs<'_>) -> Output {
        let mut command = Command::new("/bin/bash");
        match what {
            RunningAs::Script(name) => command.arg(self.beside(name)),
            RunningAs::Start(inside) => command.arg(self.path(inside)).arg("start"),
            RunningAs::Renew(inside) => command.arg(self.path(inside)).arg("renew"),
        };
        let home = self.directory.path();
        command
            .env_clear()
            .env(
                "PATH",
                format!("{}:/usr/bin:/bin:/usr/sbin:/sbin", home.join("bin").display()),
            )
            .env("TMPDIR", home.join("tmp"))
            .env("SCRATCH_HOME", home)
            .output()
            .unwrap()
    }

    pub fn succeeds(&self, output: &Output) {
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        self.leaves_nothing();
    }

    /// The reason that Heat got, of a run that must have failed.
    pub fn reason(&self, output: &Output) -> String {
        assert!(
            !output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stdout)
        );
        let signal = self.signal();
        assert_eq!(signal["status"], "FAILURE");
        self.leaves_nothing();
        signal["reason"].as_str().unwrap().to_owned()
    }

    fn leaves_nothing(&self) {
        let left: Vec<_> = fs::read_dir(self.beside("tmp")).unwrap().collect();
        assert!(left.is_empty(), "left in the temporary directory: {left:?}");
    }

    /// Every file below the root.
    pub fn snapshot(&self) -> Snapshot {
        let mut found = Vec::new();
        walk(&self.path(""), &mut found);
        found.sort();
        found
    }
}

fn walk(directory: &Path, found: &mut Snapshot) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let about = fs::metadata(&path).unwrap();
        let content = if about.is_dir() {
            Vec::new()
        } else {
            fs::read(&path).unwrap()
        };
        found.push((
            path.clone(),
            about.permissions().mode(),
            about.modified().unwrap(),
            content,
        ));
        if about.is_dir() {
            walk(&path, found);
        }
    }
}
