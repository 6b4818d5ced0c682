//! The library's own discovery service, asked as etcd asks.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use magnum::*;
use serde_json::Value;

use crate::support::hosts::Discovering;
use crate::support::interrupt::Outcome;
use crate::support::scene::{ENDPOINT, Scene};
use crate::{accept, made};

const MEMBERS: [(&str, &str); 3] = [
    ("8e9e05c52164694d", "10.0.0.10=https://10.0.0.10:2380"),
    (
        "1a",
        "10.0.0.11=https://10.0.0.11:2380,10.0.0.11=https://10.1.0.11:2380",
    ),
    ("ffffffffffffffff", "10.0.0.12=https://[2001:db8::12]:2380"),
];

#[derive(Debug)]
struct Answered {
    status: StatusCode,
    index: Option<u64>,
    text: String,
}

impl Answered {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// A refusal in the terms of etcd.
    fn is(&self, status: u16, code: u64) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.json()["errorCode"], code, "{self:?}");
    }
}

async fn ask(magnum: &Magnum, method: Method, url: &str, body: &str) -> Answered {
    let request = Request::builder().method(method).uri(url);
    let request = request
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Bytes::from(body.to_owned()))
        .unwrap();
    let answer = magnum.node_request(request).await;
    let index = answer.headers().get("x-etcd-index");
    Answered {
        status: answer.status(),
        index: index.map(|index| index.to_str().unwrap().parse().unwrap()),
        text: String::from_utf8(answer.body().to_vec()).unwrap(),
    }
}

/// As etcd encodes it.
fn form(value: &str) -> String {
    let encoded: String = value.bytes().map(|byte| format!("%{byte:02X}")).collect();
    format!("value={encoded}")
}

async fn get(scene: &Scene, url: &str) -> Answered {
    ask(&scene.magnum, Method::GET, url, "").await
}

async fn register(scene: &Scene, url: &str, member: &str, value: &str) -> Answered {
    let form = form(value);
    let url = format!("{url}/{member}?prevExist=false");
    ask(&scene.magnum, Method::PUT, &url, &form).await
}

/// A scene with a cluster of three masters that is there, and its discovery URL.
async fn discovered() -> (Scene, Cluster, String) {
    let scene = Scene::discovering(1, Discovering::Own).await;
    let cluster = made(&scene, 3, None).await;
    assert_eq!(
        cluster.status,
        ClusterStatus::CREATE_COMPLETE,
        "{:?}",
        cluster.fault
    );
    let url = cluster.discovery_url.clone().unwrap();
    assert_eq!(discovery_url_problem(&url), None);
    (scene, cluster, url)
}

