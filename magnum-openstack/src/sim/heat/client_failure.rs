//! Refusals of the services, as their clients report them to a plug-in.

use super::plugin::{Failure, Operation, failure};
use crate::sim::ApiFault;

/// Whose client reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    Neutron,
    Nova,
    Cinder,
    Octavia,
}

impl Operation<'_> {
    /// A refusal of Neutron as its client reports it.
    pub(crate) fn neutron(&mut self, fault: &ApiFault) -> Failure {
        self.refused(Service::Neutron, fault)
    }

    /// A refusal of Nova as its client reports it.
    pub(crate) fn nova(&mut self, fault: &ApiFault) -> Failure {
        self.refused(Service::Nova, fault)
    }

    /// A refusal of Cinder as its client reports it.
    pub(crate) fn cinder(&mut self, fault: &ApiFault) -> Failure {
        self.refused(Service::Cinder, fault)
    }

    /// A refusal of Octavia as its client reports it.
    pub(crate) fn octavia(&mut self, fault: &ApiFault) -> Failure {
        self.refused(Service::Octavia, fault)
    }

    fn refused(&mut self, service: Service, fault: &ApiFault) -> Failure {
        let id = self.world.new_uuid();
        let mut failure = client_failure(service, fault);
        failure.text.push_str(&match service {
            Service::Neutron => format!("\nNeutron server returns request_ids: ['req-{id}']"),
            _ => format!(" (Request-ID: req-{id})"),
        });
        failure
    }
}

/// A failure as the client of a service reports it.
pub(crate) fn client_failure(service: Service, fault: &ApiFault) -> Failure {
    let name = match service {
        Service::Neutron => neutron_name(fault),
        Service::Nova | Service::Cinder => match fault.status {
            400 => "BadRequest",
            401 => "Unauthorized",
            403 => "Forbidden",
            404 => "NotFound",
            409 => "Conflict",
            413 => "OverLimit",
            429 => "RateLimit",
            _ => "ClientException",
        }
        .to_owned(),
        // One error for everything; the status is in the text only.
        Service::Octavia => "OctaviaClientException".to_owned(),
    };
    let message = match service {
        Service::Neutron => fault.message.clone(),
        _ => format!("{} (HTTP {})", fault.message, fault.status),
    };
    failure(&name, message)
}

/// Neutron's client has an error of its own for some kinds, and one per status for the rest.
fn neutron_name(fault: &ApiFault) -> String {
    const OWN: [&str; 13] = [
        "NetworkNotFound",
        "PortNotFound",
        "StateInvalid",
        "NetworkInUse",
        "PortInUse",
        "IpAddressInUse",
        "IpAddressAlreadyAllocated",
        "InvalidIpForNetwork",
        "InvalidIpForSubnet",
        "OverQuota",
        "IpAddressGenerationFailure",
        "MacAddressInUse",
        "ExternalIpAddressExhausted",
    ];
    if OWN.contains(&fault.kind.as_str()) {
        return format!("{}Client", fault.kind);
    }
    match fault.status {
        400 => "BadRequest",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "NotFound",
        409 => "Conflict",
        503 => "ServiceUnavailable",
        _ => "NeutronClientException",
    }
    .to_owned()
}
