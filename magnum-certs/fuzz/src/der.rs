//! DER and PEM as far as it takes to wrap what nobody has checked.

/// A tag, a length and a content.
pub fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let length: Vec<u8> = length.into_iter().skip_while(|byte| *byte == 0).collect();
    let mut der = vec![tag];
    if content.len() < 128 {
        der.push(content.len() as u8);
    } else {
        der.push(0x80 | length.len() as u8);
        der.extend(length);
    }
    der.extend_from_slice(content);
    der
}

/// A SEQUENCE.
pub fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

/// A PEM block.
pub fn pem(label: &str, der: &[u8]) -> String {
    let body = openssl::base64::encode_block(der);
    format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
}

/// What the only PEM block of a text holds, for a text that has one.
pub fn block(text: &str) -> Vec<u8> {
    let (_, rest) = text.split_once("-----BEGIN ").unwrap();
    let (_, rest) = rest.split_once("-----").unwrap();
    let (body, _) = rest.split_once("-----END ").unwrap();
    let body: String = body.chars().filter(|char| !char.is_ascii_whitespace()).collect();
    openssl::base64::decode_block(&body).unwrap()
}
