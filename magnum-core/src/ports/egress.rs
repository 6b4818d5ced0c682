//! The egress port: which addresses may be connected to where a tenant has a say in them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use url::{Host, Url};

/// Says whether an address that a tenant has influenced may be connected to.
///
/// | Rule | Mandatory |
/// | --- | --- |
/// | The same address MUST always get the same answer | yes |
/// | An IPv4 address within an IPv6 address MUST be judged as well | yes |
pub trait EgressPolicy: fmt::Debug + Send + Sync + 'static {
    /// Whether it may be connected to.
    fn permits(&self, address: IpAddr) -> bool;
}

/// Denies loopback, link-local (there is the cloud's metadata service), unspecified, multicast and broadcast addresses,
/// and what the host adds; also as IPv4 addresses within IPv6 addresses (mapped, compatible, translated, NAT64, 6to4).
///
/// ```
/// use magnum_core::{DefaultEgress, EgressPolicy};
/// # fn f() -> Result<(), Box<dyn std::error::Error>> {
/// // The cloud's own network is closed, but for the discovery service in it.
/// let egress = DefaultEgress::default()
///     .deny("10.0.0.0/8".parse()?)
///     .allow("10.0.0.53/32".parse()?);
/// assert!(egress.permits("203.0.113.5".parse()?));
/// assert!(!egress.permits("169.254.169.254".parse()?));
/// assert!(!egress.permits("::ffff:10.1.2.3".parse()?));
/// assert!(egress.permits("10.0.0.53".parse()?));
/// # Ok(()) }
/// # f().unwrap();
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DefaultEgress {
    denied: Vec<IpNet>,
    allowed: Vec<IpNet>,
}

impl DefaultEgress {
    /// Denies a range besides.
    #[must_use]
    pub fn deny(mut self, range: IpNet) -> Self {
        self.denied.push(range);
        self
    }

    /// Allows a range, whatever else denies it.
    #[must_use]
    pub fn allow(mut self, range: IpNet) -> Self {
        self.allowed.push(range);
        self
    }
}

impl EgressPolicy for DefaultEgress {
    fn permits(&self, address: IpAddr) -> bool {
        let forms = [Some(address), embedded(address).map(IpAddr::V4)];
        let within = |ranges: &[IpNet]| {
            let mut forms = forms.iter().flatten();
            forms.any(|form| ranges.iter().any(|range| range.contains(form)))
        };
        within(&self.allowed)
            || !(within(&self.denied) || forms.iter().flatten().any(|form| is_never_a_peer(*form)))
    }
}

/// The address that a URL's host is, however it is spelled; `localhost` is one as well. `None` for names.
#[must_use]
pub fn literal_address(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(address.into()),
        Host::Domain(name) => {
            let name = name.trim_end_matches('.');
            let local = name == "localhost" || name.ends_with(".localhost");
            local.then_some(IpAddr::V4(Ipv4Addr::LOCALHOST))
        }
    }
}

fn is_never_a_peer(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            address.is_loopback()
                || address.is_link_local()
                || address.is_multicast()
                || address.is_broadcast()
                // "This network": Linux takes its first address for loopback.
                || address.octets()[0] == 0
        }
        IpAddr::V6(address) => {
            address.is_loopback()
                || address.is_unspecified()
                || address.is_unicast_link_local()
                || address.is_multicast()
        }
    }
}

/// The IPv4 address that an IPv6 address leads to.
fn embedded(address: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(address) = address else {
        return None;
    };
    let of = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match address.segments() {
        // Mapped, translated, compatible.
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0, 0, 0, 0, 0xffff, 0, high, low] => Some(of(high, low)),
        [0, 0, 0, 0, 0, 0, high, low] if address > Ipv6Addr::LOCALHOST => Some(of(high, low)),
        // NAT64: the well-known prefix, and the one for a site's own use.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x64, 0xff9b, 1, _, _, _, high, low] => Some(of(high, low)),
        [0x2002, high, low, ..] => Some(of(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
