//! What lets servers reach the node endpoint and the cloud: the parameters with secrets in them.

use magnum_core::{Error, ErrorKind, Parameters, PoolRole, Result, StackInput};
use serde_json::json;

use super::grammar;

/// The parameters of a cluster with masters and nodes: with TLS how both reach the node endpoint, and, where something
/// on them acts in the cloud, the cluster's trust.
///
/// # Errors
/// `Configuration` when something of it is missing, cannot be written into a script, or has no room there.
pub(crate) fn parameters(input: &StackInput<'_>, trust_on_servers: bool) -> Result<Parameters> {
    let mut parameters = Parameters::new();
    let mut text = |name: &str, value: String| parameters.insert(name.to_owned(), json!(value));
    if input.cluster.tls() {
        for (name, value) in grammar::node_access(input.nodes, PoolRole::Worker)? {
            text(name, value);
        }
        let [.., (_, credential)] = grammar::node_access(input.nodes, PoolRole::Master)?;
        text("master_credential", credential);
    }
    if trust_on_servers {
        parameters.extend(trust(input)?);
    }
    authorities_have_room(&parameters)?;
    Ok(parameters)
}

/// The parameters by which servers act under the cluster's trust.
///
/// # Errors
/// `Configuration` when there is none, or something of it cannot be written into a script.
pub(crate) fn trust(input: &StackInput<'_>) -> Result<Parameters> {
    let values = grammar::trust_access(input.trust)?.into_iter();
    Ok(values
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .collect())
}

/// Nova takes 65535 bytes of base64; beside the scripts and all other values this many bytes of the two certificate
/// authorities, in base64, have room.
const AUTHORITIES_ROOM: usize = 12_000;

fn authorities_have_room(parameters: &Parameters) -> Result<()> {
    let length = |name: &str| parameters.get(name).and_then(|v| v.as_str()).map_or(0, str::len);
    let together = length("node_endpoint_ca") + length("openstack_ca");
    if together <= AUTHORITIES_ROOM {
        return Ok(());
    }
    let message = format!(
        "the certificate authorities of the node endpoint and the cloud have no room in the servers' user data: they \
         are {together} bytes in base64, {AUTHORITIES_ROOM} are allowed; leave out what is not needed"
    );
    Err(Error::new(ErrorKind::Configuration, message).at("driver", "user data"))
}
