//! What users find in the directory of a client configuration, and what is refused before anything is made.
#![cfg(unix)]
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test program: it has no users, and a panic is its verdict"
)]

mod support;

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use async_trait::async_trait;
use magnum::certs::EcKeys;
use magnum::*;
use support::certificate::{read, signed_by};
use support::kubernetes::without_quotas;
use support::scene::Scene;
use support::{kubernetes, mesos, swarm};
use tempfile::{TempDir, tempdir};

/// Keys that must not be asked for: no certificate without one.
#[derive(Debug)]
struct Unwanted;

#[async_trait]
impl KeySource for Unwanted {
    async fn generate(&self) -> Result<Secret> {
        panic!("a key was made");
    }
}

/// While a key is made, something happens to the directory.
struct Meanwhile<F>(F);

impl<F> std::fmt::Debug for Meanwhile<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Meanwhile")
    }
}

#[async_trait]
impl<F: Fn() -> Result<()> + Send + Sync + 'static> KeySource for Meanwhile<F> {
    async fn generate(&self) -> Result<Secret> {
        (self.0)()?;
        EcKeys.generate().await
    }
}

/// A scene with a cluster of each template, by the template's name.
async fn made(templates: &[TemplateSpec]) -> (Scene, Vec<Cluster>) {
    let scene = Scene::new(1).await;
    without_quotas(&scene);
    let mut ids = Vec::new();
    for template in templates {
        let template = scene
            .magnum
            .create_template(&scene.cx, template.clone())
            .await
            .unwrap();
        let spec = ClusterSpec::new(template.id.to_string()).with_name(format!("of-{}", template.spec.coe));
        let accepted = scene
            .magnum
            .create_cluster(&scene.cx, spec, CreateOptions::default())
            .await;
        ids.push(accepted.unwrap().id);
    }
    scene.settle().await;
    let mut clusters = Vec::new();
    for id in ids {
        let cluster = scene.cluster(id).await.unwrap();
        assert_eq!(cluster.status, ClusterStatus::CREATE_COMPLETE);
        clusters.push(cluster);
    }
    (scene, clusters)
}

fn without_tls(template: TemplateSpec) -> TemplateSpec {
    TemplateSpec {
        tls_disabled: true,
        ..template
    }
}

async fn write(
    scene: &Scene,
    cluster: &Cluster,
    directory: &Path,
    keys: &dyn KeySource,
    force: bool,
) -> Result<WrittenConfig> {
    write_client_config(&scene.magnum, &scene.cx, cluster.id, directory, keys, force).await
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// Everything in a directory by name, with what it holds or where it leads.
fn listing(directory: &Path) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let held = match fs::read_link(&path) {
                Ok(target) => format!("-> {}", target.display()),
                Err(_) if path.is_dir() => "a directory".to_owned(),
                Err(_) => fs::read_to_string(&path).unwrap(),
            };
            (path.file_name().unwrap().to_str().unwrap().to_owned(), held)
        })
        .collect();
    found.sort();
    found
}

fn names(directory: &Path) -> Vec<String> {
    listing(directory).into_iter().map(|(name, _)| name).collect()
}

#[track_caller]
fn refused(written: Result<WrittenConfig>, kind: ErrorKind, says: &[&str]) {
    let error = written.unwrap_err();
    let text = error.to_string();
    assert_eq!(error.kind(), kind, "{text}");
    for part in says {
        assert!(text.contains(part), "{part:?} is not in {text:?}");
    }
}

/// A key and a certificate that belong together, under the authority beside them.
fn fits_together(directory: &Path) {
    let file = |name: &str| fs::read_to_string(directory.join(name)).unwrap();
    let certificate = read(&file("cert.pem"));
    let key = openssl::pkey::PKey::private_key_from_pem(file("key.pem").as_bytes()).unwrap();
    assert!(certificate.public_key().unwrap().public_eq(&key));
    assert!(signed_by(&certificate, &read(&file("ca.pem"))));
}

