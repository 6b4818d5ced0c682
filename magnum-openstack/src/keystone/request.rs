//! The calls to Keystone about users and trusts, without I/O.

use magnum_core::Secret;
use serde_json::{Value, json};

use crate::{Call, Service};

const KEYSTONE: Service = Service::IDENTITY;

/// Clusters outlive rules by which people must renew passwords; the options exempt the trustee from those
/// (keystone/identity/backends/resource_options.py, since release 11).
pub(super) fn create_user(name: &str, password: &Secret, domain_id: &str) -> Call {
    let body = json!({"user": {
        "name": name,
        "password": password.expose(),
        "domain_id": domain_id,
        "enabled": true,
        "options": {
            "ignore_password_expiry": true,
            "ignore_change_password_upon_first_use": true,
        },
    }});
    Call::post(KEYSTONE, "trustee.create", "/users")
        .json(&body)
        .secret(password.expose())
}

pub(super) fn find_user(name: &str, domain_id: &str) -> Call {
    Call::get(KEYSTONE, "trustee.find", "/users")
        .query("domain_id", domain_id)
        .query("name", name)
}

pub(super) fn show_user(id: &str) -> Call {
    Call::get(KEYSTONE, "trustee.show", "/users/{id}").segment(id)
}

pub(super) fn delete_user(id: &str) -> Call {
    Call::delete(KEYSTONE, "trustee.delete", "/users/{id}").segment(id)
}

pub(super) fn create_trust(trustor_id: &str, project_id: &str, trustee_id: &str, roles: &[String]) -> Call {
    let roles: Vec<Value> = roles.iter().map(|id| json!({"id": id})).collect();
    let body = json!({"trust": {
        "trustor_user_id": trustor_id,
        "trustee_user_id": trustee_id,
        "project_id": project_id,
        "impersonation": true,
        "allow_redelegation": false,
        "roles": roles,
    }});
    Call::post(KEYSTONE, "trust.create", "/OS-TRUST/trusts").json(&body)
}

/// A user may list only by themselves as trustor.
pub(super) fn list_trusts(trustor_id: &str, trustee_id: &str) -> Call {
    Call::get(KEYSTONE, "trust.list", "/OS-TRUST/trusts")
        .query("trustor_user_id", trustor_id)
        .query("trustee_user_id", trustee_id)
}

pub(super) fn show_trust(id: &str) -> Call {
    Call::get(KEYSTONE, "trust.show", "/OS-TRUST/trusts/{id}").segment(id)
}

pub(super) fn delete_trust(id: &str) -> Call {
    Call::delete(KEYSTONE, "trust.delete", "/OS-TRUST/trusts/{id}").segment(id)
}
