//! What the API accepts, refuses and shows.

use serde_json::{Value, json};

use super::Client;
use super::docker::{CLUSTER, input};
use crate::sim::Pace;

const RANDOM: &str = "
heat_template_version: 2018-08-31
description: a word
parameters:
  length: {type: number, default: 8, description: how long, constraints: [{range: {min: 1, max: 64}, description: 1 to 64}]}
resources:
  word: {type: OS::Heat::RandomString, properties: {length: {get_param: length}}}
outputs:
  word: {value: {get_attr: [word, value]}, description: it}
";

fn template(resources: &str) -> String {
    format!("heat_template_version: 2018-08-31\nresources:\n{resources}")
}

#[tokio::test(start_paused = true)]
async fn refusals_are_worded_as_clients_know_them() {
    let client = Client::new(Pace::Instant).await;
    let cases: Vec<(&str, String, Value, u16, &str, &str)> = vec![
        (
            "1st",
            RANDOM.into(),
            json!({}),
            400,
            "StackValidationFailed",
            "Invalid stack name 1st must contain only alphanumeric or \"_-.\" characters, must start with alpha and must be 255 characters or less.",
        ),
        (
            "a",
            template("  r: {type: 'OS::No::Such'}"),
            json!({}),
            400,
            "StackValidationFailed",
            "The Resource Type (OS::No::Such) could not be found.",
        ),
        (
            "a",
            template("  r: {type: OS::Nova::Server, properties: {image: nope, flavor: m1.small}}"),
            json!({}),
            400,
            "StackValidationFailed",
            "Property error: : resources.r.properties.image: : Error validating value 'nope': No images matching {'name': 'nope'}.",
        ),
        (
            "a",
            template("  r: {type: OS::Heat::RandomString, properties: {size: 5}}"),
            json!({}),
            400,
            "StackValidationFailed",
            "Property error: : resources.r.properties: : Unknown Property size",
        ),
        (
            "a",
            template("  r: {type: OS::Heat::RandomString, properties: {length: x}}"),
            json!({}),
            400,
            "StackValidationFailed",
            "Property error: : resources.r.properties.length: : Value 'x' is not an integer",
        ),
        (
            "a",
            template("  r: {type: OS::Heat::WaitCondition, properties: {timeout: 5}}"),
            json!({}),
            400,
            "StackValidationFailed",
            "Property error: : resources.r.properties: : Property handle not assigned",
        ),
        (
            "a",
            template("  r: {type: OS::Heat::Value, properties: {value: {get_resource: gone}}}"),
            json!({}),
            400,
            "InvalidTemplateReference",
            "The specified reference \"gone\" (in r.Properties.value) is incorrect.",
        ),
        (
            "a",
            RANDOM.into(),
            json!({"parameters": {"length": 100}}),
            400,
            "StackValidationFailed",
            "Parameter 'length' is invalid: 1 to 64",
        ),
        (
            "a",
            RANDOM.into(),
            json!({"parameters": {"other": 1}}),
            400,
            "UnknownUserParameter",
            "The Parameter (other) was not defined in template.",
        ),
        (
            "a",
            "description: x".into(),
            json!({}),
            400,
            "HTTPBadRequest",
            "Template not in valid format: Template format version not found.",
        ),
        (
            "a",
            RANDOM.into(),
            json!({"timeout_mins": 0}),
            400,
            "HTTPBadRequest",
            "Invalid timeout value 0",
        ),
        (
            "a",
            template("  r: {type: gone.yaml}"),
            json!({}),
            400,
            "StackValidationFailed",
            "Could not fetch remote template \"gone.yaml\": no such file was sent with the stack",
        ),
    ];
    for (name, template, more, status, kind, message) in cases {
        let (got, answer) = client.try_create(name, &template, more).await;
        assert_eq!(
            (got, &answer["error"]["type"], &answer["error"]["message"]),
            (status, &json!(kind), &json!(message)),
            "{answer}"
        );
        assert_eq!(answer["code"], status);
    }
    // A mistake within a nested template is found before anything is made.
    let mut body = input(1);
    body["files"] = json!({"host.yaml": "heat_template_version: 2018-08-31\nresources: {r: {type: OS::Heat::RandomString, properties: {size: 5}}}"});
    let (status, answer) = client.try_create("nested", CLUSTER, body).await;
    assert_eq!(status, 400, "{answer}");
    assert!(client.cloud.leftovers(&client.project).stacks.is_empty());
}

