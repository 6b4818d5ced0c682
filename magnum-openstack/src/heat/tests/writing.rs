use super::*;

#[tokio::test(start_paused = true)]
async fn create_sends_everything_and_gives_name_and_id() {
    let body = json!({"stack": {"id": "s1-id", "links": []}});
    let cloud = heat(vec![("POST /v1/p1/stacks", Reply::json(201, body))]);
    let made = cloud
        .cloud()
        .orchestrator()
        .create(&auth(), creation())
        .await
        .unwrap();
    assert_eq!(made, named("s1"));
    let calls = cloud.calls();
    assert_eq!(calls[0].token, "token-of-alice");
    assert_eq!(
        calls[0].body,
        json!({
            "stack_name": "s1", "template": "heat_template_version: 2018-08-31", "files": {"node.yaml": "text"},
            "parameters": {"count": 2, "credential": "0123456789abcdef"},
            "timeout_mins": 2, "disable_rollback": true, "tags": "magnum-1-2,b",
        })
    );
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_taken_is_a_conflict_and_values_are_not_repeated() {
    let taken = json!({"code": 409, "title": "Conflict", "explanation": "e",
        "error": {"type": "StackExists", "traceback": null, "message": "The Stack (s1) already exists."}});
    let cloud = heat(vec![("POST /v1/p1/stacks", Reply::json(409, taken))]);
    let error = cloud
        .cloud()
        .orchestrator()
        .create(&auth(), creation())
        .await
        .unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Conflict, Retry::Never));
    let invalid = json!({"error": {"type": "StackValidationFailed",
        "message": "Parameter 'credential' is invalid: '0123456789abcdef' does not match '^a'"}});
    let cloud = heat(vec![("POST /v1/p1/stacks", Reply::json(400, invalid))]);
    let error = cloud
        .cloud()
        .orchestrator()
        .create(&auth(), creation())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(
        error.to_string(),
        "Heat: Parameter 'credential' is invalid: '[secret]' does not match '^a'"
    );
}

#[tokio::test(start_paused = true)]
async fn update_names_parameters_and_tags_and_no_template() {
    let cloud = heat(vec![(
        "PATCH /v1/p1/stacks/s1/s1-id",
        Reply::json(202, json!({"code": "202 Accepted"})),
    )]);
    let change = StackUpdate {
        parameters: Parameters::from([("count".to_owned(), json!(3)), ("removal".to_owned(), json!([]))]),
        timeout: Duration::from_secs(60),
        tags: vec!["magnum-1-3".into()],
    };
    cloud
        .cloud()
        .orchestrator()
        .update(&auth(), &named("s1"), change)
        .await
        .unwrap();
    assert_eq!(
        cloud.calls()[0].body,
        json!({"parameters": {"count": 3, "removal": []}, "timeout_mins": 1, "disable_rollback": true,
               "tags": "magnum-1-3"})
    );
}

#[tokio::test(start_paused = true)]
async fn updating_what_is_being_deleted_is_a_conflict() {
    let body = json!({"error": {"type": "NotSupported",
        "message": "Updating a stack when it is deleting is not supported."}});
    let cloud = heat(vec![("PATCH /v1/p1/stacks/s1/s1-id", Reply::json(400, body))]);
    let change = StackUpdate {
        parameters: Parameters::new(),
        timeout: Duration::ZERO,
        tags: Vec::new(),
    };
    let error = cloud
        .cloud()
        .orchestrator()
        .update(&auth(), &named("s1"), change)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(cloud.calls()[0].body["timeout_mins"], 1);
}

#[tokio::test(start_paused = true)]
async fn delete_of_what_is_gone_is_done_but_a_stranger_s_404_is_not() {
    let cloud = heat(vec![(
        "DELETE /v1/p1/stacks/s1/s1-id",
        Reply::Answer(204, vec![], String::new()),
    )]);
    let orchestrator = cloud.cloud().orchestrator();
    orchestrator.delete(&auth(), &named("s1")).await.unwrap();
    orchestrator.delete(&auth(), &named("gone")).await.unwrap();
    let html = Reply::Answer(404, vec![], "<html>default backend</html>".into());
    let unrouted = Reply::json(404, json!({"error": {"type": "HTTPNotFound", "message": "m"}}));
    for reply in [html, unrouted] {
        let cloud = heat(vec![("DELETE /v1/p1/stacks/s1/s1-id", reply)]);
        let error = cloud
            .cloud()
            .orchestrator()
            .delete(&auth(), &named("s1"))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
    }
}

#[tokio::test(start_paused = true)]
async fn a_template_is_valid_or_the_callers_mistake() {
    let refused =
        json!({"error": {"type": "EntityNotFound", "message": "The Resource Type (X) could not be found."}});
    let table = [
        (
            Reply::json(200, json!({"Parameters": {}, "Description": "d"})),
            None,
        ),
        (
            Reply::json(200, json!({"Error": "no\nresources"})),
            Some("Heat: no resources"),
        ),
        (
            Reply::json(404, refused),
            Some("Heat: The Resource Type (X) could not be found."),
        ),
    ];
    for (reply, wanted) in table {
        let cloud = heat(vec![("POST /v1/p1/validate", reply)]);
        let outcome = cloud.cloud().orchestrator().validate(&auth(), template()).await;
        match wanted {
            None => outcome.unwrap(),
            Some(text) => {
                let error = outcome.unwrap_err();
                assert_eq!(
                    (error.kind(), error.to_string().as_str()),
                    (ErrorKind::InvalidInput, text)
                );
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_preview_is_flat() {
    let body = json!({"stack": {"id": "None", "resources": [
        {"resource_name": "net", "resource_type": "OS::Neutron::Net", "properties": {"name": "n"}},
        [{"resource_name": "server", "resource_type": "OS::Nova::Server", "properties": {}},
         [{"resource_name": "port", "resource_type": "OS::Neutron::Port"}]]]}});
    let cloud = heat(vec![("POST /v1/p1/stacks/preview", Reply::json(200, body))]);
    let found = cloud
        .cloud()
        .orchestrator()
        .preview(&auth(), creation())
        .await
        .unwrap();
    let names: Vec<_> = found.iter().map(|resource| resource.name.as_str()).collect();
    assert_eq!(names, ["net", "server", "port"]);
    assert_eq!(found[0].properties["name"], "n");
}

#[tokio::test(start_paused = true)]
async fn a_trust_acts_for_its_owner() {
    let body = json!({"stack": stack_body("s1", "CREATE_COMPLETE")});
    let cloud = heat(vec![("GET /v1/p1/stacks/s1/s1-id", Reply::json(200, body))]);
    let trust = magnum_core::TrustCredentials {
        trustee_user_id: "u".into(),
        password: Secret::new("trustee-pw"),
        trust_id: "t".into(),
    };
    cloud
        .cloud()
        .orchestrator()
        .get(&Auth::Trust(trust), &named("s1"))
        .await
        .unwrap();
    assert_eq!((cloud.logins(), cloud.calls()[0].token.as_str()), (1, "token-1"));
}
