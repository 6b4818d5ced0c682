//! Sections, conditions, environments and the graph.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::super::*;
use super::files;

fn read(text: &str, parameters: Value) -> Result<(Vec<Definition>, Vec<Output>), HeatError> {
    let template = Template::new(parse_template(text)?)?;
    template.check_sections()?;
    let given = parameters.as_object().cloned().unwrap_or_default();
    let values = ParameterValues::new(template.schemas()?, &given, &Map::new(), Pseudo::default());
    values.validate(true, &|_, _| Ok(()))?;
    template.load(&values)
}

fn refused(text: &str) -> String {
    let error = read(text, json!({})).expect_err("refused");
    format!("{}|{error}", error.kind.name())
}

#[test]
fn versions_go_by_date_and_by_name() {
    assert!(read("heat_template_version: 2013-05-23", json!({})).is_ok());
    assert!(read("heat_template_version: '2018-08-31'", json!({})).is_ok());
    assert!(read("heat_template_version: rocky", json!({})).is_ok());
    assert!(refused("heat_template_version: 2013-05-24").starts_with("InvalidTemplateVersion|"));
    assert_eq!(
        refused("description: x"),
        "HTTPBadRequest|Template format version not found."
    );
    assert_eq!(
        refused("[a]"),
        "HTTPBadRequest|The template is not a JSON object or YAML mapping."
    );
}

#[test]
fn sections_and_keys_are_checked() {
    let head = "heat_template_version: 2015-04-30\n";
    assert_eq!(
        refused(&format!("{head}conditions: {{}}")),
        "InvalidTemplateSection|The template section is invalid: conditions"
    );
    assert_eq!(
        refused(&format!("{head}resources: {{a: {{typ: x}}}}")),
        "StackValidationFailed|\"typ\" is not a valid keyword inside a resource definition"
    );
    assert_eq!(
        refused(&format!("{head}resources: {{a: {{properties: {{}}}}}}")),
        "StackValidationFailed|Each resource must contain a type key."
    );
    assert_eq!(
        refused(&format!("{head}outputs: {{a: {{description: x}}}}")),
        "StackValidationFailed|Each output must contain a value key."
    );
    assert_eq!(
        refused(&format!("{head}resources: {{a: {{type: T, depends_on: [[b]]}}}}")),
        "StackValidationFailed|Resource a depends_on must be a list of strings"
    );
    assert_eq!(
        refused(&format!(
            "{head}resources: {{a: {{type: T, deletion_policy: keep}}}}"
        )),
        "StackValidationFailed|Invalid deletion policy \"keep\""
    );
    assert_eq!(
        refused(&format!(
            "{head}parameters: {{a: {{type: string, default: x}}}}\nresources: {{a: {{type: T}}}}"
        )),
        "StackValidationFailed|Duplicate names {'a'}"
    );
    assert_eq!(
        refused(&format!(
            "{head}parameter_groups: [{{label: l, parameters: [b]}}]"
        )),
        "StackValidationFailed|Parameter Groups error: parameter_groups.l: The grouped parameter b does not \
         reference a valid parameter."
    );
}

#[test]
fn conditions_decide_resources_outputs_and_branches() {
    let text = "
heat_template_version: 2018-08-31
parameters: {enabled: {type: boolean}}
conditions:
  wanted: {get_param: enabled}
  unwanted: {not: wanted}
resources:
  a: {type: T, condition: wanted}
  b: {type: T, condition: {not: wanted}, properties: {x: {get_resource: a}}}
  c: {type: T, properties: {x: {if: [wanted, {get_resource: a}, none]}}}
outputs:
  o: {value: {get_attr: [a, x]}, condition: wanted}
  p: {value: 1}
";
    let (resources, outputs) = read(text, json!({"enabled": true})).unwrap();
    assert_eq!(
        resources.iter().map(|r| r.name.as_str()).collect::<Vec<_>>(),
        ["a", "c"]
    );
    assert_eq!(resources[1].requirements()[0].0, "a");
    assert!(outputs[0].value.is_some());
    let (resources, outputs) = read(text, json!({"enabled": "false"})).unwrap();
    assert_eq!(
        resources.iter().map(|r| r.name.as_str()).collect::<Vec<_>>(),
        ["b", "c"]
    );
    assert!(resources[1].requirements().is_empty());
    assert!(outputs[0].value.is_none());
    assert_eq!(
        refused("heat_template_version: 2018-08-31\nconditions: {a: {not: b}, b: {not: a}}"),
        "StackValidationFailed|Condition validation error: Circular definition for condition \"a\""
    );
}

