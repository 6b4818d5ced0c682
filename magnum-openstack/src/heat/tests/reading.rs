use super::*;

#[tokio::test(start_paused = true)]
async fn a_stack_is_read() {
    let body = json!({"stack": stack_body("s1", "CREATE_IN_PROGRESS")});
    let cloud = heat(vec![("GET /v1/p1/stacks/s1/s1-id", Reply::json(200, body))]);
    let orchestrator = cloud.cloud().orchestrator();
    let stack = orchestrator.get(&auth(), &named("s1")).await.unwrap().unwrap();
    assert_eq!(stack.stack, named("s1"));
    assert_eq!(
        (stack.action, stack.phase),
        (Some(Action::Create), Phase::InProgress)
    );
    assert_eq!(stack.reason, "Stack CREATE started");
    assert_eq!(stack.tags, ["magnum-1-2", "b"]);
    assert_eq!(stack.parameters["count"], "2");
    assert_eq!(stack.parameters["removal"], r#"["a"]"#);
    let outputs: Vec<_> = stack
        .outputs
        .iter()
        .map(|(key, value)| (key.as_str(), value.clone()))
        .collect();
    assert_eq!(
        outputs,
        [("api_address", json!("10.0.0.5")), ("nodes", json!(["10.0.0.6"]))]
    );
    assert_eq!(stack.created_at, "2026-01-01T00:00:00Z".parse().ok());
    assert_eq!(stack.updated_at, None);
    assert_eq!(orchestrator.get(&auth(), &named("gone")).await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn statuses_that_are_new_are_no_error_and_deleted_is_gone() {
    let table = [
        ("DELETE_COMPLETE", None),
        ("SUSPEND_COMPLETE", Some((None, Phase::Complete))),
        ("INIT_COMPLETE", Some((None, Phase::InProgress))),
        ("DELETE_FAILED", Some((Some(Action::Delete), Phase::Failed))),
    ];
    for (status, wanted) in table {
        let mut body = stack_body("s1", status);
        // Optional fields may be missing or null.
        for key in ["tags", "outputs", "parameters", "stack_status_reason"] {
            body.as_object_mut().unwrap().remove(key);
        }
        let cloud = heat(vec![
            (
                "GET /v1/p1/stacks/s1/s1-id",
                Reply::json(200, json!({"stack": body})),
            ),
            (
                "GET /v1/p1/stacks?name=s1",
                Reply::json(200, json!({"stacks": []})),
            ),
        ]);
        let stack = cloud
            .cloud()
            .orchestrator()
            .get(&auth(), &named("s1"))
            .await
            .unwrap();
        assert_eq!(stack.map(|stack| (stack.action, stack.phase)), wanted, "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_deletion_has_ended_when_heat_no_longer_lists_the_stack() {
    let body = || stack_body("s1", "DELETE_COMPLETE");
    let seen = async |listed: serde_json::Value| {
        let cloud = heat(vec![
            (
                "GET /v1/p1/stacks/s1/s1-id",
                Reply::json(200, json!({"stack": body()})),
            ),
            (
                "GET /v1/p1/stacks?name=s1",
                Reply::json(200, json!({"stacks": listed})),
            ),
        ]);
        let orchestrator = cloud.cloud().orchestrator();
        let stack = orchestrator.get(&auth(), &named("s1")).await.unwrap();
        stack.map(|stack| (stack.action, stack.phase))
    };
    // It gives back its own trust meanwhile, under ours.
    let leaving = Some((Some(Action::Delete), Phase::InProgress));
    assert_eq!(seen(json!([body()])).await, leaving);
    // The name may be another stack's already.
    let mut other = stack_body("s1", "CREATE_IN_PROGRESS");
    other["id"] = json!("another");
    assert_eq!(seen(json!([other])).await, None);
    assert_eq!(seen(json!([])).await, None);
}

#[tokio::test(start_paused = true)]
async fn find_goes_by_the_whole_name() {
    let list = json!({"stacks": [stack_body("s10", "CREATE_COMPLETE"), stack_body("s1", "CREATE_COMPLETE")]});
    let cloud = heat(vec![
        ("GET /v1/p1/stacks?name=s1", Reply::json(200, list)),
        (
            "GET /v1/p1/stacks?name=none",
            Reply::json(200, json!({"stacks": []})),
        ),
        (
            "GET /v1/p1/stacks/s1/s1-id",
            Reply::json(200, json!({"stack": stack_body("s1", "UPDATE_COMPLETE")})),
        ),
    ]);
    let orchestrator = cloud.cloud().orchestrator();
    let found = orchestrator.find(&auth(), "s1").await.unwrap().unwrap();
    assert_eq!((found.stack, found.action), (named("s1"), Some(Action::Update)));
    assert_eq!(orchestrator.find(&auth(), "none").await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn lists_are_read_page_by_page() {
    let first: Vec<_> = (0..500)
        .map(|n| stack_body(&format!("s{n}"), "CREATE_COMPLETE"))
        .collect();
    let cloud = heat(vec![
        (
            "GET /v1/p1/stacks?limit=500&tags=t",
            Reply::json(200, json!({"stacks": first})),
        ),
        (
            "GET /v1/p1/stacks?limit=500&tags=t&marker=s499-id",
            Reply::json(
                200,
                json!({"stacks": [stack_body("last", "CREATE_COMPLETE")], "links": []}),
            ),
        ),
    ]);
    let stacks = cloud
        .cloud()
        .orchestrator()
        .list(&auth(), Some("t".into()))
        .await
        .unwrap();
    assert_eq!((stacks.len(), stacks[500].stack.clone()), (501, named("last")));
}

#[tokio::test(start_paused = true)]
async fn resources_name_the_stack_that_they_are_in() {
    // heat/api/openstack/v1/resources.py, release 19 (Zed); another host in the links, as behind a proxy
    let body = json!({"resources": [
        {"resource_name": "kube_minions", "logical_resource_id": "kube_minions", "resource_type": "OS::Heat::ResourceGroup",
         "resource_status": "CREATE_IN_PROGRESS", "resource_status_reason": "state changed",
         "physical_resource_id": "g-id", "required_by": [], "creation_time": "2026-01-01T00:00:00Z",
         "links": [{"rel": "self", "href": "https://other/v1/p1/stacks/s1/s1-id/resources/kube_minions"},
                   {"rel": "stack", "href": "https://other/v1/p1/stacks/s1/s1-id"},
                   {"rel": "nested", "href": "https://other/v1/p1/stacks/s1-g/g-id"}]},
        {"resource_name": "0", "resource_type": "node.yaml", "resource_status": "INIT_COMPLETE",
         "resource_status_reason": "", "physical_resource_id": "", "parent_resource": "kube_minions",
         "links": [{"rel": "stack", "href": "https://other/v1/p1/stacks/s1%2Dg/g-id"}]},
        {"resource_name": "bare"}]});
    let cloud = heat(vec![(
        "GET /v1/p1/stacks/s1/s1-id/resources?nested_depth=3",
        Reply::json(200, body),
    )]);
    let found = cloud
        .cloud()
        .orchestrator()
        .resources(&auth(), &named("s1"), 3)
        .await
        .unwrap();
    assert_eq!(found[0].stack, named("s1"));
    assert_eq!(
        (found[0].action, found[0].phase),
        (Some(Action::Create), Some(Phase::InProgress))
    );
    assert_eq!((found[0].physical_id.as_str(), &found[0].parent), ("g-id", &None));
    assert_eq!(
        found[1].stack,
        StackRef {
            name: "s1-g".into(),
            id: "g-id".into()
        }
    );
    assert_eq!((found[1].action, found[1].phase), (None, None));
    assert_eq!(found[1].parent.as_deref(), Some("kube_minions"));
    assert_eq!((&found[2].stack, found[2].name.as_str()), (&named("s1"), "bare"));
}

#[tokio::test(start_paused = true)]
async fn one_resource_has_attributes() {
    let body = json!({"resource": {"resource_name": "port", "resource_type": "OS::Neutron::Port",
        "resource_status": "CREATE_COMPLETE", "physical_resource_id": "x", "attributes": {"mtu": null,
        "fixed_ips": [{"ip_address": "10.0.0.9"}]}}});
    let cloud = heat(vec![(
        "GET /v1/p1/stacks/s1/s1-id/resources/port",
        Reply::json(200, body),
    )]);
    let orchestrator = cloud.cloud().orchestrator();
    let port = orchestrator
        .resource(&auth(), &named("s1"), "port")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(port.attributes["fixed_ips"][0]["ip_address"], "10.0.0.9");
    assert_eq!(
        orchestrator.resource(&auth(), &named("s1"), "no").await.unwrap(),
        None
    );
}

#[tokio::test(start_paused = true)]
async fn events_come_oldest_first() {
    let event = |time: &str, name: &str| {
        json!({"id": name, "event_time": time, "resource_name": name, "resource_status": "CREATE_FAILED",
               "resource_status_reason": "why", "physical_resource_id": null, "links": []})
    };
    let body = json!({"events": [
        event("2026-01-01T00:00:02Z", "c"), event("2026-01-01T00:00:01Z", "a"), event("2026-01-01T00:00:01Z", "b")]});
    let line = "GET /v1/p1/stacks/s1/s1-id/events?nested_depth=9&sort_dir=asc";
    let cloud = heat(vec![(line, Reply::json(200, body))]);
    let events = cloud
        .cloud()
        .orchestrator()
        .events(&auth(), &named("s1"))
        .await
        .unwrap();
    let names: Vec<_> = events.iter().map(|event| event.resource.as_str()).collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert_eq!(
        (events[0].status.as_str(), events[0].reason.as_str()),
        ("CREATE_FAILED", "why")
    );
}
