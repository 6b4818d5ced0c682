use bytes::Bytes;
use http::HeaderMap;

use super::*;
use crate::Service;

fn refused(status: u16, body: &str, headers: &[(&'static str, &'static str)]) -> Error {
    let call = Call::post(Service::ORCHESTRATION, "stack.create", "/stacks").secret("wordpass");
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(*name, value.parse().unwrap());
    }
    let answer = Answer {
        service: call.service,
        operation: call.operation,
        status: StatusCode::from_u16(status).unwrap(),
        headers: map,
        body: Bytes::copy_from_slice(body.as_bytes()),
    };
    error(&call, &answer, Some("gAAAA-token"))
}

#[test]
fn every_service_form_is_understood() {
    // (status, body, kind, message)
    let table = [
        // Keystone 22, keystone/server/flask/application.py
        (
            401,
            r#"{"error":{"code":401,"message":"The request you have made requires authentication.","title":"Unauthorized"}}"#,
            ErrorKind::Unauthorized,
            "Heat: The request you have made requires authentication.",
        ),
        // Heat 19, heat/api/middleware/fault.py
        (
            409,
            r#"{"code":409,"error":{"message":"The Stack (a) already exists.","traceback":null,"type":"StackExists"},"explanation":"There was a conflict when trying to complete your request.","title":"Conflict"}"#,
            ErrorKind::Conflict,
            "Heat: The Stack (a) already exists.",
        ),
        (
            409,
            r#"{"error":{"message":"Stack a already has an action (CREATE) in progress.","type":"ActionInProgress"}}"#,
            ErrorKind::Busy,
            "Heat: Stack a already has an action (CREATE) in progress.",
        ),
        (
            400,
            r#"{"error":{"message":"Request limit exceeded: You have reached the maximum stacks per tenant, 2. Please delete some stacks.","type":"RequestLimitExceeded"}}"#,
            ErrorKind::Quota,
            "Heat: Request limit exceeded: You have reached the maximum stacks per tenant, 2. Please delete some stacks.",
        ),
        (
            400,
            r#"{"error":{"message":"Request limit exceeded: JSON body size (9 bytes) exceeds maximum allowed size (8 bytes).","type":"RequestLimitExceeded"}}"#,
            ErrorKind::InvalidInput,
            "Heat: Request limit exceeded: JSON body size (9 bytes) exceeds maximum allowed size (8 bytes).",
        ),
        (
            404,
            r#"{"error":{"message":"The Stack (x) could not be found.","type":"EntityNotFound"}}"#,
            ErrorKind::NotFound,
            "Heat: The Stack (x) could not be found.",
        ),
        (
            404,
            r#"{"error":{"message":"The resource could not be found.","type":"HTTPNotFound"}}"#,
            ErrorKind::Unavailable,
            "what answered stack.create is not Heat: is its endpoint in the catalog right?",
        ),
        // Heat 19 hides the message of errors that are not marked safe.
        (
            500,
            r#"{"code":500,"error":{"traceback":null,"type":"Forbidden"},"explanation":"The server has either erred or is incapable of performing the requested operation.","title":"Internal Server Error"}"#,
            ErrorKind::Unavailable,
            "Heat: The server has either erred or is incapable of performing the requested operation.",
        ),
        // Nova 26, nova/api/openstack/wsgi.py
        (
            403,
            r#"{"forbidden":{"code":403,"message":"Quota exceeded for cores: Requested 4, but already used 20 of 20 cores"}}"#,
            ErrorKind::Quota,
            "Heat: Quota exceeded for cores: Requested 4, but already used 20 of 20 cores",
        ),
        (
            404,
            r#"{"itemNotFound":{"code":404,"message":"Flavor x could not be found."}}"#,
            ErrorKind::NotFound,
            "Heat: Flavor x could not be found.",
        ),
        // Neutron 21, neutron_lib/api/faults.py
        (
            409,
            r#"{"NeutronError":{"type":"OverQuota","message":"Quota exceeded for resources: ['network'].","detail":""}}"#,
            ErrorKind::Quota,
            "Heat: Quota exceeded for resources: ['network'].",
        ),
        // Cinder 21, cinder/exception.py
        (
            413,
            r#"{"overLimit":{"code":413,"message":"VolumeLimitExceeded: Maximum number of volumes allowed (10) exceeded for quota 'volumes'."}}"#,
            ErrorKind::Quota,
            "Heat: VolumeLimitExceeded: Maximum number of volumes allowed (10) exceeded for quota 'volumes'.",
        ),
        // Barbican 15, barbican/api/__init__.py
        (
            403,
            r#"{"code":403,"title":"Forbidden","description":"Secret retrieval attempt not allowed - please review your user/project privileges"}"#,
            ErrorKind::Forbidden,
            "Heat: Secret retrieval attempt not allowed - please review your user/project privileges",
        ),
        // Barbican 15, barbican/common/exception.py
        (
            403,
            r#"{"code":403,"title":"Forbidden","description":"Secret creation issue seen - Creation not allowed because a quota has been reached."}"#,
            ErrorKind::Quota,
            "Heat: Secret creation issue seen - Creation not allowed because a quota has been reached.",
        ),
        // A proxy in front of the service.
        (
            404,
            "<html>no such backend</html>",
            ErrorKind::Unavailable,
            "what answered stack.create is not Heat: is its endpoint in the catalog right?",
        ),
        (
            502,
            "<html>bad gateway</html>",
            ErrorKind::Unavailable,
            "Heat answered stack.create with status 502",
        ),
        (
            302,
            "",
            ErrorKind::Configuration,
            "Heat answered stack.create with status 302",
        ),
        (
            429,
            "",
            ErrorKind::RateLimited,
            "Heat answered stack.create with status 429",
        ),
    ];
    for (status, body, kind, message) in table {
        let error = refused(status, body, &[]);
        assert_eq!(
            (error.kind(), error.to_string().as_str()),
            (kind, message),
            "{status} {body}"
        );
        assert_eq!(error.origin(), "heat");
        assert_eq!(error.operation(), "stack.create");
    }
}

#[test]
fn headers_count() {
    let error = refused(
        413,
        "",
        &[("retry-after", "3"), ("x-openstack-request-id", "req-1")],
    );
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert_eq!(error.request_id(), Some("req-1"));
    assert_eq!(refused(413, "", &[]).kind(), ErrorKind::InvalidInput);
    // Glance 25 answers HTML or nothing where it sees no Accept header, and names the request.
    assert_eq!(
        refused(404, "", &[("x-openstack-request-id", "req-2")]).kind(),
        ErrorKind::NotFound
    );
}

#[test]
fn an_unrepeatable_call_that_failed_is_unknown() {
    assert_eq!(refused(503, "", &[]).retry(), Retry::Unknown);
    assert_eq!(refused(429, "", &[]).retry(), Retry::Later);
    assert_eq!(refused(400, "", &[]).retry(), Retry::Never);
}

#[test]
fn messages_carry_no_secret_no_query_and_one_line() {
    let body = r#"{"error":{"message":"bad value wordpass\nfor gAAAA-token at http://h/s?Signature=abc&x=1 <br />\u0007 end"}}"#;
    let error = refused(400, body, &[]);
    assert_eq!(
        error.to_string(),
        "Heat: bad value [secret] for [secret] at http://h/s?… \u{fffd} end"
    );
    let long = format!(r#"{{"error":{{"message":"{}"}}}}"#, "é".repeat(5000));
    assert!(refused(400, &long, &[]).to_string().chars().count() < LIMIT + 20);
}
