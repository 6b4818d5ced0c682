//! Heat's API, version 1.

mod arguments;
mod events;
mod new_stack;
mod refusal;
mod resources;
mod stack_list;
mod stacks;
mod templates;
mod views;

use axum::Router;
use axum::routing::{get, post, put};

use crate::sim::cloud::SimCloud;

/// The routes below `/orchestration`.
pub(crate) fn routes() -> Router<SimCloud> {
    let stack = "/v1/{project}/stacks/{name}/{id}";
    let at = |rest: &str| format!("{stack}{rest}");
    Router::new()
        .route("/", get(views::versions))
        .route("/v1", get(views::versions))
        .route("/v1/", get(views::versions))
        .route("/v1/{project}", get(views::versions))
        .route("/v1/{project}/validate", post(templates::validate))
        .route("/v1/{project}/template_versions", get(templates::versions))
        .route("/v1/{project}/resource_types", get(templates::resource_types))
        .route("/v1/{project}/build_info", get(templates::build_info))
        .route(
            "/v1/{project}/stacks",
            get(stack_list::list).post(new_stack::create),
        )
        .route("/v1/{project}/stacks/preview", post(new_stack::preview))
        .route(
            "/v1/{project}/stacks/{name}",
            get(stacks::look_up).delete(stacks::look_up),
        )
        .route("/v1/{project}/stacks/{name}/resources", get(stacks::look_up_part))
        .route("/v1/{project}/stacks/{name}/events", get(stacks::look_up_part))
        .route("/v1/{project}/stacks/{name}/template", get(stacks::look_up_part))
        .route(
            stack,
            get(stacks::show)
                .put(stacks::update)
                .patch(stacks::patch)
                .delete(stacks::delete),
        )
        .route(&at("/preview"), put(stacks::preview_update))
        .route(&at("/template"), get(templates::of_stack))
        .route(&at("/environment"), get(templates::environment))
        .route(&at("/files"), get(templates::files))
        .route(&at("/outputs"), get(templates::outputs))
        .route(&at("/outputs/{output}"), get(templates::output))
        .route(&at("/actions"), post(stacks::act))
        .route(&at("/events"), get(events::of_stack))
        .route(&at("/resources"), get(resources::list))
        .route(&at("/resources/{resource}"), get(resources::show))
        .route(&at("/resources/{resource}/metadata"), get(resources::metadata))
        .route(&at("/resources/{resource}/signal"), post(resources::signal))
        .route(&at("/resources/{resource}/events"), get(events::of_resource))
        .route(&at("/resources/{resource}/events/{event}"), get(events::show))
}
