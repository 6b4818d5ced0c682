//! Keystone's answers about users and trusts, without I/O.

use magnum_core::Result;
use serde::Deserialize;

use crate::Answer;

#[derive(Deserialize)]
struct Id {
    id: String,
}

pub(super) fn user_id(answer: &Answer) -> Result<String> {
    #[derive(Deserialize)]
    struct Body {
        user: Id,
    }
    answer.json::<Body>().map(|body| body.user.id)
}

pub(super) fn user_named(answer: &Answer, name: &str, domain_id: &str) -> Result<Option<String>> {
    #[derive(Deserialize)]
    struct Body {
        users: Vec<User>,
    }
    #[derive(Deserialize)]
    struct User {
        id: String,
        name: String,
        domain_id: String,
    }
    let body: Body = answer.json()?;
    let found = body
        .users
        .into_iter()
        .find(|user| user.name == name && user.domain_id == domain_id);
    Ok(found.map(|user| user.id))
}

pub(super) fn trust_id(answer: &Answer) -> Result<String> {
    #[derive(Deserialize)]
    struct Body {
        trust: Id,
    }
    answer.json::<Body>().map(|body| body.trust.id)
}

pub(super) fn trust_ids(answer: &Answer, trustee_id: &str) -> Result<Vec<String>> {
    #[derive(Deserialize)]
    struct Body {
        trusts: Vec<Trust>,
    }
    #[derive(Deserialize)]
    struct Trust {
        id: String,
        trustee_user_id: String,
    }
    let body: Body = answer.json()?;
    let own = body
        .trusts
        .into_iter()
        .filter(|trust| trust.trustee_user_id == trustee_id);
    Ok(own.map(|trust| trust.id).collect())
}