#[tokio::test(start_paused = true)]
async fn the_guides_example() {
    let (scene, clusters) = made(&[swarm::guides_template(), kubernetes::guides_template()]).await;
    let home = tempdir().unwrap();
    let home = home.path().canonicalize().unwrap();

    let wanted = home.join("deep/myclusterconfig");
    let written = write(&scene, &clusters[0], &wanted, &EcKeys, false)
        .await
        .unwrap();
    let address = clusters[0].api_address.as_ref().unwrap();
    assert!(
        address.starts_with("tcp://") && address.ends_with(":2376"),
        "{address}"
    );
    assert_eq!(
        written.exports(Shell::Posix),
        format!(
            "export DOCKER_CERT_PATH={}\nexport DOCKER_HOST={address}\nexport DOCKER_TLS_VERIFY=True\n",
            wanted.display()
        )
    );
    assert_eq!(
        written.exports(Shell::Csh),
        format!(
            "setenv DOCKER_CERT_PATH {};\nsetenv DOCKER_HOST {address};\nsetenv DOCKER_TLS_VERIFY True;\n",
            wanted.display()
        )
    );
    assert_eq!(names(&wanted), ["ca.pem", "cert.pem", "key.pem"]);
    fits_together(&wanted);

    let cluster = home.join("k8s");
    let kubernetes = write(&scene, &clusters[1], &cluster, &EcKeys, false)
        .await
        .unwrap();
    assert_eq!(
        kubernetes.exports(Shell::Posix),
        format!("export KUBECONFIG={}/config\n", cluster.display())
    );
    assert_eq!(names(&cluster), ["ca.pem", "cert.pem", "config", "key.pem"]);
    fits_together(&cluster);

    for directory in [home.join("deep"), wanted, cluster] {
        assert_eq!(mode(&directory), 0o700, "{}", directory.display());
    }
    for file in written.files.iter().chain(&kubernetes.files) {
        assert_eq!(mode(file), 0o600, "{}", file.display());
    }
    assert_eq!(written.files.len() + kubernetes.files.len(), 7);
}

#[tokio::test(start_paused = true)]
async fn without_force_nothing_that_is_there_is_touched_and_no_certificate_asked_for() {
    let (scene, clusters) = made(&[kubernetes::guides_template(), swarm::guides_template()]).await;
    for name in ["ca.pem", "cert.pem", "config", "key.pem"] {
        for kind in ["a file", "a link", "a dangling link", "a directory"] {
            let here = tempdir().unwrap();
            let path = here.path().join(name);
            match kind {
                "a file" => fs::write(&path, "precious").unwrap(),
                "a link" => symlink("/etc/hostname", &path).unwrap(),
                "a dangling link" => symlink("nowhere", &path).unwrap(),
                _ => fs::create_dir(&path).unwrap(),
            }
            let before = listing(here.path());
            let written = write(&scene, &clusters[0], here.path(), &Unwanted, false).await;
            let why = if kind == "a directory" {
                "is a directory"
            } else {
                "exists; say force to overwrite it"
            };
            refused(written, ErrorKind::Conflict, &[name, why]);
            assert_eq!(listing(here.path()), before, "{name}: {kind}");
        }
    }
    // What is no file of this configuration is in nobody's way.
    let here = tempdir().unwrap();
    fs::write(here.path().join("config"), "somebody else's").unwrap();
    write(&scene, &clusters[1], here.path(), &EcKeys, false)
        .await
        .unwrap();
    assert_eq!(names(here.path()), ["ca.pem", "cert.pem", "config", "key.pem"]);
    assert!(listing(here.path()).contains(&("config".into(), "somebody else's".into())));
}

