//! Writes the seeds anew: `cargo run --example seeds`, in the directory of the targets.

use std::fs;
use std::path::Path;

use magnum_certs_fuzz::request::{info, signed};
use magnum_certs_fuzz::{WORLD, der};

/// `CN=alice`, as the content of a subject.
const ALICE: &[u8] = b"\x31\x0e\x30\x0c\x06\x03\x55\x04\x03\x0c\x05alice";
/// `O=a`.
const A: &[u8] = b"\x31\x0a\x30\x08\x06\x03\x55\x04\x0a\x0c\x01a";
/// `basicConstraints` critical without CA, `keyUsage` of `digitalSignature`, `extendedKeyUsage` of `clientAuth`.
const MODEST: &[u8] = b"\x30\x0c\x06\x03\x55\x1d\x13\x01\x01\xff\x04\x02\x30\x00\
    \x30\x0b\x06\x03\x55\x1d\x0f\x04\x04\x03\x02\x07\x80\
    \x30\x13\x06\x03\x55\x1d\x25\x04\x0c\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x02";
/// `subjectAltName` of `DNS:master-0` and `IP:10.0.0.5`.
const NAMES: &[u8] = b"\x30\x19\x06\x03\x55\x1d\x11\x04\x12\x30\x10\x82\x08master-0\x87\x04\x0a\x00\x00\x05";
/// `basicConstraints` with CA.
const AUTHORITY: &[u8] = b"\x30\x0c\x06\x03\x55\x1d\x13\x04\x05\x30\x03\x01\x01\xff";

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    let write = |name: &str, form: u8, content: &[u8]| {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, [&[form], content].concat()).unwrap();
    };
    let both = [ALICE, A].concat();
    for (name, subject, extensions) in [
        ("bare", ALICE, &b""[..]),
        ("modest", &both, MODEST),
        ("names", ALICE, NAMES),
        ("authority", ALICE, AUTHORITY),
    ] {
        let request = signed(&info(subject, extensions));
        let text = der::pem("CERTIFICATE REQUEST", &request);
        write(&format!("csr/text-{name}"), b'2', text.as_bytes());
        write(&format!("csr/der-{name}"), b'3', &request);
        write(&format!("csr/info-{name}"), b'4', &info(subject, extensions));
        let length = [u8::try_from(subject.len()).unwrap()];
        write(
            &format!("csr/parts-{name}"),
            b'5',
            &[&length, subject, extensions].concat(),
        );
    }
    write("csr/wanted", b'6', &[0; 64]);

    let ca = &WORLD.ca;
    let key = ca.private_key.expose();
    write("pem/certificate-text", b'0', ca.certificate.as_bytes());
    write("pem/certificate-der", b'1', &der::block(&ca.certificate));
    write("pem/key-text", b'2', key.as_bytes());
    write("pem/key-der", b'3', &der::block(key));
    let encrypted = key.replacen('\n', "\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n", 1);
    write("pem/key-encrypted", b'2', encrypted.as_bytes());
    let encrypted = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    write("pem/key-pkcs8-encrypted", b'2', encrypted.as_bytes());
    write("pem/intermediates", b'4', ca.certificate.as_bytes());
    write(
        "pem/sealing-key",
        b'5',
        b"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
    );
}