#[test]
fn parameters_missing_and_unknown() {
    let text = "heat_template_version: 2018-08-31\nparameters: {a: {type: string}}";
    assert_eq!(
        refused(text),
        "UserParameterMissing|The Parameter (a) was not provided."
    );
    let error = read(text, json!({"a": "x", "b": 1})).unwrap_err();
    assert_eq!(
        (error.kind.name(), error.text.as_str()),
        (
            "UnknownUserParameter",
            "The Parameter (b) was not defined in template."
        )
    );
}

#[test]
fn the_registry_maps_types() {
    let node = parse_document(
        "
resource_registry:
  My::Net: OS::Neutron::Net
  My::Off: OS::Heat::None
  OS::Neutron::Port: port.yaml
  'OS::Cinder::*': OS::Heat::None
  resources: {special: {OS::Nova::Server: other.yaml}}
",
    )
    .unwrap();
    let environment = Environment::read(&node).unwrap();
    let resolve = |kind: &str, name: &str| environment.resolve(kind, name).unwrap();
    assert_eq!(
        resolve("My::Net", "x"),
        RegistryEntry::Type("OS::Neutron::Net".into())
    );
    assert_eq!(
        resolve("OS::Cinder::Volume", "x"),
        RegistryEntry::Type("OS::Heat::None".into())
    );
    assert_eq!(
        resolve("OS::Neutron::Port", "x"),
        RegistryEntry::Template {
            key: "port.yaml".into(),
            through: Some("OS::Neutron::Port".into())
        }
    );
    assert_eq!(
        resolve("a/b.yaml", "x"),
        RegistryEntry::Template {
            key: "a/b.yaml".into(),
            through: None
        }
    );
    assert_eq!(
        resolve("OS::Nova::Server", "special"),
        RegistryEntry::Template {
            key: "other.yaml".into(),
            through: Some("OS::Nova::Server".into())
        }
    );
    // Within its own template the type is itself again.
    let inner = environment.child(Map::new(), Some("OS::Neutron::Port"), "x");
    assert_eq!(
        inner.resolve("OS::Neutron::Port", "x").unwrap(),
        RegistryEntry::Type("OS::Neutron::Port".into())
    );
}

#[test]
fn environment_files_are_laid_over_in_order() {
    let files = files(&[
        (
            "one.yaml",
            "parameters: {a: 1, b: 1}\nresource_registry: {T: one}",
        ),
        ("two.yaml", "parameters: {b: 2}\nparameter_defaults: {c: 3}"),
    ]);
    let mut environment = Environment::default();
    environment
        .merge_files(&["one.yaml".into(), "two.yaml".into()], &files)
        .unwrap();
    assert_eq!(
        Value::Object(environment.parameters.clone()),
        json!({"a": 1, "b": 2})
    );
    assert_eq!(environment.parameter_defaults["c"], 3);
    assert_eq!(environment.resource_registry["T"], "one");
    let error = Environment::read(&parse_document("parameter: {}").unwrap()).unwrap_err();
    assert_eq!(
        error.text,
        "Environment not in valid format: environment has wrong section \"parameter\""
    );
}

#[test]
fn circles_are_named() {
    let graph = |edges: &[(&str, &[&str])]| -> BTreeMap<String, BTreeSet<String>> {
        edges
            .iter()
            .map(|(k, v)| ((*k).to_owned(), v.iter().map(|n| (*n).to_owned()).collect()))
            .collect()
    };
    let shown = |name: &str| format!("Thing \"{name}\"");
    assert!(check_graph(&graph(&[("a", &["b"]), ("b", &[])]), &shown).is_ok());
    let error = check_graph(&graph(&[("a", &["b"]), ("b", &["c"]), ("c", &["b"])]), &shown).unwrap_err();
    assert_eq!(
        error.text,
        r#"Circular Dependency Found: {Thing "b": {Thing "c"}, Thing "c": {Thing "b"}}"#
    );
}
