//! Mistakes in templates, and the words in which they come back.

use serde_json::json;

use super::Client;
use crate::sim::Pace;

/// Resources and outputs, the status, and the kind and message of the refusal.
const CASES: &[(&str, u16, &str, &str)] = &[
    (
        "  r: {type: OS::Heat::Value, properties: {value: {get_attr: [s, nope]}}}\n  s: {type: OS::Heat::RandomString}",
        400,
        "StackValidationFailed",
        "resources.r.properties.value.get_attr: : The Referenced Attribute (s nope) is incorrect.",
    ),
    (
        "  r: {type: OS::Heat::ResourceGroup, properties: {count: -1, resource_def: {type: OS::Heat::RandomString}}}",
        400,
        "StackValidationFailed",
        "Property error: : resources.r.properties.count: : -1 is out of range (min: 0, max: None)",
    ),
    (
        "  r: {type: OS::Neutron::Port}",
        400,
        "StackValidationFailed",
        "Property error: : resources.r.properties: : Property network not assigned",
    ),
    (
        "  r: {type: OS::Neutron::Port, properties: {network: nope}}",
        400,
        "StackValidationFailed",
        "Property error: : resources.r.properties.network: : Error validating value 'nope': Unable to find network with name or id 'nope'",
    ),
    (
        "  r: {type: OS::Neutron::SecurityGroup, properties: {rules: [{protocol: tcp, port_range_min: 99999}]}}",
        400,
        "StackValidationFailed",
        "Property error: : resources.r.properties.rules[0].port_range_min: : 99999 is out of range (min: 0, max: 65535)",
    ),
    (
        "  r: {type: OS::Neutron::SecurityGroup, properties: {rules: [{protocols: tcp}]}}",
        400,
        "StackValidationFailed",
        "Property error: : resources.r.properties.rules[0]: : Unknown Property protocols",
    ),
    (
        "  r: {type: OS::Heat::RandomString, properties: {length: {get_param: nope}}}",
        400,
        "StackValidationFailed",
        "Property error: : resources.r.properties.length: : The Parameter (nope) was not provided.",
    ),
    (
        "  r: {type: OS::Heat::Value, properties: {value: {get_file: nope}}}",
        400,
        "StackValidationFailed",
        "Property error: : resources.r.properties.value: : No content found in the \"files\" section for get_file path: nope",
    ),
    (
        "  r: {type: OS::Heat::Value, depends_on: nope, properties: {value: 1}}",
        400,
        "InvalidTemplateReference",
        "The specified reference \"nope\" (in r) is incorrect.",
    ),
    (
        "  r: {type: OS::Heat::Value, properties: {value: 1}}\noutputs: {o: {value: {get_attr: [r, nope]}}}",
        400,
        "StackValidationFailed",
        "outputs.o.value.get_attr: : The Referenced Attribute (r nope) is incorrect.",
    ),
    (
        "  r: {type: OS::Heat::Value, properties: [a]}",
        400,
        "StackValidationFailed",
        "Resource r properties type must be object",
    ),
    (
        "  r: {type: required.yaml}",
        400,
        "StackValidationFailed",
        "Property error: : resources.r.properties: : Property a not assigned",
    ),
    (
        "  r: {type: empty.yaml, properties: {a: 1}}",
        400,
        "StackValidationFailed",
        "Property error: : resources.r.properties: : Unknown Property a",
    ),
    (
        "  r: {type: wrong.yaml}",
        400,
        "StackValidationFailed",
        "Property error: : resources.r<wrong.yaml>.resources.r.properties: : Unknown Property size",
    ),
    (
        "  a: {type: OS::Heat::Value, properties: {value: {get_resource: b}}}\n  b: {type: OS::Heat::Value, properties: {value: {get_resource: a}}}",
        500,
        "CircularDependencyException",
        "Circular Dependency Found: {Value \"a\": {Value \"b\"}, Value \"b\": {Value \"a\"}}",
    ),
];

#[tokio::test(start_paused = true)]
async fn mistakes_are_named_with_their_place() {
    let client = Client::new(Pace::Instant).await;
    let files = json!({
        "required.yaml": "heat_template_version: 2018-08-31\nparameters: {a: {type: string}}",
        "empty.yaml": "heat_template_version: 2018-08-31",
        "wrong.yaml": "heat_template_version: 2018-08-31\nresources: {r: {type: OS::Heat::RandomString, properties: {size: 5}}}",
    });
    for (resources, status, kind, message) in CASES {
        let template = format!("heat_template_version: 2018-08-31\nresources:\n{resources}\n");
        let (got, answer) = client
            .try_create("wrong", &template, json!({"files": files}))
            .await;
        let error = (
            answer["error"]["type"].as_str(),
            answer["error"]["message"].as_str(),
        );
        assert_eq!(
            (got, error),
            (*status, (Some(*kind), Some(*message))),
            "{resources}"
        );
    }
    assert!(client.cloud.leftovers(&client.project).stacks.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_output_of_nothing_says_so() {
    let client = Client::new(Pace::Instant).await;
    let template = "heat_template_version: 2018-08-31\noutputs: {o: {value: {get_resource: gone}}}";
    let path = client.create("odd", template, json!({})).await;
    let stack = client.settle(&path).await;
    assert_eq!(stack["stack_status"], "CREATE_COMPLETE");
    assert!(
        stack["outputs"][0]["output_error"]
            .as_str()
            .unwrap()
            .contains("\"gone\""),
        "{stack}"
    );
}
