//! What `kubectl` needs.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use magnum_core::{ClientConfig, ClientIdentity, Cluster, Error, ErrorKind, Result, Secret};
use serde_json::json;

use crate::{Language, TemplateText};

/// A configuration file with everything in it, and the same key and certificates as files of their own for other
/// clients of the API.
pub(crate) fn client_config(cluster: &Cluster, identity: Option<&ClientIdentity>) -> Result<ClientConfig> {
    let refuse = |kind, message: String| Err(Error::new(kind, message).at("driver", "client configuration"));
    let Some(address) = &cluster.api_address else {
        let message = format!(
            "cluster {} has no address yet; its status is {}",
            cluster.name, cluster.status
        );
        return refuse(ErrorKind::Conflict, message);
    };
    let mut files = BTreeMap::new();
    let values = match (cluster.tls(), identity) {
        (false, _) => json!({"name": cluster.name, "server": address, "tls": false}),
        (true, None) => {
            let message = "Kubernetes demands a client certificate, and none was made";
            return refuse(ErrorKind::InvalidInput, message.to_owned());
        }
        (true, Some(identity)) => {
            files.insert("ca.pem".to_owned(), Secret::new(identity.ca.clone()));
            files.insert("cert.pem".to_owned(), Secret::new(identity.certificate.clone()));
            files.insert("key.pem".to_owned(), identity.private_key.clone());
            json!({
                "name": cluster.name,
                "server": address,
                "tls": true,
                "ca": STANDARD.encode(&identity.ca),
                "certificate": STANDARD.encode(&identity.certificate),
                "key": STANDARD.encode(identity.private_key.expose()),
            })
        }
    };
    let text = TemplateText::new(Language::Yaml);
    let config = text.assemble(include_str!("templates/kubeconfig.yaml"), &values)?;
    files.insert("config".to_owned(), Secret::new(config));
    Ok(ClientConfig {
        files,
        environment: BTreeMap::from([("KUBECONFIG".to_owned(), "{dir}/config".to_owned())]),
    })
}