#[tokio::test(start_paused = true)]
async fn with_force_files_and_links_are_replaced_and_directories_are_not() {
    let (scene, clusters) = made(&[swarm::guides_template()]).await;
    let (here, elsewhere) = (tempdir().unwrap(), tempdir().unwrap());
    let target = elsewhere.path().join("target");
    fs::write(&target, "precious").unwrap();
    fs::write(here.path().join("key.pem"), "old").unwrap();
    fs::set_permissions(here.path().join("key.pem"), Permissions::from_mode(0o644)).unwrap();
    symlink(&target, here.path().join("ca.pem")).unwrap();
    symlink("nowhere", here.path().join("cert.pem")).unwrap();
    for _ in 0..2 {
        let written = write(&scene, &clusters[0], here.path(), &EcKeys, true)
            .await
            .unwrap();
        assert_eq!(names(here.path()), ["ca.pem", "cert.pem", "key.pem"]);
        fits_together(here.path());
        for file in &written.files {
            assert!(
                !fs::symlink_metadata(file).unwrap().is_symlink(),
                "{}",
                file.display()
            );
            assert_eq!(mode(file), 0o600);
        }
        assert_eq!(fs::read_to_string(&target).unwrap(), "precious");
        assert!(!here.path().join("nowhere").exists());
    }

    fs::remove_file(here.path().join("cert.pem")).unwrap();
    fs::create_dir(here.path().join("cert.pem")).unwrap();
    let before = listing(here.path());
    let written = write(&scene, &clusters[0], here.path(), &Unwanted, true).await;
    refused(written, ErrorKind::Conflict, &["cert.pem is a directory"]);
    assert_eq!(listing(here.path()), before);
}

#[tokio::test(start_paused = true)]
async fn what_goes_wrong_after_the_check_leaves_nothing_behind() {
    let (scene, clusters) = made(&[swarm::guides_template()]).await;
    let home = tempdir().unwrap();
    let (outer, inner) = (home.path().join("a"), home.path().join("a/b"));

    let broken = Meanwhile(|| Err(Error::new(ErrorKind::Unavailable, "no keys today")));
    let written = write(&scene, &clusters[0], &inner, &broken, false).await;
    refused(written, ErrorKind::Unavailable, &["no keys today"]);
    assert_eq!(names(home.path()), [""; 0]);

    let path = inner.join("key.pem");
    let rival = Meanwhile(move || {
        fs::write(&path, "somebody was faster").unwrap();
        Ok(())
    });
    let written = write(&scene, &clusters[0], &inner, &rival, false).await;
    refused(written, ErrorKind::Conflict, &["key.pem exists"]);
    assert_eq!(
        listing(&inner),
        [("key.pem".into(), "somebody was faster".into())],
        "what is somebody else's stays, and nothing else"
    );
    assert_eq!(names(&outer), ["b"]);
}

