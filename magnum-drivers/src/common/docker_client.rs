//! What the `docker` client needs.

use std::collections::BTreeMap;

use magnum_core::{ClientConfig, ClientIdentity, Cluster, Error, ErrorKind, Result, Secret};

/// Key and certificates under the names that the client looks for, and the environment that leads it there.
pub(crate) fn config(cluster: &Cluster, identity: Option<&ClientIdentity>) -> Result<ClientConfig> {
    let Some(address) = &cluster.api_address else {
        let message = format!(
            "cluster {} has no address yet; its status is {}",
            cluster.name, cluster.status
        );
        return Err(Error::new(ErrorKind::Conflict, message).at("driver", "client configuration"));
    };
    let (files, verify, directory) = if cluster.tls() {
        let Some(identity) = identity else {
            let message = "Docker demands a client certificate, and none was made";
            return Err(Error::new(ErrorKind::InvalidInput, message).at("driver", "client configuration"));
        };
        let files = BTreeMap::from([
            ("ca.pem".to_owned(), Secret::new(identity.ca.clone())),
            ("cert.pem".to_owned(), Secret::new(identity.certificate.clone())),
            ("key.pem".to_owned(), identity.private_key.clone()),
        ]);
        (files, "True", "{dir}")
    } else {
        // Any value at all, `False` too, is TLS to the client; what another cluster's configuration has set must go.
        (BTreeMap::new(), "", "")
    };
    let environment = [
        ("DOCKER_HOST", address.as_str()),
        ("DOCKER_CERT_PATH", directory),
        ("DOCKER_TLS_VERIFY", verify),
    ];
    Ok(ClientConfig {
        files,
        environment: environment
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
    })
}
