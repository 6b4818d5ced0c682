//! Logging in, and what a token says.

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

use super::super::api_fault::ApiFault;
use super::super::cloud::SimCloud;
use super::super::http_api::{Authenticated, JsonBody, answer, at, empty, text};
use super::super::world::identity::token::{forbidden_action, unauthorized};
use super::super::world::identity::{Scope, Token, User};
use super::super::world::{ApiResult, World};
use super::{Answer, time};

/// Who proved what.
struct Proof {
    user_id: String,
    methods: Vec<&'static str>,
    application_credential: Option<(String, String)>,
    not_after: Option<jiff::Timestamp>,
}

pub(super) async fn log_in(State(cloud): State<SimCloud>, JsonBody(body): JsonBody) -> Answer {
    let mut world = cloud.world();
    let Some(auth) = at(&body, &["auth"]) else {
        return Err(ApiFault::bad_request("ValidationError", "'auth' is a required property").into());
    };
    let proof = prove(&world, auth)?;
    let scope = wanted_scope(&world, auth, &proof)?;
    let credential = proof.application_credential.map(|(id, _)| id);
    let token = world.issue_token(&proof.user_id, scope, &proof.methods, credential, proof.not_after)?;
    Ok(with_token(answer(201, describe(&world, &token)?), &token.id))
}

pub(super) async fn show(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    headers: HeaderMap,
) -> Answer {
    let world = cloud.world();
    let subject = subject(&headers)?;
    if subject != caller.token && !caller.is_admin() && !caller.has_role("service") {
        return Err(forbidden_action("identity:validate_token").into());
    }
    let not_found = || ApiFault::not_found("TokenNotFound", "Failed to validate token");
    world.authenticate(&subject).map_err(|_| not_found())?;
    let token = world.identity.tokens.get(&subject).ok_or_else(not_found)?;
    Ok(with_token(answer(200, describe(&world, token)?), &subject))
}

pub(super) async fn revoke(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    headers: HeaderMap,
) -> Answer {
    let subject = subject(&headers)?;
    if subject != caller.token && !caller.is_admin() {
        return Err(forbidden_action("identity:revoke_token").into());
    }
    cloud.world().revoke_token(&subject)?;
    Ok(empty(204))
}

pub(super) async fn catalog(State(cloud): State<SimCloud>, Authenticated(caller): Authenticated) -> Answer {
    Ok(answer(
        200,
        json!({"catalog": cloud.world().catalog(caller.project_id.as_deref())}),
    ))
}

fn subject(headers: &HeaderMap) -> ApiResult<String> {
    headers
        .get("x-subject-token")
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned)
        .ok_or_else(|| ApiFault::not_found("TokenNotFound", "No token in the request"))
}

fn with_token(mut response: Response, token: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(token) {
        response.headers_mut().insert("x-subject-token", value);
    }
    response
}

fn prove(world: &World, auth: &Value) -> ApiResult<Proof> {
    let methods: Vec<&str> = at(auth, &["identity", "methods"])
        .and_then(Value::as_array)
        .map(|methods| methods.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    match methods.as_slice() {
        ["password"] => {
            let given = at(auth, &["identity", "password", "user"]).unwrap_or(&Value::Null);
            let user = named_user(world, given).ok_or_else(unauthorized)?;
            let password = text(given, &["password"]).ok_or_else(unauthorized)?;
            if user.password.expose() != password || !user.enabled {
                return Err(unauthorized());
            }
            Ok(Proof {
                user_id: user.id.clone(),
                methods: vec!["password"],
                application_credential: None,
                not_after: None,
            })
        }
        ["token"] => {
            let id = text(auth, &["identity", "token", "id"]).ok_or_else(unauthorized)?;
            let caller = world.authenticate(&id)?;
            // A narrow token must not become a broader one.
            if caller.trust_id.is_some() {
                return Err(forbidden_action(
                    "Using trust-scoped token to create another token. Create a new trust-scoped token instead",
                ));
            }
            if caller.application_credential_id.is_some() {
                return Err(forbidden_action(
                    "Using a delegated token to create another token is not allowed.",
                ));
            }
            let mut methods = vec!["token"];
            if caller.methods.iter().any(|method| method == "password") {
                methods.push("password");
            }
            Ok(Proof {
                user_id: caller.user_id,
                methods,
                application_credential: None,
                // Exchanging tokens must not prolong a login.
                not_after: Some(caller.expires_at),
            })
        }
        ["application_credential"] => {
            let given = at(auth, &["identity", "application_credential"]).unwrap_or(&Value::Null);
            let credentials = &world.identity.application_credentials;
            let credential = match text(given, &["id"]) {
                Some(id) => credentials.get(&id),
                None => {
                    let user = at(given, &["user"]).and_then(|user| named_user(world, user));
                    let name = text(given, &["name"]);
                    user.and_then(|user| {
                        credentials
                            .values()
                            .find(|c| c.user_id == user.id && Some(&c.name) == name.as_ref())
                    })
                }
            };
            let credential = credential
                .filter(|c| text(given, &["secret"]).is_some_and(|secret| c.secret.expose() == secret))
                .ok_or_else(unauthorized)?;
            Ok(Proof {
                user_id: credential.user_id.clone(),
                methods: vec!["application_credential"],
                application_credential: Some((credential.id.clone(), credential.project_id.clone())),
                not_after: None,
            })
        }
        _ => Err(unauthorized()),
    }
}

/// The user that a login names by identifier, or by name and domain.
fn named_user<'a>(world: &'a World, given: &Value) -> Option<&'a User> {
    if let Some(id) = text(given, &["id"]) {
        return world.identity.users.get(&id);
    }
    let domain = named_domain(world, at(given, &["domain"])?)?;
    world.user_by_name(&text(given, &["name"])?, &domain)
}

