use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::join_all;
use magnum_core::ErrorKind;
use serde_json::json;

use super::*;
use crate::scripted::{Reply, SECRETS, Scripted, alice, trust};

fn read() -> Call {
    Call::get(Service::ORCHESTRATION, "stack.list", "/stacks")
}

fn write() -> Call {
    Call::post(Service::ORCHESTRATION, "stack.create", "/stacks").json(&json!({"a": 1}))
}

/// Answers the n-th request to Heat (counted from 1) by `reply`.
fn nth(reply: impl Fn(usize) -> Reply + Send + Sync + 'static) -> Arc<Scripted> {
    let count = AtomicUsize::new(0);
    Scripted::new(move |seen| {
        let heat = !seen.path.starts_with("/v3/");
        heat.then(|| reply(count.fetch_add(1, Ordering::SeqCst) + 1))
    })
}

#[tokio::test(start_paused = true)]
async fn a_token_is_kept_until_a_tenth_of_its_life_is_left() {
    let heat = Scripted::quiet();
    let cloud = heat.cloud();
    for _ in 0..5 {
        cloud.call(&Auth::Service, &read()).await.unwrap();
    }
    assert_eq!(heat.logins(), 1);
    tokio::time::sleep(Duration::from_secs(53 * 60)).await;
    cloud.call(&Auth::Service, &read()).await.unwrap();
    assert_eq!(heat.logins(), 1);
    tokio::time::sleep(Duration::from_secs(60)).await;
    cloud.call(&Auth::Service, &read()).await.unwrap();
    assert_eq!(heat.logins(), 2);
    let tokens: Vec<_> = heat.calls().into_iter().map(|seen| seen.token).collect();
    assert_eq!(tokens.last().unwrap(), "token-2");
    assert_eq!(heat.calls()[0].path, "/v1/p1/stacks");
}

#[tokio::test(start_paused = true)]
async fn many_callers_share_one_login() {
    let heat = Scripted::quiet();
    let cloud = heat.cloud();
    let call = read();
    let calls = (0..50).map(|_| cloud.call(&Auth::Service, &call));
    assert!(join_all(calls).await.iter().all(Result::is_ok));
    assert_eq!(heat.logins(), 1);
    assert_eq!(heat.calls().len(), 50);
    assert!(
        heat.most_requests_at_once() <= 32,
        "{}",
        heat.most_requests_at_once()
    );
    assert!(heat.most_requests_at_once() > 16);
}

