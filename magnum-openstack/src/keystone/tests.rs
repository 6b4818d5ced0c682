use std::sync::Arc;

use magnum_core::Retry;
use serde_json::{Value, json};

use super::*;
use crate::scripted::{Reply, Scripted, alice, trust};

// keystone/server/flask/application.py, release 22 (Zed)
fn refusal(status: u16, message: &str) -> Reply {
    Reply::json(
        status,
        json!({"error": {"code": status, "message": message, "title": "t"}}),
    )
}

/// Answers by request line; logins are answered by `login` when it has an answer.
fn keystone(
    replies: Vec<(&'static str, Reply)>,
    login: impl Fn(&Value) -> Option<Reply> + Send + Sync + 'static,
) -> Arc<Scripted> {
    Scripted::new(move |seen| {
        if seen.line() == "POST /v3/auth/tokens" {
            return login(&seen.body["auth"]);
        }
        let found = replies.iter().find(|(line, _)| *line == seen.line());
        found.map(|(_, reply)| reply.clone())
    })
}

fn lets_in(replies: Vec<(&'static str, Reply)>) -> Arc<Scripted> {
    keystone(replies, |_| None)
}

#[tokio::test(start_paused = true)]
async fn a_trustee_is_made_in_the_domain_of_its_administrator() {
    let cloud = lets_in(vec![(
        "POST /v3/users",
        Reply::json(201, json!({"user": {"id": "u1", "name": "n"}})),
    )]);
    let id = cloud
        .cloud()
        .trusts()
        .create_trustee("n", &Secret::new("trustee-pw"))
        .await
        .unwrap();
    assert_eq!(id, "u1");
    assert_eq!(
        cloud.calls()[0].body,
        json!({"user": {"name": "n", "password": "trustee-pw", "domain_id": "trustees", "enabled": true,
            "options": {"ignore_password_expiry": true, "ignore_change_password_upon_first_use": true}}})
    );
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_taken_is_a_conflict_and_can_be_found() {
    let taken = "Conflict occurred attempting to store user - Duplicate entry found with name n at domain ID trustees.";
    let user = |id: &str, name: &str, domain: &str| json!({"id": id, "name": name, "domain_id": domain});
    let users = json!({"users": [user("u0", "n", "other"), user("u1", "N", "trustees"), user("u2", "n", "trustees")]});
    let cloud = lets_in(vec![
        ("POST /v3/users", refusal(409, taken)),
        ("GET /v3/users?domain_id=trustees&name=n", Reply::json(200, users)),
        (
            "GET /v3/users?domain_id=trustees&name=m",
            Reply::json(200, json!({"users": []})),
        ),
    ]);
    let trusts = cloud.cloud().trusts();
    let error = trusts
        .create_trustee("n", &Secret::new("trustee-pw"))
        .await
        .unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Conflict, Retry::Never));
    assert_eq!(trusts.find_trustee("n").await.unwrap().as_deref(), Some("u2"));
    assert_eq!(trusts.find_trustee("m").await.unwrap(), None);
    assert_eq!(cloud.logins(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_trustee_that_is_gone_is_deleted() {
    let cloud = lets_in(vec![
        ("DELETE /v3/users/u1", Reply::Answer(204, vec![], String::new())),
        ("DELETE /v3/users/u2", refusal(404, "Could not find user: u2.")),
        (
            "DELETE /v3/users/u3",
            refusal(403, "You are not authorized to perform the requested action."),
        ),
    ]);
    let trusts = cloud.cloud().trusts();
    trusts.delete_trustee("u1").await.unwrap();
    trusts.delete_trustee("u2").await.unwrap();
    assert_eq!(
        trusts.delete_trustee("u3").await.unwrap_err().kind(),
        ErrorKind::Forbidden
    );
}

#[tokio::test(start_paused = true)]
async fn a_trust_carries_the_owners_effective_roles_and_no_redelegation() {
    let made = json!({"trust": {"id": "t1"}});
    let cloud = lets_in(vec![("POST /v3/OS-TRUST/trusts", Reply::json(201, made))]);
    let id = cloud.cloud().trusts().create_trust(&alice(), "u1").await.unwrap();
    assert_eq!(id, "t1");
    let call = &cloud.calls()[0];
    assert_eq!(call.token, "token-of-alice");
    assert_eq!(
        call.body,
        json!({"trust": {"trustor_user_id": "alice", "trustee_user_id": "u1", "project_id": "p1",
            "impersonation": true, "allow_redelegation": false, "roles": [{"id": "r1"}, {"id": "r2"}]}})
    );
}

#[tokio::test(start_paused = true)]
async fn the_host_may_name_fewer_roles() {
    let made = json!({"trust": {"id": "t1"}});
    let cloud = lets_in(vec![("POST /v3/OS-TRUST/trusts", Reply::json(201, made))]);
    let some = cloud.builder().trust_roles(["reader"]).build().unwrap();
    some.trusts().create_trust(&alice(), "u1").await.unwrap();
    assert_eq!(cloud.calls()[0].body["trust"]["roles"], json!([{"id": "r2"}]));
    let more = cloud
        .builder()
        .trust_roles(["reader", "creator"])
        .build()
        .unwrap();
    let error = more.trusts().create_trust(&alice(), "u1").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    assert_eq!(
        error.to_string(),
        "clusters need the role 'creator', which this login does not have"
    );
}

#[tokio::test(start_paused = true)]
async fn application_credentials_are_told_which_logins_can() {
    // Keystone 22.0.2-0+deb12u6
    let refused = refusal(403, "Delegated tokens cannot manage trusts.");
    let cloud = lets_in(vec![("POST /v3/OS-TRUST/trusts", refused)]);
    let openstack = cloud.cloud();
    let owner = openstack
        .login(Credentials::application_credential("a", "s"))
        .await
        .unwrap();
    let error = openstack.trusts().create_trust(&owner, "u1").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    assert!(error.to_string().contains("log in with a password"), "{error}");
    let error = openstack.probe_trusts(&owner).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    assert!(error.to_string().contains("log in with a password"), "{error}");
    let asked = &cloud.calls()[1].body["trust"];
    assert_eq!(
        asked["trustee_user_id"], "nobody-at-all",
        "a probe gives nothing to anybody"
    );
    // Others need not be tried.
    openstack.probe_trusts(&alice()).await.unwrap();
    assert_eq!(cloud.calls().len(), 2);
    // An older Keystone finds that there is no such user, which says that it would.
    let unknown = refusal(404, "Could not find user: nobody-at-all.");
    let older = lets_in(vec![("POST /v3/OS-TRUST/trusts", unknown)]);
    let openstack = older.cloud();
    let owner = openstack
        .login(Credentials::application_credential("a", "s"))
        .await
        .unwrap();
    openstack.probe_trusts(&owner).await.unwrap();
    assert!(!older.calls().is_empty());
    // One that does not ask makes the trust, which goes at once.
    let made = Reply::json(201, json!({"trust": {"id": "t9"}}));
    let lenient = lets_in(vec![
        ("POST /v3/OS-TRUST/trusts", made),
        ("DELETE /v3/OS-TRUST/trusts/t9", Reply::json(204, json!(null))),
    ]);
    let openstack = lenient.cloud();
    let owner = openstack
        .login(Credentials::application_credential("a", "s"))
        .await
        .unwrap();
    openstack.probe_trusts(&owner).await.unwrap();
    assert!(!lenient.calls().is_empty());
    assert_eq!(
        lenient.calls().last().unwrap().line(),
        "DELETE /v3/OS-TRUST/trusts/t9"
    );
    // Where nothing is known, Keystone's own words stay.
    let error = cloud
        .cloud()
        .trusts()
        .create_trust(&alice(), "u1")
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "Keystone: Delegated tokens cannot manage trusts."
    );
}

#[tokio::test(start_paused = true)]
async fn trusts_are_listed_by_owner_and_trustee() {
    let list = json!({"trusts": [
        {"id": "t1", "trustee_user_id": "u1", "trustor_user_id": "alice", "deleted_at": null},
        {"id": "t2", "trustee_user_id": "u2"}, {"id": "t3", "trustee_user_id": "u1"}]});
    let line = "GET /v3/OS-TRUST/trusts?trustor_user_id=alice&trustee_user_id=u1";
    let cloud = lets_in(vec![(line, Reply::json(200, list))]);
    assert_eq!(
        cloud.cloud().trusts().trusts(&alice(), "u1").await.unwrap(),
        ["t1", "t3"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_trust_deletes_itself() {
    let cloud = lets_in(vec![
        (
            "DELETE /v3/OS-TRUST/trusts/trust1",
            Reply::Answer(204, vec![], String::new()),
        ),
        (
            "DELETE /v3/OS-TRUST/trusts/trust2",
            refusal(404, "Could not find trust: trust2."),
        ),
    ]);
    let trusts = cloud.cloud().trusts();
    trusts.delete_trust(&trust(1)).await.unwrap();
    trusts.delete_trust(&trust(2)).await.unwrap();
}

/// A trust whose login is refused: what is asked of whom, and what that makes sure of.
#[tokio::test(start_paused = true)]
async fn a_refused_login_is_success_only_when_the_trust_is_surely_gone() {
    let show = "GET /v3/OS-TRUST/trusts/trust1";
    let user = "GET /v3/users/trustee1";
    let gone = || refusal(404, "Could not find.");
    let there = || Reply::json(200, json!({"trust": {"id": "trust1"}}));
    // (the trustee can still log in, what others answer, done)
    let table = [
        (true, vec![(show, gone())], true),
        // The owner is disabled, or has lost a role: the trust is there and cannot be used.
        (true, vec![(show, there())], false),
        // The trustee is gone, and its trusts with it.
        (false, vec![(user, gone())], true),
        // The password is not the trustee's.
        (false, vec![(user, there()), (show, there())], false),
        (false, vec![(user, there()), (show, gone())], true),
    ];
    for (number, (lets_in, replies, done)) in table.into_iter().enumerate() {
        let cloud = keystone(replies, move |auth| {
            let trustee = auth["identity"]["password"]["user"]["id"] == "trustee1";
            let scoped = auth.get("scope").is_some();
            (trustee && (scoped || !lets_in))
                .then(|| refusal(401, "The request you have made requires authentication."))
        });
        let admin = Credentials::password(Named::id("admin"), "admin-pw").in_project(Named::id("p"));
        let openstack = cloud.builder().admin(admin).build().unwrap();
        let outcome = openstack.trusts().delete_trust(&trust(1)).await;
        assert_eq!(outcome.is_ok(), done, "case {number}: {outcome:?}");
        if let Err(error) = outcome {
            assert_eq!(error.kind(), ErrorKind::Unauthorized, "case {number}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_administrator_of_a_project_is_refused() {
    let cloud = lets_in(Vec::new());
    let wrong = Credentials::password(Named::id("domain-admin"), "domain-pw").in_project(Named::id("p"));
    let openstack = cloud.builder().trustee_domain_admin(wrong).build().unwrap();
    let error = openstack.trusts().find_trustee("n").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
}