fn named_domain(world: &World, given: &Value) -> Option<String> {
    match text(given, &["id"]) {
        Some(id) => world.identity.domains.contains_key(&id).then_some(id),
        None => world
            .domain_by_name(&text(given, &["name"])?)
            .map(|domain| domain.id.clone()),
    }
}

fn wanted_scope(world: &World, auth: &Value, proof: &Proof) -> ApiResult<Scope> {
    if let Some((_, project)) = &proof.application_credential {
        // Its scope is its own: one in the request is refused.
        return match at(auth, &["scope"]) {
            None => Ok(Scope::Project(project.clone())),
            Some(_) => Err(unauthorized()),
        };
    }
    let Some(scope) = at(auth, &["scope"]) else {
        let default = world
            .identity
            .users
            .get(&proof.user_id)
            .and_then(|u| u.default_project_id.clone());
        return Ok(default.map_or(Scope::Unscoped, Scope::Project));
    };
    if scope.as_str() == Some("unscoped") || scope.get("unscoped").is_some() {
        return Ok(Scope::Unscoped);
    }
    if let Some(trust) = at(scope, &["OS-TRUST:trust"]) {
        let id = text(trust, &["id"]).unwrap_or_default();
        return Ok(Scope::Trust(id));
    }
    if let Some(project) = at(scope, &["project"]) {
        if let Some(id) = text(project, &["id"]) {
            return Ok(Scope::Project(id));
        }
        let domain = at(project, &["domain"])
            .and_then(|d| named_domain(world, d))
            .ok_or_else(unauthorized)?;
        let name = text(project, &["name"]).unwrap_or_default();
        let project = world.project_by_name(&name, &domain).ok_or_else(unauthorized)?;
        return Ok(Scope::Project(project.id.clone()));
    }
    if let Some(domain) = at(scope, &["domain"]) {
        return named_domain(world, domain)
            .map(Scope::Domain)
            .ok_or_else(unauthorized);
    }
    Err(unauthorized())
}

/// The body of a token, catalog included.
fn describe(world: &World, token: &Token) -> ApiResult<Value> {
    let caller = world.authenticate(&token.id)?;
    let user = world.find_user(&caller.user_id)?;
    let mut body = json!({
        "methods": token.methods,
        "user": {
            "id": user.id,
            "name": user.name,
            "domain": named(&user.domain_id, world.identity.domains.get(&user.domain_id).map(|d| &d.name)),
            "password_expires_at": null,
        },
        "audit_ids": [token.audit_id],
        "expires_at": time(token.expires_at),
        "issued_at": time(token.issued_at),
    });
    if token.scope != Scope::Unscoped {
        let roles: Vec<Value> = caller
            .roles
            .iter()
            .map(|role| json!({"id": role.id, "name": role.name}))
            .collect();
        body["roles"] = Value::Array(roles);
        body["catalog"] = world.catalog(caller.project_id.as_deref());
    }
    if let Some(project) = caller
        .project_id
        .as_ref()
        .and_then(|id| world.identity.projects.get(id))
    {
        let domain = world.identity.domains.get(&project.domain_id).map(|d| &d.name);
        body["project"] =
            json!({"id": project.id, "name": project.name, "domain": named(&project.domain_id, domain)});
        body["is_domain"] = json!(false);
    }
    if let Some(domain) = caller
        .domain_id
        .as_ref()
        .and_then(|id| world.identity.domains.get(id))
    {
        body["domain"] = named(&domain.id, Some(&domain.name));
    }
    if let Some(trust) = caller
        .trust_id
        .as_ref()
        .and_then(|id| world.identity.trusts.get(id))
    {
        body["OS-TRUST:trust"] = json!({
            "id": trust.id,
            "trustor_user": {"id": trust.trustor_user_id},
            "trustee_user": {"id": trust.trustee_user_id},
            "impersonation": trust.impersonation,
        });
    }
    if let Some(id) = &token.application_credential_id
        && let Some(credential) = world.identity.application_credentials.get(id)
    {
        body["application_credential"] =
            json!({"id": id, "name": credential.name, "restricted": !credential.unrestricted});
    }
    Ok(json!({"token": body}))
}

fn named(id: &str, name: Option<&String>) -> Value {
    json!({"id": id, "name": name})
}
