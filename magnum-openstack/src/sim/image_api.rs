//! Glance's API, version 2.

#[cfg(test)]
mod tests;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};

use super::api_fault::ApiFault;
use super::cloud::SimCloud;
use super::http_api::{Authenticated, Params, answer};
use super::world::image::Image;

/// A refusal in Glance's shape, which is HTML.
struct Refused(ApiFault);

impl From<ApiFault> for Refused {
    fn from(fault: ApiFault) -> Self {
        Self(fault)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = http::StatusCode::from_u16(self.0.status).unwrap_or_default();
        let title = format!(
            "{} {}",
            status.as_u16(),
            status.canonical_reason().unwrap_or("Error")
        );
        let body = format!(
            "<html>\n <head>\n  <title>{title}</title>\n </head>\n <body>\n  <h1>{title}</h1>\n  {}<br /><br />\n\n\n \
             </body>\n</html>",
            self.0.message
        );
        (status, axum::response::Html(body)).into_response()
    }
}

pub(super) fn routes() -> Router<SimCloud> {
    Router::new()
        .route("/", get(versions))
        .route("/v2/images", get(list))
        .route("/v2/images/{image}", get(show))
}

async fn versions(State(cloud): State<SimCloud>) -> Response {
    let href = format!("{}/image/v2/", cloud.base_url());
    answer(
        300,
        json!({"versions": [{"id": "v2.16", "status": "CURRENT", "links": [{"rel": "self", "href": href}]}]}),
    )
}

async fn list(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Params { 0: params }: Params,
) -> Response {
    let world = cloud.world();
    let mut found: Vec<&Image> = world
        .images
        .images()
        .filter(|image| image.is_visible_to(caller.project()))
        .filter(|image| {
            params.iter().all(|(key, value)| match key.as_str() {
                "name" => unquoted(value).is_some_and(|names| names.contains(&image.name.as_str())),
                "id" => unquoted(value).is_some_and(|ids| ids.contains(&image.id.as_str())),
                "status" => *value == image.status,
                "visibility" => value == "all" || (value == "public") == image.public,
                "limit" | "marker" | "sort" | "sort_key" | "sort_dir" | "member_status" | "owner" => true,
                property => image.properties.get(property) == Some(value),
            })
        })
        .collect();
    found.sort_by(|a, b| a.id.cmp(&b.id));
    let start = match params.get("marker") {
        Some(marker) => found
            .iter()
            .position(|i| i.id == *marker)
            .map_or(found.len(), |index| index + 1),
        None => 0,
    };
    let limit = params
        .get("limit")
        .and_then(|limit| limit.parse().ok())
        .unwrap_or(25);
    let rest = found.split_off(start.min(found.len()));
    let page: Vec<Value> = rest.iter().take(limit).map(|image| show_image(image)).collect();
    let mut body = json!({"images": page, "schema": "/v2/schemas/images", "first": "/v2/images"});
    if rest.len() > limit
        && let Some(last) = rest.get(limit.saturating_sub(1))
    {
        body["next"] = json!(format!("/v2/images?limit={limit}&marker={}", last.id));
    }
    answer(200, body)
}

/// A filter's value, or values: `in:a,b` lists several.
fn unquoted(value: &str) -> Option<Vec<&str>> {
    match value.strip_prefix("in:") {
        Some(list) => Some(list.split(',').map(|item| item.trim_matches('"')).collect()),
        None => Some(vec![value]),
    }
}

async fn show(
    State(cloud): State<SimCloud>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    let world = cloud.world();
    let image = world.find_image(caller.project(), &id)?;
    Ok(answer(200, show_image(image)))
}

fn show_image(image: &Image) -> Value {
    let mut shown = json!({
        "id": image.id,
        "name": image.name,
        "owner": image.project_id,
        "status": image.status,
        "visibility": if image.public { "public" } else { "private" },
        "protected": false,
        "os_hidden": false,
        "tags": [],
        "min_disk": image.min_disk_gib,
        "min_ram": image.min_ram_mib,
        "disk_format": "raw",
        "container_format": "bare",
        "size": 1024,
        "created_at": format!("{:.0}", image.created_at),
        "updated_at": format!("{:.0}", image.created_at),
        "self": format!("/v2/images/{}", image.id),
        "file": format!("/v2/images/{}/file", image.id),
        "schema": "/v2/schemas/image",
    });
    // Glance puts properties beside the fields.
    for (key, value) in &image.properties {
        shown[key] = json!(value);
    }
    shown
}
