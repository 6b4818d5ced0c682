//! Mesos has no client of its own to configure.

use magnum_core::{ClientConfig, Cluster, Error, ErrorKind, Result};

/// An error that says what to use instead.
pub(crate) fn config(cluster: &Cluster) -> Result<ClientConfig> {
    let message = match &cluster.api_address {
        Some(address) => format!(
            "Mesos has no TLS and no client configuration: use its addresses, Mesos at http://{address}:5050, \
             Marathon at http://{address}:8080"
        ),
        None => format!(
            "Mesos has no TLS and no client configuration; cluster {} has no address yet, its status is {}",
            cluster.name, cluster.status
        ),
    };
    Err(Error::new(ErrorKind::Unsupported, message).at("driver", "client configuration"))
}
