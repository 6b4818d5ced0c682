//! Hostile forms of addresses that must not be connected to.

use proptest::prelude::*;

use super::*;

fn permitted(egress: &DefaultEgress, url: &str) -> bool {
    let parsed = Url::parse(url).unwrap_or_else(|error| panic!("{url}: {error}"));
    literal_address(&parsed).is_none_or(|address| egress.permits(address))
}

#[test]
fn hostile_forms_of_local_addresses_are_denied() {
    let egress = DefaultEgress::default();
    for url in [
        "http://127.0.0.1/",
        "http://127.1/",
        "http://127.0.1:80/",
        "http://127.0.0.1./",
        "http://0x7f000001/",
        "http://0x7f.1/",
        "http://0X7F.0x0.0X0.0x1/",
        "http://2130706433/",
        "http://017700000001/",
        "http://0177.0.0.01/",
        "http://%31%32%37.0.0.1/",
        "http://１２７.０.０.１/",
        "http://127。0。0。1/",
        "http://①②⑦.0.0.1/",
        "http:127.0.0.1/",
        "http:/127.0.0.1/",
        "http:\\\\127.0.0.1\\",
        "http://example.com@127.0.0.1/",
        "http://example.com:80@127.0.0.1:8080/",
        "http://127.0.0.1#@example.com/",
        "http://127.0.0.1?@example.com/",
        "http://[::1]/",
        "http://[0:0:0:0:0:0:0:1]/",
        "http://[::]/",
        "http://[::127.0.0.1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]/",
        "http://[::ffff:0:127.0.0.1]/",
        "http://[64:ff9b::127.0.0.1]/",
        "http://[64:ff9b:1::a9fe:a9fe]/",
        "http://[2002:7f00:1::]/",
        "http://[2002:a9fe:a9fe::1]/",
        "http://[fe80::1]/",
        "http://[ff02::1]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://2852039166/",
        "http://0xa9fea9fe/",
        "http://[::ffff:169.254.169.254]/",
        "http://0/",
        "http://0.0.0.0/",
        "http://0.1.2.3/",
        "http://224.0.0.1/",
        "http://255.255.255.255/",
        "http://localhost/",
        "http://LOCALHOST./",
        "http://a.localhost/",
        "http://ｌocalhost/",
    ] {
        assert!(!permitted(&egress, url), "{url}");
    }
    for url in [
        "https://discovery.etcd.io/x",
        "http://10.0.0.1/",
        "http://192.168.0.1/",
        "http://203.0.113.5/",
        "http://[2001:db8::1]/",
        "http://[64:ff9b::203.0.113.5]/",
        "http://[fd00::1]/",
        "http://localhost.example/",
        "http://127.0.0.1.example/",
    ] {
        assert!(permitted(&egress, url), "{url}");
    }
}

#[test]
fn what_the_host_denies_is_denied_and_what_it_allows_is_allowed() {
    let egress = DefaultEgress::default()
        .deny("10.0.0.0/8".parse().unwrap())
        .deny("fd00::/8".parse().unwrap())
        .allow("10.0.0.53/32".parse().unwrap())
        .allow("127.0.0.1/32".parse().unwrap());
    for (address, permitted) in [
        ("10.1.2.3", false),
        ("::ffff:10.1.2.3", false),
        ("64:ff9b::a01:203", false),
        ("2002:a01:203::1", false),
        ("fd00::1", false),
        ("10.0.0.53", true),
        ("::ffff:10.0.0.53", true),
        ("127.0.0.1", true),
        ("127.0.0.2", false),
        ("11.0.0.1", true),
    ] {
        assert_eq!(egress.permits(address.parse().unwrap()), permitted, "{address}");
    }
}

/// Every way in which a URL can spell an IPv4 address, or an IPv6 address that leads to it.
fn spellings(address: Ipv4Addr) -> Vec<String> {
    let number = u32::from(address);
    let [a, b, c, d] = address.octets();
    let (high, low) = (number >> 16, number & 0xffff);
    let rest = number & 0x00ff_ffff;
    vec![
        format!("{address}"),
        format!("{address}."),
        format!("{number}"),
        format!("{number:#x}"),
        format!("0{number:o}"),
        format!("{a}.{rest}"),
        format!("{a:#x}.0{b:o}.{}", u32::from(c) << 8 | u32::from(d)),
        format!("0{a:o}.{b:#X}.{c}.0{d:o}").replace("0X", "0x"),
        format!("user:password@{address}"),
        format!("[::{high:x}:{low:x}]"),
        format!("[::ffff:{address}]"),
        format!("[::ffff:0:{address}]"),
        format!("[64:ff9b::{address}]"),
        format!("[64:ff9b:1:2:3:4:{high:x}:{low:x}]"),
        format!("[2002:{high:x}:{low:x}:1::2]"),
    ]
}

proptest! {
    #[test]
    fn no_spelling_of_a_denied_address_is_permitted(number: u32, port in 1u16..) {
        let address = Ipv4Addr::from(number);
        let range = IpNet::from(IpAddr::V4(address));
        let denies = DefaultEgress::default().deny(range);
        for host in spellings(address) {
            // Addresses within ::/96 that are no IPv4 address.
            if number <= 1 && host.starts_with("[::") && !host.contains('.') {
                continue;
            }
            let url = format!("http://{host}:{port}/x");
            prop_assert!(!permitted(&denies, &url), "{url}");
        }
    }

    #[test]
    fn no_spelling_of_loopback_or_link_local_is_permitted(a in prop::sample::select(vec![127u8, 0]), rest in 0u32..1 << 24, low: u16) {
        let egress = DefaultEgress::default();
        let loopback = Ipv4Addr::from(u32::from(a) << 24 | rest);
        let metadata = Ipv4Addr::from(0xa9fe_0000 | u32::from(low));
        for host in spellings(loopback).into_iter().chain(spellings(metadata)) {
            let url = format!("http://{host}/");
            prop_assert!(!permitted(&egress, &url), "{url}");
        }
    }
}
