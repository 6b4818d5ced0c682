//! The library's own discovery service, as the members of etcd 3 speak to it (etcd's API version 2):
//!
//! | Request below `…/v1/discovery/<cluster>/<token>` | Answer |
//! | --- | --- |
//! | `GET /_config/size` | how many members there will be |
//! | `GET ` | the members, in the order of their registration, or of their ids with `sorted=true` |
//! | `GET /<member>` | one member |
//! | `GET …?wait=true&waitIndex=N` | the first registration that is N or later, as soon as there is one; nothing after 20 s |
//! | `PUT /<member>?prevExist=false`, form `value=…` | 201; 412 when it has registered before; 403 when all have |
//!
//! Whoever does not know the token gets 404, whether the cluster exists or not. Members never leave, and none registers
//! twice: one that lost its data must not come back as itself.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use serde_json::{Value, json};

use super::Magnum;
use super::nodes::{last_of, response};
use crate::model::{ClusterId, DiscoveryMember, DiscoveryRegistry};
use crate::ports::{Commit, Write, within};
use crate::{Error, ErrorKind};

/// How long a member waits for news before it has to ask again.
const LONGEST_WAIT: Duration = Duration::from_secs(20);
/// How often the store is looked at meanwhile, for registrations that another process took.
const LOOK: Duration = Duration::from_secs(2);
/// The index of `_config/size`; the registrations are counted on from it. Greater than 1, because etcd asks for what comes
/// after the index before its own, and 0 would mean from now on.
const FIRST_INDEX: usize = 2;
/// Identifiers are numbers of 64 bits, in hexadecimal.
const LONGEST_ID: usize = 16;
/// A name and some URLs.
const LONGEST_VALUE: usize = 1024;

/// What is asked for below the token.
enum Key<'a> {
    Directory,
    Size,
    Member(&'a str),
}

/// A refusal in the terms of etcd.
#[derive(Clone, Copy)]
struct Refusal(StatusCode, u16, &'static str);

const NOT_FOUND: Refusal = Refusal(StatusCode::NOT_FOUND, 100, "Key not found");
const EXISTS: Refusal = Refusal(StatusCode::PRECONDITION_FAILED, 105, "Key already exists");
const FULL: Refusal = Refusal(StatusCode::FORBIDDEN, 107, "all members have registered");
const INVALID: Refusal = Refusal(StatusCode::BAD_REQUEST, 209, "Invalid field");
const NO_SUCH_METHOD: Refusal = Refusal(StatusCode::METHOD_NOT_ALLOWED, 209, "only GET and PUT are served");
const LATER: Refusal = Refusal(StatusCode::SERVICE_UNAVAILABLE, 300, "try again later");

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        tracing::warn!(error = ?error, "a member of etcd was not answered");
        LATER
    }
}

impl Magnum {
    /// Answers a request of a member of etcd; `None` when the path is another one.
    pub(super) async fn discovery_request(&self, request: &Request<Bytes>) -> Option<Response<Bytes>> {
        let rest = last_of(request.uri().path(), &["discovery", "clusters"])
            .filter(|(which, _)| *which == "discovery")
            .map(|(_, rest)| rest)?;
        let answered = self.discovery_answer(request, &rest).await;
        Some(answered.unwrap_or_else(|Refusal(status, code, message)| {
            let body = json!({"errorCode": code, "message": message, "cause": "", "index": 0});
            response(status, "application/json", body.to_string())
        }))
    }

    async fn discovery_answer(
        &self,
        request: &Request<Bytes>,
        rest: &[&str],
    ) -> Result<Response<Bytes>, Refusal> {
        let (id, token, key) = match rest {
            [id, token] | [id, token, ""] => (id, token, Key::Directory),
            [id, token, "_config", "size"] => (id, token, Key::Size),
            [id, token, member] => (id, token, Key::Member(member)),
            _ => return Err(NOT_FOUND),
        };
        let id: ClusterId = id.parse().map_err(|_| NOT_FOUND)?;
        let registry = self.discovery_registry(id, token).await?;
        match (request.method(), &key) {
            (&Method::GET, _) if asks(request, "wait") == Some("true".into()) => {
                let first = asks(request, "waitIndex").map_or(Ok(0), |first| first.parse());
                let first = match first.map_err(|_| INVALID)? {
                    0 => index(&registry) + 1,
                    first => first,
                };
                self.discovery_news(id, token, &key, first).await
            }
            (&Method::GET, _) => {
                let node = match key {
                    Key::Size => size_node(&registry),
                    Key::Directory => directory(&registry, asks(request, "sorted") == Some("true".into())),
                    Key::Member(member) => {
                        let place = registry.members.iter().position(|known| known.id == member);
                        member_node(&registry, place.ok_or(NOT_FOUND)?)
                    }
                };
                Ok(found(&registry, StatusCode::OK, "get", &node))
            }
            (&Method::PUT, Key::Member(member)) => self.discovery_register(registry, member, request).await,
            (&Method::PUT, _) => Err(INVALID),
            _ => Err(NO_SUCH_METHOD),
        }
    }

    async fn discovery_registry(&self, id: ClusterId, token: &str) -> Result<DiscoveryRegistry, Refusal> {
        let registry = crate::discovery::of_token(&*self.inner.store, id, token).await?;
        registry.ok_or(NOT_FOUND)
    }

