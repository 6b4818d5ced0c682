use super::*;
use crate::{AuthMethod, DomainRef, Named, Scope};

const CLOUDS: &str = r"
# anchors and merges, as people write them
x-common: &common
  region_name: RegionOne
  interface: internal
clouds:
  devstack:
    <<: *common
    auth:
      auth_url: http://127.0.0.1:5000/v3
      username: demo
      password: 0123
      project_name: demo
      user_domain_name: Default
      project_domain_id: default
    identity_api_version: 3
    volume_api_version: 3
  split:
    auth:
      auth_url: http://h/identity
      user_id: u1
      project_id: p1
  app:
    auth_type: v3applicationcredential
    auth:
      auth_url: https://h:5000
      application_credential_id: a1
      application_credential_secret: s3cret
  insecure:
    verify: false
    auth: {auth_url: 'https://h', token: tok, project_id: p1}
  plain:
    verify: false
    auth: {auth_url: 'http://h', token: tok, project_id: p1}
  vendor:
    profile: rackspace
    auth: {username: u, password: p}
  odd:
    auth_type: v3oidcpassword
    auth: {auth_url: 'http://h'}
  domainless:
    auth: {auth_url: 'http://h', username: u, password: p}
  empty:
";

fn cloud(name: &str) -> Result<CloudConfig> {
    let secure = ConfigFile::new("secure.yaml", "clouds: {split: {auth: {password: hunter2}}}");
    CloudConfig::from_files(&ConfigFile::new("clouds.yaml", CLOUDS), Some(&secure), Some(name))
}

#[test]
fn a_cloud_is_read() {
    let cloud = cloud("devstack").unwrap();
    assert_eq!(cloud.auth_url, "http://127.0.0.1:5000/v3");
    assert_eq!(cloud.region.as_deref(), Some("RegionOne"));
    assert_eq!(cloud.interface, Interface::Internal);
    let user = Named::new("demo", DomainRef::name("Default"));
    let project = Named::new("demo", DomainRef::id("default"));
    assert_eq!(
        cloud.credentials,
        Credentials::password(user, "0123").in_project(project)
    );
}

#[test]
fn the_secure_file_adds_the_password() {
    let cloud = cloud("split").unwrap();
    assert_eq!(
        cloud.credentials,
        Credentials::password(Named::id("u1"), "hunter2").in_project(Named::id("p1"))
    );
    assert!(!format!("{cloud:?}").contains("hunter2"));
}

#[test]
fn methods_are_told_apart() {
    assert!(matches!(
        cloud("app").unwrap().credentials.method(),
        AuthMethod::ApplicationCredential { user: None, .. }
    ));
    let plain = cloud("plain").unwrap();
    assert!(matches!(plain.credentials.method(), AuthMethod::Token(_)));
    assert_eq!(plain.credentials.scope(), &Scope::Project(Named::id("p1")));
}

#[test]
fn errors_name_file_and_key() {
    let table = [
        (
            "nowhere",
            "clouds.yaml: no cloud 'nowhere'; there are: app, devstack, domainless, empty, insecure, odd, plain, split, vendor",
        ),
        (
            "insecure",
            "clouds.yaml: cloud 'insecure': verify is off, but certificates are always verified here: name the CA with cacert",
        ),
        (
            "vendor",
            "clouds.yaml: cloud 'vendor': auth_url is missing, and what the profile 'rackspace' says is not known here: write it out",
        ),
        (
            "odd",
            "clouds.yaml: cloud 'odd': auth_type 'v3oidcpassword' is not one of password, token, v3applicationcredential",
        ),
        (
            "domainless",
            "clouds.yaml: cloud 'domainless': user_domain_name is missing (or user_domain_id)",
        ),
        ("empty", "clouds.yaml: cloud 'empty': auth_url is missing"),
    ];
    for (name, message) in table {
        let error = cloud(name).unwrap_err();
        assert_eq!(
            (error.kind(), error.to_string().as_str()),
            (ErrorKind::Configuration, message)
        );
    }
}

#[test]
fn a_broken_file_is_not_quoted() {
    let file = ConfigFile::new("clouds.yaml", "clouds:\n  a:\n    auth: hunter2\n  b: [hunter2\n");
    let error = CloudConfig::from_files(&file, None, Some("a")).unwrap_err();
    let all = format!("{error} {error:?}");
    assert!(
        all.contains("clouds.yaml: not a file of clouds at line "),
        "{all}"
    );
    assert!(!all.contains("hunter2"), "{all}");
}

#[test]
fn without_a_name_the_only_cloud_is_meant() {
    let one = ConfigFile::new(
        "c",
        "clouds: {a: {auth: {auth_url: 'http://h', user_id: u, password: p}}}",
    );
    assert_eq!(CloudConfig::from_files(&one, None, None).unwrap().name, "a");
    let several = CloudConfig::from_files(&ConfigFile::new("c", CLOUDS), None, None).unwrap_err();
    assert_eq!(
        several.to_string(),
        "c: there are several clouds; name one, or set OS_CLOUD"
    );
    let none = CloudConfig::from_files(&ConfigFile::new("c", ""), None, None).unwrap_err();
    assert_eq!(none.to_string(), "c: there are no clouds in it");
}

#[test]
fn the_environment_has_the_same_keys() {
    let variables = [
        ("OS_AUTH_URL", "http://h:5000/v3"),
        ("OS_USERNAME", "demo"),
        ("OS_PASSWORD", "hunter2"),
        ("OS_PROJECT_NAME", "demo"),
        ("OS_USER_DOMAIN_NAME", "Default"),
        ("OS_PROJECT_DOMAIN_NAME", "Default"),
        ("OS_REGION_NAME", "RegionOne"),
        ("OS_INTERFACE", "publicURL"),
        ("OS_CACERT", ""),
        ("HOME", "/root"),
    ];
    let cloud = CloudConfig::from_environment(variables).unwrap();
    assert_eq!(cloud.name, "envvars");
    assert_eq!(cloud.interface, Interface::Public);
    assert_eq!(cloud.region.as_deref(), Some("RegionOne"));
    let error = CloudConfig::from_environment(variables.into_iter().filter(|(key, _)| *key != "OS_PASSWORD"))
        .unwrap_err();
    assert_eq!(error.to_string(), "environment: OS_PASSWORD is missing");
}

#[test]
fn certificates_are_read_from_files() {
    let text =
        "clouds: {a: {cacert: /nowhere/ca.pem, auth: {auth_url: 'https://h', user_id: u, password: p}}}";
    let error = CloudConfig::from_files(&ConfigFile::new("c", text), None, None).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("c: cloud 'a': cacert names a file that cannot be read, /nowhere/ca.pem: "),
        "{error}"
    );
}
