//! Certificates before the judgement of others: `openssl verify` and `x509-cert`.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use x509_cert::Certificate;
use x509_cert::der::DecodePem;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, SubjectAltName};

use crate::setting::NOW;

/// Asks `openssl verify`, in strict mode at `NOW`.
pub(crate) fn openssl_verify(ca: &str, leaf: &str, arguments: &[&str]) -> Result<(), String> {
    let mut said = openssl_verify_each(ca, &[leaf], &[&["-x509_strict"], arguments].concat());
    said.pop().unwrap()
}

/// Asks `openssl verify` at `NOW` about each leaf; what it says when it refuses.
pub(crate) fn openssl_verify_each(ca: &str, leaves: &[&str], arguments: &[&str]) -> Vec<Result<(), String>> {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: String, content: &str| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        path
    };
    let ca_file = file("ca.pem".into(), ca);
    let files: Vec<PathBuf> = leaves
        .iter()
        .enumerate()
        .map(|(at, leaf)| file(format!("leaf-{at}.pem"), leaf))
        .collect();
    let said = Command::new("openssl")
        .args(["verify", "-check_ss_sig", "-no-CApath", "-no-CAstore", "-attime"])
        .arg(NOW.to_string())
        .args(arguments)
        .arg("-CAfile")
        .arg(&ca_file)
        .args(&files)
        .output()
        .expect("the openssl command is needed");
    let (out, err) = (
        String::from_utf8_lossy(&said.stdout),
        String::from_utf8_lossy(&said.stderr),
    );
    let verdict = |file: &PathBuf| {
        let good = format!("{}: OK", file.display());
        let is_good = out.lines().any(|line| line == good);
        if is_good {
            Ok(())
        } else {
            Err(err.clone().into_owned())
        }
    };
    files.iter().map(verdict).collect()
}

pub(crate) fn parsed(pem: &str) -> Certificate {
    Certificate::from_pem(pem).unwrap()
}

pub(crate) fn is_authority(certificate: &Certificate) -> bool {
    let constraints = certificate.tbs_certificate().get_extension::<BasicConstraints>();
    constraints.unwrap().unwrap().1.ca
}

pub(crate) fn purposes(certificate: &Certificate) -> Vec<ObjectIdentifier> {
    let usage = certificate.tbs_certificate().get_extension::<ExtendedKeyUsage>();
    usage.unwrap().unwrap().1.0
}

/// `DNS:…` and `IP:…` in the certificate's order.
pub(crate) fn names(certificate: &Certificate) -> Vec<String> {
    let Some((_, names)) = certificate
        .tbs_certificate()
        .get_extension::<SubjectAltName>()
        .unwrap()
    else {
        return Vec::new();
    };
    let text = |name: &GeneralName| match name {
        GeneralName::DnsName(dns) => format!("DNS:{}", dns.as_str()),
        GeneralName::IpAddress(octets) => format!("IP:{:?}", octets.as_bytes()),
        other => format!("{other:?}"),
    };
    names.0.iter().map(text).collect()
}

pub(crate) fn organizations(certificate: &Certificate) -> Vec<String> {
    let organization = ObjectIdentifier::new_unwrap("2.5.4.10");
    let all = certificate.tbs_certificate().subject().iter();
    all.filter(|attribute| attribute.oid == organization)
        .map(|attribute| String::from_utf8_lossy(attribute.value.value()).into_owned())
        .collect()
}

/// Seconds since 1970: begin and end.
pub(crate) fn validity(certificate: &Certificate) -> (i64, i64) {
    let validity = certificate.tbs_certificate().validity();
    let seconds = |time: x509_cert::time::Time| i64::try_from(time.to_unix_duration().as_secs()).unwrap();
    (seconds(validity.not_before), seconds(validity.not_after))
}