#[tokio::test(start_paused = true)]
async fn a_login_goes_on_when_the_caller_who_began_it_is_gone() {
    let heat = Scripted::quiet();
    let cloud = heat.cloud();
    let call = read();
    let mut first = Box::pin(cloud.call(&Auth::Service, &call));
    assert!((&mut first).now_or_never().is_none());
    let mut second = Box::pin(cloud.call(&Auth::Service, &call));
    assert!((&mut second).now_or_never().is_none());
    drop(first);
    second.await.unwrap();
    assert_eq!(heat.logins(), 1);
    // With nobody left to wait it ends, and the next caller begins a new one.
    let third = cloud.call(&Auth::Trust(trust(1)), &call).now_or_never();
    assert!(third.is_none());
    cloud.call(&Auth::Trust(trust(1)), &call).await.unwrap();
    assert_eq!(heat.logins(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_renewed_once_for_everybody() {
    let heat = Scripted::new(|seen| {
        (!seen.path.starts_with("/v3/")).then(|| match seen.token.as_str() {
            "token-1" => Reply::status(401),
            _ => Reply::json(200, json!({})),
        })
    });
    let cloud = heat.cloud();
    let call = write();
    let calls = (0..20).map(|_| cloud.call(&Auth::Service, &call));
    assert!(join_all(calls).await.iter().all(Result::is_ok));
    assert_eq!(heat.logins(), 2);
    // Each was sent twice: a renewal is not an attempt, and waits for nothing.
    assert_eq!(heat.calls().len(), 40);
}

#[tokio::test(start_paused = true)]
async fn a_second_refusal_is_the_answer() {
    let heat = nth(|_| Reply::status(401).header("x-openstack-request-id", "req-7"));
    let error = heat.cloud().call(&Auth::Service, &read()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert_eq!(error.request_id(), Some("req-7"));
    assert_eq!((heat.logins(), heat.calls().len()), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn a_failed_login_is_told_to_all_and_tried_anew() {
    let logins = AtomicUsize::new(0);
    let heat = Scripted::new(move |seen| match seen.line().as_str() {
        "POST /v3/auth/tokens" if logins.fetch_add(1, Ordering::SeqCst) == 0 => Some(Reply::status(401)),
        "POST /v3/auth/tokens" => None,
        _ => Some(Reply::json(200, json!({}))),
    });
    let cloud = heat.cloud();
    let call = read();
    let refused = join_all((0..5).map(|_| cloud.call(&Auth::Service, &call))).await;
    assert!(
        refused
            .iter()
            .all(|r| r.as_ref().unwrap_err().kind() == ErrorKind::Unauthorized)
    );
    assert_eq!(heat.logins(), 1);
    cloud.call(&Auth::Service, &call).await.unwrap();
    assert_eq!(heat.logins(), 2);
}

#[tokio::test(start_paused = true)]
async fn logins_under_way_are_limited() {
    let heat = Scripted::quiet();
    let cloud = heat.cloud();
    let call = read();
    let auths: Vec<_> = (0..60).map(|number| Auth::Trust(trust(number))).collect();
    let calls = auths.iter().map(|auth| cloud.call(auth, &call));
    assert!(join_all(calls).await.iter().all(Result::is_ok));
    assert_eq!(heat.logins(), 60);
    assert_eq!(heat.most_logins_at_once(), 16);
}

#[tokio::test(start_paused = true)]
async fn kept_tokens_are_limited() {
    let heat = Scripted::quiet();
    let limits = Limits {
        tokens: 2,
        ..Limits::default()
    };
    let cloud = heat.builder().limits(limits).build().unwrap();
    for number in [1, 2, 1, 3, 1, 2] {
        cloud.call(&Auth::Trust(trust(number)), &read()).await.unwrap();
    }
    // 1, 2, 3, and 2 again, which was used longest ago when 3 came.
    assert_eq!(heat.logins(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_users_token_is_used_as_it_is_and_asked_about_once() {
    let heat = Scripted::quiet();
    let cloud = heat.cloud();
    for _ in 0..3 {
        cloud.call(&Auth::Token(alice()), &read()).await.unwrap();
    }
    assert_eq!((heat.logins(), heat.count("GET /v3/auth/tokens")), (0, 1));
    assert!(heat.calls().iter().all(|seen| seen.token == "token-of-alice"));
    let cx = cloud.context(&alice().token).await.unwrap();
    assert_eq!((cx.user_id.as_str(), cx.project_id.as_str()), ("alice", "p1"));
    assert_eq!(cx.roles, ["member", "reader"]);
    assert_eq!(cx.user_domain_id.as_deref(), Some("default"));
    assert_eq!(heat.count("GET /v3/auth/tokens"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_users_token_that_is_refused_cannot_be_renewed() {
    let heat = nth(|_| Reply::status(401));
    let cloud = heat.cloud();
    let error = cloud.call(&Auth::Token(alice()), &read()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert_eq!((heat.calls().len(), heat.logins()), (1, 0));
    for status in [401, 404] {
        let keystone = Scripted::new(move |_| Some(Reply::status(status)));
        let error = keystone
            .cloud()
            .call(&Auth::Token(alice()), &read())
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthorized, "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_surely_had_no_effect_is_sent_again() {
    for reply in [Reply::NotSent, Reply::status(429)] {
        let heat = nth(move |n| {
            if n < 3 {
                reply.clone()
            } else {
                Reply::json(201, json!({}))
            }
        });
        heat.cloud().call(&Auth::Service, &write()).await.unwrap();
        assert_eq!(heat.calls().len(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn what_may_have_had_its_effect_is_not_sent_again() {
    let table = [
        (Reply::Lost, ErrorKind::Unavailable),
        (Reply::status(500), ErrorKind::Unavailable),
        (
            Reply::status(503).header("retry-after", "1"),
            ErrorKind::Unavailable,
        ),
        (Reply::Never, ErrorKind::Timeout),
    ];
    for (reply, kind) in table {
        let heat = nth(move |_| reply.clone());
        let error = heat.cloud().call(&Auth::Service, &write()).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (kind, Retry::Unknown));
        assert_eq!(heat.calls().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn reading_is_repeated_and_ends() {
    for reply in [Reply::Lost, Reply::status(502), Reply::NotSent] {
        let heat = nth(move |n| {
            if n < 4 {
                reply.clone()
            } else {
                Reply::json(200, json!({}))
            }
        });
        heat.cloud().call(&Auth::Service, &read()).await.unwrap();
        assert_eq!(heat.calls().len(), 4);
    }
    let heat = nth(|_| Reply::status(502));
    let error = heat.cloud().call(&Auth::Service, &read()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.retry()),
        (ErrorKind::Unavailable, Retry::Later)
    );
    assert_eq!(heat.calls().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_honoured_within_the_deadline() {
    let wait = |seconds: &'static str| {
        nth(move |n| match n {
            1 => Reply::status(429).header("retry-after", seconds),
            _ => Reply::json(200, json!({})),
        })
    };
    let heat = wait("30");
    let begin = heat.clock.now();
    heat.cloud().call(&Auth::Service, &read()).await.unwrap();
    let took = heat.clock.now().duration_since(begin).as_secs();
    assert_eq!(took, 30);

    let heat = wait("600");
    let begin = heat.clock.now();
    let error = heat.cloud().call(&Auth::Service, &read()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert!(heat.clock.now().duration_since(begin).as_secs() < 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_by_its_deadline() {
    let heat = nth(|_| Reply::Never);
    let begin = heat.clock.now();
    let error = heat.cloud().call(&Auth::Service, &read()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(error.to_string(), "Heat did not answer within 60 s");
    assert!(heat.clock.now().duration_since(begin).as_secs() <= 121);
    let keystone = Scripted::new(|_| Some(Reply::Never));
    let error = keystone.cloud().call(&Auth::Service, &read()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
}

#[tokio::test(start_paused = true)]
async fn a_login_gives_a_context() {
    let heat = Scripted::quiet();
    let cloud = heat.cloud();
    let credentials = Credentials::password(crate::Named::id("bob"), "bob-pw");
    let token = cloud
        .login(credentials.clone().in_project(crate::Named::id("p9")))
        .await
        .unwrap();
    assert_eq!((token.user_id.as_str(), token.project_id.as_str()), ("bob", "p9"));
    cloud.call(&Auth::Token(token), &read()).await.unwrap();
    assert_eq!((heat.logins(), heat.count("GET /v3/auth/tokens")), (1, 0));
    let error = cloud
        .login(credentials.in_domain(crate::DomainRef::id("d")))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
}

#[tokio::test(start_paused = true)]
async fn without_a_trustee_domain_no_trust_can_be_given() {
    let heat = Scripted::quiet();
    let cloud = heat.cloud();
    cloud.probe_trusts(&alice()).await.unwrap();
    let bare = OpenStack::builder()
        .auth_url("http://keystone")
        .transport(Arc::clone(&heat) as Arc<dyn magnum_core::HttpTransport>)
        .service(Credentials::token("t"))
        .build()
        .unwrap();
    let error = bare.probe_trusts(&alice()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_set_up_is_named() {
    let cloud = Scripted::quiet().cloud();
    let error = cloud.call(&Auth::Admin, &read()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    let call = Call::get(Service::KEY_MANAGER, "secret.list", "/secrets");
    let error = cloud.call(&Auth::Service, &call).await.unwrap_err();
    assert_eq!(error.to_string(), "the cloud has no public endpoint of Barbican");
    assert_eq!((error.origin(), error.operation()), ("barbican", "secret.list"));
}

#[tokio::test(start_paused = true)]
async fn names_that_would_change_the_path_are_refused() {
    let heat = Scripted::quiet();
    for name in ["", ".", ".."] {
        let call = Call::delete(Service::ORCHESTRATION, "stack.delete", "/stacks/{name}/{id}")
            .segment("a")
            .segment(name);
        let error = heat.cloud().call(&Auth::Service, &call).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
    let call = Call::get(Service::ORCHESTRATION, "stack.get", "/stacks/{name}")
        .segment("a/../b?c#d%2e")
        .query("q&", "1=2 ü");
    heat.cloud().call(&Auth::Service, &call).await.unwrap();
    assert_eq!(
        heat.lines(),
        ["GET /v1/p1/stacks/a%2F..%2Fb%3Fc%23d%252e?q%26=1%3D2%20%C3%BC"]
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_that_is_printed_has_a_secret() {
    let heat = Scripted::new(|seen| {
        // A service that repeats all that it was sent.
        let echo = format!("{} {} {}", seen.path, seen.token, seen.body);
        let login = seen.body["auth"]["identity"]["password"]["user"]["id"] == "admin";
        (!seen.path.starts_with("/v3/") || login)
            .then(|| Reply::json(400, json!({"error": {"message": echo}})))
    });
    let builder = heat
        .builder()
        .admin(Credentials::password(crate::Named::id("admin"), "admin-pw"));
    let mut printed = format!("{builder:?}");
    let cloud = builder.build().unwrap();
    let call = write().secret("in-the-body");
    let log = crate::scripted_log::Log::default();
    let guard = tracing::subscriber::set_default(log.clone());
    for auth in [
        Auth::Service,
        Auth::Admin,
        Auth::Trust(trust(1)),
        Auth::Token(alice()),
    ] {
        // A test beside this one, without a log, may just have met the same span for the first time: then nobody
        // would be told of it from then on.
        tracing::callsite::rebuild_interest_cache();
        let error = cloud.call(&auth, &call).await.unwrap_err();
        printed += &format!("{auth:?} {error} {error:?}");
    }
    drop(guard);
    printed += &format!("{cloud:?} {:?} {call:?}", cloud.inner.tokens);
    let token = cloud.token_of(&Identity::Trust(trust(1))).await.unwrap();
    printed += &format!("{token:?} {:?}", cloud.trusts());
    let logged = log.text();
    assert!(
        logged.contains("stack.create") && logged.contains("/stacks"),
        "{logged}"
    );
    for secret in SECRETS.iter().chain(&["in-the-body\""]) {
        assert!(!printed.contains(secret), "{secret} in {printed}");
        assert!(!logged.contains(secret), "{secret} in {logged}");
    }
}
