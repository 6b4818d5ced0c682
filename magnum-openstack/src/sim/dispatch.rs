//! From a request to a service and back, with the faults in between.

#[cfg(test)]
mod tests;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{MatchedPath, Request};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use http::header::{HeaderValue, RETRY_AFTER};
use magnum_core::TransportError;
use tower::ServiceExt;

use super::cloud::{SimCloud, lock};
use super::fault::Effect;
use super::heat;
use super::{
    compute_api, identity_api, image_api, key_manager_api, load_balancer_api, network_api, volume_api,
};

/// Bodies are templates and secrets at most.
const BODY_LIMIT: usize = 64 << 20;

/// The template of the route that answered.
#[derive(Clone, Debug)]
struct Template(String);

/// All services, each below its prefix.
pub(crate) fn router() -> Router<SimCloud> {
    Router::new()
        .nest("/identity", identity_api::routes())
        .nest("/image", image_api::routes())
        .nest("/compute", compute_api::routes())
        .nest("/networking", network_api::routes())
        .nest("/volume", volume_api::routes())
        .nest("/load-balancer", load_balancer_api::routes())
        .nest("/key-manager", key_manager_api::routes())
        .nest("/orchestration", heat::routes())
        .route_layer(from_fn(note_template))
}

async fn note_template(matched: MatchedPath, request: Request, next: Next) -> Response {
    let template = Template(matched.as_str().to_owned());
    let mut response = next.run(request).await;
    response.extensions_mut().insert(template);
    response
}

impl SimCloud {
    /// Answers one request.
    pub(crate) async fn handle(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let (index, effects) = self.admit(&request);
        let mut answer_is_lost = false;
        for effect in effects {
            match effect {
                Effect::Latency(duration) => self.shared.clock.sleep(duration).await,
                Effect::ResetBefore { sent } => {
                    let message = "connection reset before the request was answered".to_owned();
                    return Err(TransportError { sent, message });
                }
                Effect::Status { status, retry_after } => {
                    return Ok(self.refuse(index, status, retry_after));
                }
                Effect::TokenExpired => self.expire_token(&request),
                Effect::ResetAfter => answer_is_lost = true,
                // These strike resources; the plan hands them out there.
                Effect::ResourceFailure(_)
                | Effect::StackVanished
                | Effect::GuestFailure(_)
                | Effect::GuestSilent => {}
            }
        }
        let response = self.dispatch(index, request).await?;
        self.start_guests();
        if answer_is_lost {
            return Err(TransportError::maybe_sent(
                "connection reset while waiting for the answer",
            ));
        }
        Ok(response)
    }

    /// Brings the world up to date, notes the request, and asks what is to go wrong with it.
    fn admit(&self, request: &http::Request<Bytes>) -> (u64, Vec<Effect>) {
        let (method, path) = (request.method(), request.uri().path());
        let mut world = self.world();
        world.settle();
        heat::advance(&mut world);
        let identity = token_of(request)
            .and_then(|token| world.authenticate(token).ok())
            .map(|caller| {
                let user = world
                    .find_user(&caller.user_id)
                    .map_or_else(|_| "", |user| &user.name);
                if caller.trust_id.is_some() {
                    format!("{user} via trust")
                } else {
                    user.to_owned()
                }
            })
            .unwrap_or_default();
        let index = lock(&self.shared.log).begin(method.clone(), path, identity);
        let world = &mut *world;
        let mut seed = world.seed_mut().clone();
        let effects = world.faults.strike_call(index, method, path, &mut seed);
        *world.seed_mut() = seed;
        (index, effects)
    }

    fn expire_token(&self, request: &http::Request<Bytes>) {
        let mut world = self.world();
        let now = world.now();
        if let Some(token) = token_of(request).and_then(|id| world.identity.tokens.get_mut(id)) {
            token.expires_at = token.expires_at.min(now);
        }
    }

    fn refuse(
        &self,
        index: u64,
        status: u16,
        retry_after: Option<std::time::Duration>,
    ) -> http::Response<Bytes> {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let reason = status.canonical_reason().unwrap_or("Error");
        let body = serde_json::json!({
            "error": {"code": status.as_u16(), "title": reason, "message": format!("{reason} (injected)")}
        });
        let mut response = http::Response::new(Bytes::from(body.to_string()));
        *response.status_mut() = status;
        response.headers_mut().insert(
            http::header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        if let Some(wait) = retry_after {
            response
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from(wait.as_secs()));
        }
        self.stamp(&mut response);
        lock(&self.shared.log).end(index, None, Some(status.as_u16()));
        response
    }

    async fn dispatch(
        &self,
        index: u64,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let service = self.shared.router.clone().with_state(self.clone());
        // A router's error type is uninhabited.
        let response = match service.oneshot(request.map(Body::from)).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let (parts, body) = response.into_parts();
        let template = parts
            .extensions
            .get::<Template>()
            .map(|template| template.0.clone());
        let body = to_bytes(body, BODY_LIMIT)
            .await
            .map_err(|error| TransportError::maybe_sent(format!("the answer broke off: {error}")))?;
        let mut response = http::Response::from_parts(parts, body);
        self.stamp(&mut response);
        lock(&self.shared.log).end(index, template, Some(response.status().as_u16()));
        Ok(response)
    }

    /// Every answer has the number under which operators find it in their logs.
    fn stamp(&self, response: &mut http::Response<Bytes>) {
        let id = format!("req-{}", self.world().new_uuid());
        if let Ok(value) = HeaderValue::from_str(&id) {
            response.headers_mut().insert("x-openstack-request-id", value);
        }
    }
}

fn token_of(request: &http::Request<Bytes>) -> Option<&str> {
    request
        .headers()
        .get("x-auth-token")
        .and_then(|value| value.to_str().ok())
}