/// One member's start, request by request as etcd makes them; the others' values when all are there.
async fn joins(magnum: Magnum, url: String, (id, value): (&'static str, &'static str)) -> Vec<String> {
    let get = async |url: String| ask(&magnum, Method::GET, &url, "").await;
    let options = "quorum=false&recursive=false&sorted=false";
    let size = get(format!("{url}/_config/size?{options}")).await;
    assert_eq!(size.json()["node"]["value"], "3");
    assert_eq!(get(format!("{url}?{options}")).await.status, StatusCode::OK);

    let form = form(value);
    let registered = ask(
        &magnum,
        Method::PUT,
        &format!("{url}/{id}?prevExist=false"),
        &form,
    )
    .await;
    assert_eq!(registered.status, StatusCode::CREATED, "{registered:?}");
    let registered = registered.json();
    assert_eq!(registered["action"], "create");
    assert_eq!(registered["node"]["value"], value);
    let created = registered["node"]["createdIndex"].as_u64().unwrap();
    // etcd asks for what comes after the index before its own; at 0 it would wait for another registration.
    assert!(created > 1);
    let own = get(format!(
        "{url}/{id}?recursive=false&wait=true&waitIndex={created}"
    ))
    .await;
    assert_eq!(own.json()["node"], registered["node"]);

    let list = get(format!("{url}?{options}")).await;
    let mut next = list.index.unwrap() + 1;
    let mut all: Vec<Value> = list.json()["node"]["nodes"].as_array().unwrap().clone();
    all.sort_by_key(|node| node["createdIndex"].as_u64());
    while all.len() < 3 {
        let news = get(format!("{url}?recursive=true&wait=true&waitIndex={next}")).await;
        assert_eq!(news.status, StatusCode::OK);
        if news.text.is_empty() {
            // As etcd's client does where the connection ends without news.
            continue;
        }
        let node = news.json()["node"].clone();
        next = node["modifiedIndex"].as_u64().unwrap() + 1;
        all.push(node);
    }
    all.iter()
        .map(|node| node["value"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn three_masters_find_each_other() {
    let (scene, cluster, url) = discovered().await;
    let started = scene.clock.now();
    let mut joining = Vec::new();
    for (place, member) in MEMBERS.into_iter().enumerate() {
        let (magnum, url, clock) = (scene.magnum.clone(), url.clone(), scene.clock.clone());
        joining.push(tokio::spawn(async move {
            // One is there at once, one while others wait, one when those have had to ask again.
            clock.sleep(Duration::from_secs(25 * place as u64)).await;
            joins(magnum, url, member).await
        }));
    }
    for joined in futures::future::join_all(joining).await {
        assert_eq!(
            joined.unwrap(),
            MEMBERS.map(|(_, value)| value),
            "all see the same"
        );
    }
    let took = scene.clock.now().duration_since(started).as_secs();
    assert!(
        (50..55).contains(&took),
        "news are told when there are any, not later: {took} s"
    );
    let registry = scene.store.discovery(cluster.id).await.unwrap().unwrap();
    assert_eq!(registry.members.len(), 3);
    assert!(!format!("{registry:?}").contains(&registry.token));
}

#[tokio::test(start_paused = true)]
async fn many_who_register_at_once_are_all_there_and_no_more() {
    let (scene, cluster, url) = discovered().await;
    let ids: Vec<String> = (1..=9).map(|id| format!("{id:x}")).collect();
    let registering = ids.iter().map(|id| register(&scene, &url, id, "a=http://a:2380"));
    let answers = futures::future::join_all(registering).await;
    let registered = answers.iter().filter(|a| a.status == StatusCode::CREATED).count();
    assert_eq!(registered, 3);
    for refused in answers.iter().filter(|a| a.status != StatusCode::CREATED) {
        refused.is(403, 107);
    }
    let registry = scene.store.discovery(cluster.id).await.unwrap().unwrap();
    assert_eq!(registry.members.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_etcd_would_not_send_is_refused_and_changes_nothing() {
    let (scene, cluster, url) = discovered().await;
    register(&scene, &url, "a", "a=http://a:2380").await;
    register(&scene, &url, "a", "a=http://a:2380").await.is(412, 105);
    register(&scene, &url, "a", "b=http://b:2380").await.is(412, 105);
    let long = format!("a={}", "x".repeat(1023));
    for (member, value) in [
        ("", "a=b"),
        ("A", "a=b"),
        ("g", "a=b"),
        ("..", "a=b"),
        ("%2e%2e", "a=b"),
        ("11112222333344445", "a=b"),
        ("_config", "a=b"),
        ("b", ""),
        ("b", "a=\nb"),
        ("b", "a=b c"),
        ("b", "a=ä"),
        ("b", "a=\u{0}"),
        ("b", &long),
    ] {
        let answer = register(&scene, &url, member, value).await;
        assert_eq!(
            answer.status,
            StatusCode::BAD_REQUEST,
            "{member:?} {value:?}: {answer:?}"
        );
    }
    let large = form(&"a".repeat(64 * 1024));
    for (method, rest, body) in [
        (Method::PUT, "/b", "value=a%3Db"),
        (Method::PUT, "/b?prevExist=true", "value=a%3Db"),
        (Method::PUT, "/b?prevExist=false", ""),
        (Method::PUT, "/b?prevExist=false", &large),
        (Method::PUT, "/b?prevExist=false", "value=a%3Db&ttl=1"),
        (Method::PUT, "/b?prevExist=false", "dir=true"),
        (Method::PUT, "/_config/size?prevExist=false", "value=9"),
        (Method::PUT, "?prevExist=false", "value=9"),
        (Method::GET, "?wait=true&waitIndex=x", ""),
        (Method::GET, "?wait=true&waitIndex=-1", ""),
    ] {
        let answer = ask(&scene.magnum, method.clone(), &format!("{url}{rest}"), body).await;
        answer.is(400, 209);
    }
    for method in [Method::DELETE, Method::POST, Method::PATCH] {
        ask(&scene.magnum, method, &format!("{url}/a"), "")
            .await
            .is(405, 209);
    }
    for rest in ["/b", "/_config/other", "/_config/size/x", "/a/b"] {
        get(&scene, &format!("{url}{rest}")).await.is(404, 100);
    }
    let registry = scene.store.discovery(cluster.id).await.unwrap().unwrap();
    assert_eq!((registry.size, registry.members.len()), (3, 1));
}

#[tokio::test(start_paused = true)]
async fn what_is_there_is_listed() {
    let (scene, _, url) = discovered().await;
    for (id, value) in MEMBERS {
        register(&scene, &url, id, value).await;
    }
    let listed = async |query: &str| {
        let answer = get(&scene, &format!("{url}/{query}")).await.json();
        let nodes = answer["node"]["nodes"].as_array().unwrap().clone();
        nodes
            .iter()
            .map(|node| {
                node["key"]
                    .as_str()
                    .unwrap()
                    .rsplit('/')
                    .next()
                    .unwrap()
                    .to_owned()
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(listed("").await, MEMBERS.map(|(id, _)| id));
    assert_eq!(
        listed("?recursive=true&quorum=true&sorted=true").await,
        ["1a", "8e9e05c52164694d", "ffffffffffffffff"]
    );
    let one = get(&scene, &format!("{url}/1a")).await;
    assert_eq!(one.json()["node"]["value"], MEMBERS[1].1);
    let begun = scene.clock.now();
    let nothing = get(&scene, &format!("{url}?wait=true&waitIndex=9&recursive=true")).await;
    assert_eq!((nothing.status, nothing.text.as_str()), (StatusCode::OK, ""));
    assert_eq!(scene.clock.now().duration_since(begun).as_secs(), 20);
}

#[tokio::test(start_paused = true)]
async fn who_does_not_know_the_token_learns_nothing() {
    let (scene, cluster, url) = discovered().await;
    let (base, token) = url.rsplit_once('/').unwrap();
    assert_eq!(base, format!("https://{ENDPOINT}/v1/discovery/{}", cluster.id));
    assert_eq!(token.len(), 43);
    let nobody = uuid::Uuid::nil();
    let elsewhere = format!("https://{ENDPOINT}/v1/discovery/{nobody}/{token}");
    let mut answers = Vec::new();
    for url in [
        format!("{base}/{}", &token[1..]),
        format!("{base}/{token}x"),
        format!("{base}/{}", token.to_lowercase()),
        format!("{base}/x"),
        format!("https://{ENDPOINT}/v1/discovery/x/{token}"),
        elsewhere,
    ] {
        for rest in ["", "/_config/size", "/1a", "?wait=true&waitIndex=9"] {
            answers.push(get(&scene, &format!("{url}{rest}")).await);
        }
        answers.push(register(&scene, &url, "1a", "a=b").await);
    }
    for answer in &answers {
        answer.is(404, 100);
        assert_eq!((&answer.text, answer.index), (&answers[0].text, None));
    }
    scene.delete(cluster.id).await;
    get(&scene, &url).await.is(404, 100);
    assert_eq!(scene.store.discovery(cluster.id).await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn its_own_urls_are_checked_without_asking_anybody() {
    let (scene, cluster, url) = discovered().await;
    let other = made(&scene, 3, Some(&url)).await;
    assert_eq!(other.status, ClusterStatus::CREATE_COMPLETE, "{:?}", other.fault);
    for (masters, url, why) in [
        (
            1,
            url.clone(),
            "for 3 members of etcd, and the cluster has 1 masters",
        ),
        (3, format!("{url}x"), "does not know the discovery URL"),
        (
            3,
            format!("https://{ENDPOINT}/v1/discovery/{}", cluster.id),
            "does not know the discovery URL",
        ),
    ] {
        let cluster = made(&scene, masters, Some(&url)).await;
        assert_eq!(cluster.status, ClusterStatus::CREATE_FAILED);
        let fault = cluster.fault.unwrap();
        assert_eq!(fault.code, FailureCode::Configuration);
        assert!(fault.message.contains(why), "{fault}");
    }
}

/// How many calls the step makes, before the first of the trust.
fn calls_of_the_step(calls: &[String]) -> usize {
    let trust = |call: &String| call.contains("ledger intended");
    calls.iter().position(trust).unwrap()
}

#[tokio::test(start_paused = true)]
async fn every_call_of_the_step_can_go_wrong() {
    let run = async |harm: Option<(u64, Outcome)>| {
        let scene = Scene::discovering(7, Discovering::Own).await;
        let id = accept(&scene, 3, None).await.unwrap().id;
        scene.interrupter.arm(harm);
        {
            let conductor = scene.conductor(3);
            let until_idle = async {
                while conductor.run_until_idle().await.is_err() {
                    scene.clock.sleep(Duration::from_secs(1)).await;
                }
            };
            tokio::select! {
                biased;
                () = scene.interrupter.crashed.notified() => {}
                () = until_idle => {}
            }
        }
        let calls = scene.interrupter.calls();
        scene.settle().await;
        let cluster = scene.cluster(id).await.unwrap();
        assert_eq!(
            cluster.status,
            ClusterStatus::CREATE_COMPLETE,
            "{harm:?}: {:?}",
            cluster.fault
        );
        let registry = scene.store.discovery(id).await.unwrap().unwrap();
        let url = format!("https://{ENDPOINT}/v1/discovery/{id}/{}", registry.token);
        assert_eq!(cluster.discovery_url, Some(url), "{harm:?}");
        assert_eq!(
            registry.revision,
            Revision(1),
            "{harm:?}: one registry, made once"
        );
        scene.delete(id).await;
        assert_eq!(scene.store.discovery(id).await.unwrap(), None, "{harm:?}");
        assert_eq!(scene.leftovers().total(), 0, "{harm:?}: {}", scene.leftovers());
        calls
    };
    let plain = run(None).await;
    let count = calls_of_the_step(&plain);
    assert!(
        plain[..count].iter().any(|call| call.contains("discovery")),
        "{plain:?}"
    );
    for at in 0..count as u64 {
        for outcome in Outcome::ALL {
            run(Some((at, outcome))).await;
        }
    }
    println!(
        "{count} calls x {} outcomes, all made, 0 left",
        Outcome::ALL.len()
    );
}
