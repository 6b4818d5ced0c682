//! Whatever is sent, the language answers with a value or a typed error.

use proptest::prelude::*;
use serde_json::Map;

use super::super::*;

fn any_node() -> impl Strategy<Value = Node> {
    let word = prop_oneof![
        Just("get_param"),
        Just("get_attr"),
        Just("get_resource"),
        Just("str_replace"),
        Just("template"),
        Just("params"),
        Just("repeat"),
        Just("for_each"),
        Just("if"),
        Just("equals"),
        Just("list_join"),
        Just("str_split"),
        Just("map_replace"),
        Just("keys"),
        Just("type"),
        Just("properties"),
        Just("resources"),
        Just("outputs"),
        Just("value"),
        Just("constraints"),
        Just("range"),
        Just("min"),
        Just("a"),
        Just("%i%"),
    ];
    let leaf = prop_oneof![
        Just(Node::Null),
        any::<bool>().prop_map(Node::Bool),
        any::<i32>().prop_map(|n| Node::Number(n.into())),
        word.clone().prop_map(|w| Node::Text(w.to_owned())),
        ".{0,8}".prop_map(Node::Text),
    ];
    leaf.prop_recursive(5, 40, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Node::List),
            prop::collection::vec((word.clone().prop_map(str::to_owned), inner), 0..4).prop_map(Node::Map),
        ]
    })
}

fn load(node: Node) -> Result<usize, HeatError> {
    let template = Template::new(node)?;
    template.check_sections()?;
    let values = ParameterValues::new(template.schemas()?, &Map::new(), &Map::new(), Pseudo::default());
    values.validate(true, &|_, _| Ok(()))?;
    let (resources, outputs) = template.load(&values)?;
    let scope = super::Bare(values);
    for output in &outputs {
        if let Some(expr) = &output.value {
            let _ = evaluate(expr, &scope)?;
        }
    }
    for resource in &resources {
        let _ = resource.requirements();
        let _ = evaluate(&resource.properties, &scope)?;
    }
    Ok(resources.len())
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in ".{0,200}") {
        let _ = parse_document(&text);
    }

    #[test]
    fn any_yaml_is_read_or_refused(text in "[-a-z0-9:&*!|>{}\\[\\],'\" \n#%@~?]{0,120}") {
        let _ = parse_document(&text);
    }

    #[test]
    fn any_sections_are_loaded_or_refused(
        parameters in any_node(), resources in any_node(), outputs in any_node(), conditions in any_node(),
    ) {
        let section = |name: &str, node: Node| (name.to_owned(), node);
        let _ = load(Node::Map(vec![
            section("heat_template_version", Node::Text("2018-08-31".to_owned())),
            section("parameters", parameters),
            section("conditions", conditions),
            section("resources", resources),
            section("outputs", outputs),
        ]));
    }

    #[test]
    fn any_values_are_loaded_or_refused(value in any_node(), properties in any_node()) {
        let map = |entries: Vec<(&str, Node)>| {
            Node::Map(entries.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())
        };
        let kind = Node::Text("OS::Heat::Value".to_owned());
        let _ = load(map(vec![
            ("heat_template_version", Node::Text("2018-08-31".to_owned())),
            ("resources", map(vec![("a", map(vec![("type", kind), ("properties", properties)]))])),
            ("outputs", map(vec![("o", map(vec![("value", value)]))])),
        ]));
    }
}

#[test]
fn aliases_cannot_blow_up() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for i in 1..12 {
        let last = i - 1;
        text.push_str(&format!(
            "a{i}: &a{i} [*a{last}, *a{last}, *a{last}, *a{last}, *a{last}, *a{last}, *a{last}]\n"
        ));
    }
    assert!(parse_document(&text).is_err());
}