#[tokio::test(start_paused = true)]
async fn mesos_has_nothing_to_configure() {
    let (scene, clusters) = made(&[mesos::guides_template()]).await;
    let home = tempdir().unwrap();
    let written = write(&scene, &clusters[0], &home.path().join("new"), &Unwanted, false).await;
    let address = clusters[0].api_address.as_ref().unwrap();
    refused(
        written,
        ErrorKind::Unsupported,
        &[
            "Mesos has no TLS and no client configuration",
            &format!("Mesos at http://{address}:5050, Marathon at http://{address}:8080"),
        ],
    );
    assert_eq!(names(home.path()), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn without_tls_there_are_addresses_and_no_keys() {
    let templates = [swarm::guides_template(), kubernetes::guides_template()].map(without_tls);
    let (scene, clusters) = made(&templates).await;
    let home = tempdir().unwrap();
    let docker = write(&scene, &clusters[0], &home.path().join("swarm"), &Unwanted, false)
        .await
        .unwrap();
    let address = clusters[0].api_address.as_ref().unwrap();
    assert!(address.starts_with("tcp://"), "{address}");
    assert!(docker.files.is_empty(), "{:?}", docker.files);
    let exports = docker.exports(Shell::Posix);
    assert_eq!(
        exports,
        format!("export DOCKER_CERT_PATH=''\nexport DOCKER_HOST={address}\nexport DOCKER_TLS_VERIFY=''\n")
    );
    // A shell that had a cluster with TLS has none any more.
    let script = format!(
        "export DOCKER_TLS_VERIFY=True\n{exports}echo \"${{DOCKER_TLS_VERIFY:-without}} $DOCKER_HOST\""
    );
    let said = Command::new("sh").arg("-c").arg(script).output().unwrap();
    assert_eq!(
        String::from_utf8(said.stdout).unwrap(),
        format!("without {address}\n")
    );

    let directory = home.path().join("k8s");
    write(&scene, &clusters[1], &directory, &Unwanted, false)
        .await
        .unwrap();
    assert_eq!(names(&directory), ["config"]);
    let config = fs::read_to_string(directory.join("config")).unwrap();
    let address = clusters[1].api_address.as_ref().unwrap();
    assert!(address.starts_with("http://"), "{address}");
    assert!(
        config.contains(address) && !config.contains("certificate"),
        "{config}"
    );
}

#[tokio::test(start_paused = true)]
async fn directories_may_have_any_name_that_the_environment_can_carry() {
    let (scene, clusters) = made(&[swarm::guides_template(), kubernetes::guides_template()]).await;
    let home = tempdir().unwrap();
    let home = home.path().canonicalize().unwrap();
    for name in [
        "with space",
        "it's \"mine\"",
        "$(touch x)`id`!",
        "line\nend",
        "Zürich",
    ] {
        let wanted = home.join(name);
        let written = write(&scene, &clusters[0], &wanted, &EcKeys, false)
            .await
            .unwrap();
        let script = format!("{}printf %s \"$DOCKER_CERT_PATH\"", written.exports(Shell::Posix));
        let said = Command::new("sh")
            .arg("-c")
            .arg(script)
            .current_dir(&home)
            .output()
            .unwrap();
        assert_eq!(
            String::from_utf8(said.stdout).unwrap(),
            wanted.to_str().unwrap(),
            "{name:?}"
        );
        fits_together(&wanted);
    }

    let wanted = home.join(OsStr::from_bytes(b"not \xff text"));
    let written = write(&scene, &clusters[0], &wanted, &Unwanted, false).await;
    refused(written, ErrorKind::InvalidInput, &["directory", "not UTF-8"]);
    // Reached by a name that is text.
    fs::create_dir(&wanted).unwrap();
    symlink(&wanted, home.join("text")).unwrap();
    let written = write(&scene, &clusters[0], &home.join("text"), &Unwanted, false).await;
    refused(written, ErrorKind::InvalidInput, &["directory", "not UTF-8"]);
    assert_eq!(names(&wanted), [""; 0]);

    // kubectl would look for two files, Docker for one directory.
    let wanted = home.join("a:b");
    let written = write(&scene, &clusters[1], &wanted, &Unwanted, false).await;
    refused(written, ErrorKind::InvalidInput, &["directory", "list of paths"]);
    assert!(!wanted.exists());
    write(&scene, &clusters[0], &wanted, &EcKeys, false)
        .await
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn directories_that_cannot_be_trusted_or_used_are_refused_before_a_key_is_made() {
    let (scene, clusters) = made(&[swarm::guides_template()]).await;
    let with_mode = |mode: u32| -> TempDir {
        let here = tempdir().unwrap();
        fs::set_permissions(here.path(), Permissions::from_mode(mode)).unwrap();
        here
    };
    let open = with_mode(0o777);
    let written = write(&scene, &clusters[0], open.path(), &Unwanted, true).await;
    refused(
        written,
        ErrorKind::Configuration,
        &["everybody may write into it; chmod o-w"],
    );
    assert_eq!(names(open.path()), [""; 0]);
    // As many systems make directories, and as /tmp is.
    for usual in [0o755, 0o775, 0o1777] {
        let here = with_mode(usual);
        write(&scene, &clusters[0], here.path(), &EcKeys, false)
            .await
            .unwrap();
        assert_eq!(
            mode(here.path()),
            usual,
            "a directory that was there keeps its mode"
        );
    }

    let home = tempdir().unwrap();
    let file = home.path().join("file");
    fs::write(&file, "").unwrap();
    let written = write(&scene, &clusters[0], &file, &Unwanted, true).await;
    refused(
        written,
        ErrorKind::Configuration,
        &["file cannot be written: it is not a directory"],
    );
    let written = write(&scene, &clusters[0], &file.join("below"), &Unwanted, true).await;
    refused(written, ErrorKind::Configuration, &["below cannot be written"]);
    assert_eq!(names(home.path()), ["file"]);
}
