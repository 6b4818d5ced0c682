//! Barbican's API, as far as certificates need it, under the host's service user.
//! barbican/api/controllers/secrets.py and containers.py, release 15 (Zed)

use http::HeaderValue;
use http::header::ACCEPT;
use magnum_core::{Auth, Error, ErrorKind, Result, Secret};
use magnum_openstack::{Answer, Call, OpenStack, Service};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::reference::Kept;

const BARBICAN: Service = Service::KEY_MANAGER;

/// How many things of a list are asked for at once; Barbican may give fewer.
const PAGE: &str = "100";

#[derive(Clone, Debug)]
pub(super) struct Client {
    cloud: OpenStack,
}

/// A container as Barbican shows it.
#[derive(Debug, Deserialize)]
pub(super) struct Container {
    name: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    container_ref: String,
    #[serde(default)]
    secret_refs: Vec<NamedSecret>,
}

/// A secret by its name, in a container or in a list.
#[derive(Debug, Deserialize)]
struct NamedSecret {
    name: Option<String>,
    secret_ref: String,
}

#[derive(Deserialize)]
struct Page<T> {
    #[serde(alias = "secrets", alias = "containers")]
    items: Vec<T>,
    total: usize,
}

#[derive(Deserialize)]
struct Made {
    #[serde(alias = "secret_ref", alias = "container_ref")]
    reference: String,
}

impl Container {
    pub(super) fn is_of_a_certificate(&self) -> bool {
        self.kind == "certificate"
    }

    pub(super) fn kept(&self) -> Result<Kept> {
        read(&self.container_ref)
    }

    /// All its secrets.
    pub(super) fn secrets(&self) -> Result<Vec<Kept>> {
        self.secret_refs
            .iter()
            .map(|part| read(&part.secret_ref))
            .collect()
    }

    /// The secret that it has under a name.
    pub(super) fn secret(&self, name: &str) -> Result<Option<Kept>> {
        let part = self
            .secret_refs
            .iter()
            .find(|part| part.name.as_deref() == Some(name));
        part.map(|part| read(&part.secret_ref)).transpose()
    }
}

impl Client {
    pub(super) fn new(cloud: OpenStack) -> Self {
        Self { cloud }
    }

    /// Makes a secret of a text; returns its URL, which Barbican wants to see again as it was.
    pub(super) async fn create_secret(&self, label: &str, kind: &str, text: &str) -> Result<String> {
        let body = json!({
            "name": label,
            "secret_type": kind,
            "payload": text,
            "payload_content_type": "text/plain",
        });
        let mut call = Call::post(BARBICAN, "secret.create", "/secrets").json(&body);
        // A refusal may quote the payload, with its line feeds written in another way.
        for line in text.lines() {
            call = call.secret(line);
        }
        let made: Made = self.call(&call).await?.json()?;
        Ok(made.reference)
    }

    /// Lets only these users read it, whatever roles others have in its project but those of an administrator.
    pub(super) async fn restrict(&self, kept: &Kept, users: &[String]) -> Result<()> {
        let body = json!({"read": {"users": users, "project-access": false}});
        let call = match kept {
            Kept::Container(_) => Call::put(BARBICAN, "container.acl", "/containers/{id}/acl"),
            Kept::Secret(_) => Call::put(BARBICAN, "secret.acl", "/secrets/{id}/acl"),
        };
        self.call(&call.segment(kept.id()).json(&body)).await?;
        Ok(())
    }

    /// What a URL of Barbican's names.
    pub(super) fn named(url: &str) -> Result<Kept> {
        read(url)
    }

    /// The user whose secrets they are.
    pub(super) async fn own_user(&self) -> Result<String> {
        self.cloud.user_id(&Auth::Service).await
    }

    /// Makes a container of type `certificate` of secrets, by their names in it.
    pub(super) async fn create_container(&self, label: &str, parts: &[(&str, String)]) -> Result<Kept> {
        let parts: Vec<_> = parts
            .iter()
            .map(|(name, secret)| json!({"name": name, "secret_ref": secret}))
            .collect();
        let body = json!({"name": label, "type": "certificate", "secret_refs": parts});
        let call = Call::post(BARBICAN, "container.create", "/containers").json(&body);
        let made: Made = self.call(&call).await?.json()?;
        read(&made.reference)
    }

    pub(super) async fn container(&self, container: &Kept) -> Result<Container> {
        let call = Call::get(BARBICAN, "container.get", "/containers/{id}").segment(container.id());
        self.call(&call).await?.json()
    }

    /// A secret's text.
    pub(super) async fn payload(&self, secret: &Kept) -> Result<Secret> {
        let call = Call::get(BARBICAN, "secret.payload", "/secrets/{id}/payload")
            .segment(secret.id())
            .header(ACCEPT, HeaderValue::from_static("text/plain"));
        let answer = self.call(&call).await?;
        match std::str::from_utf8(answer.body()) {
            Ok(text) => Ok(Secret::new(text)),
            Err(_) => Err(not_understood("the payload of a secret that is not text")),
        }
    }

    /// Removes a container or a secret; a container's secrets stay.
    pub(super) async fn remove(&self, kept: &Kept) -> Result<()> {
        let call = match kept {
            Kept::Container(_) => Call::delete(BARBICAN, "container.delete", "/containers/{id}"),
            Kept::Secret(_) => Call::delete(BARBICAN, "secret.delete", "/secrets/{id}"),
        };
        self.call(&call.segment(kept.id())).await?;
        Ok(())
    }

    /// The secrets of exactly this label.
    pub(super) async fn secrets(&self, label: &str) -> Result<Vec<Kept>> {
        let list = Call::get(BARBICAN, "secret.list", "/secrets").query("name", label);
        let mut listed: Vec<NamedSecret> = self.all(list).await?;
        listed.retain(|secret| secret.name.as_deref() == Some(label));
        listed.iter().map(|secret| read(&secret.secret_ref)).collect()
    }

    /// The certificates' containers of exactly this label.
    pub(super) async fn containers(&self, label: &str) -> Result<Vec<Container>> {
        let list = Call::get(BARBICAN, "container.list", "/containers")
            .query("name", label)
            .query("type", "certificate");
        let mut listed: Vec<Container> = self.all(list).await?;
        listed.retain(|container| container.name.as_deref() == Some(label));
        Ok(listed)
    }

    /// All that a list has, page by page.
    async fn all<T: DeserializeOwned>(&self, list: Call) -> Result<Vec<T>> {
        let mut found: Vec<T> = Vec::new();
        loop {
            let call = list
                .clone()
                .query("limit", PAGE)
                .query("offset", found.len().to_string());
            let page: Page<T> = self.call(&call).await?.json()?;
            let last = page.items.is_empty();
            found.extend(page.items);
            if last || found.len() >= page.total {
                return Ok(found);
            }
        }
    }

    async fn call(&self, call: &Call) -> Result<Answer> {
        self.cloud.call(&Auth::Service, call).await
    }
}

/// What a URL of Barbican's names.
fn read(url: &str) -> Result<Kept> {
    Kept::read(url).ok_or_else(|| not_understood("a reference in a form that is not understood"))
}

fn not_understood(what: &str) -> Error {
    let message = format!("{} answered with {what}", BARBICAN.title());
    Error::new(ErrorKind::Unavailable, message).at(BARBICAN.name(), "certificate")
}
