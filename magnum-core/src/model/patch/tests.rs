//! What a patch does, and what it refuses.

use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::*;
use crate::ErrorKind;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Thing {
    count: u32,
    word: Option<String>,
    kind: String,
    map: std::collections::BTreeMap<String, String>,
}

fn thing() -> Thing {
    Thing {
        count: 3,
        word: None,
        kind: "k".to_owned(),
        map: [("a".to_owned(), "1".to_owned())].into(),
    }
}

fn rules(attribute: &str) -> Rule {
    match attribute {
        "count" => Rule::Counted { default: json!(1) },
        "word" => Rule::Free { default: Value::Null },
        "map" => Rule::Free { default: json!({}) },
        "kind" => Rule::Kept {
            why: "it is mandatory",
        },
        _ => Rule::Fixed {
            why: "no such attribute".to_owned(),
        },
    }
}

fn patched(from: &Thing, patch: &Patch) -> Result<Thing> {
    patch.apply(&serde_json::to_value(from).unwrap(), rules)
}

fn fields(patch: &Patch) -> Vec<String> {
    let error = patched(&thing(), patch).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    error.problems().iter().map(|p| p.field.clone()).collect()
}

#[test]
fn attributes_are_replaced_added_and_set_back() {
    let patch = Patch::new()
        .replace("/count", 8)
        .add("word", "new")
        .add("/map/b", "2")
        .remove("/map/a");
    let changed = patched(&thing(), &patch).unwrap();
    assert_eq!((changed.count, changed.word.as_deref()), (8, Some("new")));
    assert_eq!(changed.map, [("b".to_owned(), "2".to_owned())].into());
    let back = patched(&changed, &Patch::new().remove("/count").remove("/word")).unwrap();
    assert_eq!((back.count, back.word), (1, None));
}

#[test]
fn what_may_not_be_done_is_named_all_of_it() {
    let patch = Patch::new()
        .add("/count", 2)
        .remove("/kind")
        .replace("/other", 1)
        .remove("/map/none");
    assert_eq!(fields(&patch), ["count", "kind", "other", "map.none"]);
    assert_eq!(fields(&Patch::new().replace("/count", "eight")), ["count"]);
    assert_eq!(fields(&Patch::new().replace("/count", -5)), ["count"]);
    assert_eq!(fields(&Patch::new().replace("/map", json!([1]))), ["map"]);
}

#[test]
fn only_three_operations_are_known() {
    for operation in [
        json!({"op": "move", "from": "/kind", "path": "/word"}),
        json!({"op": "copy", "from": "/kind", "path": "/word"}),
        json!({"op": "test", "path": "/kind", "value": "k"}),
    ] {
        assert_eq!(fields(&Patch::from_json(&json!([operation])).unwrap()), ["patch"]);
    }
    for wrong in [
        json!({}),
        json!([{"op": "replace", "path": "/count"}]),
        json!([{"op": "merge", "path": "/count", "value": 1}]),
        json!([{"path": "/count", "value": 1}]),
        json!([{"op": "replace", "path": "count", "value": 1}]),
        json!("replace"),
    ] {
        let error = Patch::from_json(&wrong).unwrap_err();
        assert_eq!(error.problems()[0].field, "patch", "{wrong}");
    }
    let root = Patch::from_json(&json!([{"op": "replace", "path": "", "value": {}}])).unwrap();
    assert_eq!(fields(&root), ["patch"]);
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        (0u32..5).prop_map(Value::from),
        "[a-c]{0,2}".prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
        Just(json!({"x": "y"})),
    ]
}

fn patch() -> impl Strategy<Value = Patch> {
    let path = prop_oneof![
        Just("/count"),
        Just("/word"),
        Just("/kind"),
        Just("/map"),
        Just("/map/a"),
        Just("/map/b~1c"),
        Just("/nothing"),
    ];
    let operation = (0u8..3, path, value());
    proptest::collection::vec(operation, 0..5).prop_map(|operations| {
        operations
            .into_iter()
            .fold(Patch::new(), |patch, (verb, path, value)| match verb {
                0 => patch.add(path, value),
                1 => patch.replace(path, value),
                _ => patch.remove(path),
            })
    })
}

fn outcome(result: Result<Thing>) -> Option<Thing> {
    result.ok()
}

proptest! {
    #[test]
    fn two_patches_in_a_row_are_one(first in patch(), second in patch()) {
        let together = outcome(patched(&thing(), &first.clone().then(second.clone())));
        // A value of the wrong type in between may be mended by the second.
        if let Some(between) = outcome(patched(&thing(), &first)) {
            prop_assert_eq!(together, outcome(patched(&between, &second)));
        }
    }

    #[test]
    fn an_empty_patch_changes_nothing(first in patch()) {
        if let Some(changed) = outcome(patched(&thing(), &first)) {
            prop_assert_eq!(outcome(patched(&changed, &Patch::new())), Some(changed));
        }
    }

    #[test]
    fn a_replacement_is_the_same_done_twice(count in 0u32..100, word in "[a-z]{1,5}") {
        let patch = Patch::new().replace("/count", count).replace("/word", word);
        let once = patched(&thing(), &patch).unwrap();
        prop_assert_eq!(patched(&once, &patch).unwrap(), once);
    }

    #[test]
    fn a_removal_is_a_replacement_by_the_default(first in patch()) {
        if let Some(changed) = outcome(patched(&thing(), &first)) {
            let removed = patched(&changed, &Patch::new().remove("/count")).unwrap();
            prop_assert_eq!(patched(&changed, &Patch::new().replace("/count", 1)).unwrap(), removed);
        }
    }

    #[test]
    fn attributes_that_are_not_named_stay(patch in patch()) {
        if let Some(changed) = outcome(patched(&thing(), &patch)) {
            let named: Vec<String> = patch.attributes().collect();
            prop_assert!(named.iter().any(|n| n == "count") || changed.count == thing().count);
            prop_assert!(named.iter().any(|n| n == "map") || changed.map == thing().map);
            prop_assert!(named.iter().any(|n| n == "word") || changed.word == thing().word);
            prop_assert!(named.iter().any(|n| n == "kind") || changed.kind == thing().kind);
        }
    }

    #[test]
    fn no_text_makes_it_panic(path in ".{0,20}", text in ".{0,20}") {
        let value = json!([{"op": "add", "path": path, "value": text}]);
        if let Ok(patch) = Patch::from_json(&value) {
            let _ = patched(&thing(), &patch);
        }
        let _ = patched(&thing(), &Patch::new().replace(&path, text));
    }
}