    /// The first registration from an index on, or nothing, after which etcd asks again.
    async fn discovery_news(
        &self,
        id: ClusterId,
        token: &str,
        key: &Key<'_>,
        first: usize,
    ) -> Result<Response<Bytes>, Refusal> {
        let wanted = |registry: &DiscoveryRegistry| {
            let mut places = 0..registry.members.len();
            places.find(|place| match key {
                Key::Directory => index_of(*place) >= first,
                Key::Member(member) => index_of(*place) >= first && registry.members[*place].id == *member,
                Key::Size => false,
            })
        };
        let watch = async {
            loop {
                let changed = self.inner.changed.notified();
                let registry = self.discovery_registry(id, token).await?;
                if let Some(place) = wanted(&registry) {
                    let node = member_node(&registry, place);
                    return Ok(found(&registry, StatusCode::OK, "create", &node));
                }
                tokio::select! {
                    biased;
                    () = changed => {}
                    () = self.inner.clock.sleep(LOOK) => {}
                }
            }
        };
        match within(&self.inner.clock, LONGEST_WAIT, watch).await {
            Ok(answer) => answer,
            Err(_) => Ok(response(StatusCode::OK, "application/json", String::new())),
        }
    }

    async fn discovery_register(
        &self,
        mut registry: DiscoveryRegistry,
        member: &str,
        request: &Request<Bytes>,
    ) -> Result<Response<Bytes>, Refusal> {
        let member = registration(member, request)?;
        let token = registry.token.clone();
        loop {
            if registry.members.iter().any(|known| known.id == member.id) {
                return Err(EXISTS);
            }
            if registry.members.len() >= usize::try_from(registry.size).unwrap_or(usize::MAX) {
                return Err(FULL);
            }
            registry.members.push(member.clone());
            registry.revision = registry.revision.next();
            let put = Write::PutDiscovery(Box::new(registry.clone()));
            match self.inner.store.commit(Commit::new().write(put)).await {
                Ok(()) => break,
                // Another member was faster; there are not many.
                Err(error) if error.kind() == ErrorKind::Stale => {
                    registry = self.discovery_registry(registry.cluster_id, &token).await?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        self.inner.changed.notify_waiters();
        let node = member_node(&registry, registry.members.len() - 1);
        Ok(found(&registry, StatusCode::CREATED, "create", &node))
    }
}

/// A registration in the form in which etcd sends it, and nothing else.
fn registration(id: &str, request: &Request<Bytes>) -> Result<DiscoveryMember, Refusal> {
    let hexadecimal = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    let mut form = url::form_urlencoded::parse(request.body());
    let (Some((name, value)), None) = (form.next(), form.next()) else {
        return Err(INVALID);
    };
    // Encoded, a character is three at most.
    let fits = request.body().len() <= 4 * LONGEST_VALUE
        && asks(request, "prevExist") == Some("false".into())
        && (1..=LONGEST_ID).contains(&id.len())
        && id.chars().all(hexadecimal)
        && name == "value"
        && (1..=LONGEST_VALUE).contains(&value.len())
        && value.chars().all(|c| c.is_ascii_graphic());
    if !fits {
        return Err(INVALID);
    }
    Ok(DiscoveryMember {
        id: id.to_owned(),
        value: value.into_owned(),
    })
}

fn asks(request: &Request<Bytes>, key: &str) -> Option<String> {
    let query = request.uri().query().unwrap_or_default();
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs
        .find(|(name, _)| name == key)
        .map(|(_, value)| value.into_owned())
}

/// The index at which the member at a place registered.
fn index_of(place: usize) -> usize {
    FIRST_INDEX + 1 + place
}

/// The index of the latest change.
fn index(registry: &DiscoveryRegistry) -> usize {
    FIRST_INDEX + registry.members.len()
}

fn node(registry: &DiscoveryRegistry, name: &str, value: &str, index: usize) -> Value {
    let key = format!("/{}/{name}", registry.cluster_id);
    json!({"key": key, "value": value, "modifiedIndex": index, "createdIndex": index})
}

fn size_node(registry: &DiscoveryRegistry) -> Value {
    node(registry, "_config/size", &registry.size.to_string(), FIRST_INDEX)
}

fn member_node(registry: &DiscoveryRegistry, place: usize) -> Value {
    let member = &registry.members[place];
    node(registry, &member.id, &member.value, index_of(place))
}

fn directory(registry: &DiscoveryRegistry, sorted: bool) -> Value {
    let mut places: Vec<usize> = (0..registry.members.len()).collect();
    if sorted {
        places.sort_by_key(|place| &registry.members[*place].id);
    }
    let nodes: Vec<Value> = places
        .into_iter()
        .map(|place| member_node(registry, place))
        .collect();
    let key = format!("/{}", registry.cluster_id);
    json!({"key": key, "dir": true, "nodes": nodes, "modifiedIndex": 1, "createdIndex": 1})
}

fn found(registry: &DiscoveryRegistry, status: StatusCode, action: &str, node: &Value) -> Response<Bytes> {
    let body = json!({"action": action, "node": node}).to_string();
    let mut response = response(status, "application/json", body);
    response
        .headers_mut()
        .insert("x-etcd-index", HeaderValue::from(index(registry)));
    response
}