#[tokio::test(start_paused = true)]
async fn stacks_are_found_by_name_identifier_and_tag() {
    let client = Client::new(Pace::Instant).await;
    let path = client.create("one", RANDOM, json!({"tags": "a,b"})).await;
    let other = client.create("two", RANDOM, json!({"tags": ["b"]})).await;
    let (status, answer) = client.try_create("one", RANDOM, json!({})).await;
    assert_eq!(
        (status, answer["error"]["message"].as_str().unwrap()),
        (409, "The Stack (one) already exists.")
    );
    assert_eq!(client.call("GET", "/stacks/one", Value::Null).await.0, 302);
    let id = path.rsplit('/').next().unwrap();
    assert_eq!(
        client.call("GET", &format!("/stacks/{id}"), Value::Null).await.0,
        302
    );
    assert_eq!(
        client
            .call("GET", &format!("/stacks/wrong/{id}"), Value::Null)
            .await
            .0,
        404
    );
    for (query, names) in [
        ("", vec!["two", "one"]),
        ("?tags=a", vec!["one"]),
        ("?tags=a,b", vec!["one"]),
        ("?tags_any=x,b", vec!["two", "one"]),
        ("?not_tags=a", vec!["two"]),
        ("?name=two", vec!["two"]),
        ("?status=FAILED", vec![]),
        ("?limit=1", vec!["two"]),
        ("?status=CREATE_COMPLETE&sort_keys=stack_name", vec!["one", "two"]),
    ] {
        let (_, answer) = client.call("GET", &format!("/stacks{query}"), Value::Null).await;
        let got: Vec<&str> = answer["stacks"]
            .as_array()
            .unwrap()
            .iter()
            .map(|s| s["stack_name"].as_str().unwrap())
            .collect();
        assert_eq!(got, names, "{query}");
    }
    assert_eq!(client.call("PATCH", &other, json!({"tags": "new"})).await.0, 202);
    assert_eq!(client.show(&other).await["tags"], json!(["new"]));
    assert_eq!(
        client
            .call("PATCH", &other, json!({"parameters": {"unknown": 1}}))
            .await
            .0,
        202
    );
    let (status, answer) = client
        .call("PATCH", &other, json!({"parameters": {"length": "abc"}}))
        .await;
    assert_eq!(
        (status, answer["error"]["message"].as_str().unwrap()),
        (
            400,
            "Parameter 'length' is invalid: could not convert string to float: 'abc'"
        )
    );

    assert_eq!(client.call("DELETE", &path, Value::Null).await.0, 204);
    assert_eq!(client.show(&path).await["stack_status"], "DELETE_COMPLETE");
    assert_eq!(client.call("GET", "/stacks/one", Value::Null).await.0, 404);
    assert_eq!(
        client.call("GET", &format!("/stacks/{id}"), Value::Null).await.0,
        302
    );
    assert_eq!(client.call("DELETE", &path, Value::Null).await.0, 404);
    assert_eq!(client.resources(&path, 0).await, Vec::<Value>::new());
    let again = client.create("one", RANDOM, json!({})).await;
    assert_ne!(again, path);
}

#[tokio::test(start_paused = true)]
async fn templates_are_shown_checked_and_tried() {
    let client = Client::new(Pace::Instant).await;
    let (status, checked) = client
        .call("POST", "/validate", json!({"template": RANDOM}))
        .await;
    assert_eq!(status, 200, "{checked}");
    assert_eq!(
        checked["Parameters"]["length"],
        json!({
            "Type": "Number", "Description": "how long", "NoEcho": "false", "Label": "length", "Default": 8,
            "MinValue": 1, "MaxValue": 64, "ConstraintDescription": "1 to 64",
        })
    );
    let mut body = input(2);
    body["stack_name"] = json!("tried");
    body["template"] = json!(CLUSTER);
    let (status, tried) = client.call("POST", "/stacks/preview", body).await;
    assert_eq!(status, 200, "{tried}");
    let resources = tried["stack"]["resources"].as_array().unwrap();
    assert_eq!(resources.len(), 6);
    let members = resources.iter().find_map(Value::as_array).unwrap();
    assert_eq!(members.len(), 2);
    assert_eq!(members[0].as_array().unwrap().len(), 7);
    assert!(client.cloud.leftovers(&client.project).stacks.is_empty());

    let path = client.create("one", RANDOM, json!({})).await;
    let (_, shown) = client.call("GET", &format!("{path}/template"), Value::Null).await;
    assert_eq!(shown["resources"]["word"]["type"], "OS::Heat::RandomString");
    let (_, outputs) = client.call("GET", &format!("{path}/outputs"), Value::Null).await;
    assert_eq!(
        outputs,
        json!({"outputs": [{"output_key": "word", "description": "it"}]})
    );
    let (_, one) = client
        .call("GET", &format!("{path}/outputs/word"), Value::Null)
        .await;
    assert_eq!(one["output"]["output_value"].as_str().unwrap().len(), 8);
    let (_, environment) = client
        .call("GET", &format!("{path}/environment"), Value::Null)
        .await;
    assert_eq!(environment["parameters"], json!({}));
    let (_, events) = client.call("GET", &format!("{path}/events"), Value::Null).await;
    let seen: Vec<(&str, &str)> = events["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| {
            (
                e["resource_name"].as_str().unwrap(),
                e["resource_status"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("one", "CREATE_IN_PROGRESS"),
            ("word", "CREATE_IN_PROGRESS"),
            ("word", "CREATE_COMPLETE"),
            ("one", "CREATE_COMPLETE")
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn tokens_open_their_own_project_only() {
    let client = Client::new(Pace::Instant).await;
    assert_eq!(
        client
            .call_url(
                "GET",
                "http://sim.cloud/orchestration/v1/other/stacks",
                "nonsense",
                Value::Null
            )
            .await
            .0,
        401
    );
    let path = client.create("one", RANDOM, json!({})).await;
    let (status, _) = client
        .call("GET", &path.replace("/stacks/one/", "/stacks/one/x"), Value::Null)
        .await;
    assert_eq!(status, 404);
    let (status, answer) = client
        .call("POST", &format!("{path}/resources/word/signal"), json!({}))
        .await;
    assert_eq!(
        (status, answer["error"]["type"].as_str().unwrap()),
        (400, "ResourceActionNotSupported")
    );
}
