//! Images at Glance.

use magnum_core::{Image, Result};
use serde::Deserialize;

use super::Thing;
use crate::{Answer, Call, Service};

pub(super) const IMAGE: Thing<Image> = Thing {
    what: "image",
    by_id: |id| Call::get(Service::IMAGE, "image.get", "/images/{id}").segment(id),
    one: |answer| answer.json::<Body>().map(Image::from),
    by_name,
    many,
    name: |image| &image.name,
    id: |image| &image.id,
};

/// Glance reads a prefix like `in:` as an operator; in quotes after its own `in:` a name is only a name
/// (glance/common/utils.py `split_filter_value_for_quotes`, release 25).
fn by_name(name: &str) -> Call {
    let quoted = format!("in:\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""));
    let plain = !name.contains([':', ',', '"', '\\']);
    let filter = if plain { name.to_owned() } else { quoted };
    Call::get(Service::IMAGE, "image.find", "/images").query("name", filter)
}

fn many(answer: &Answer) -> Result<Vec<Image>> {
    #[derive(Deserialize)]
    struct Images {
        images: Vec<Body>,
    }
    let body: Images = answer.json()?;
    Ok(body.images.into_iter().map(Image::from).collect())
}

// glance/api/v2/images.py, release 25 (Zed): base properties, and custom ones beside them
#[derive(Deserialize)]
struct Body {
    id: String,
    name: Option<String>,
    os_distro: Option<String>,
    min_disk: Option<u64>,
    min_ram: Option<u64>,
}

impl From<Body> for Image {
    fn from(body: Body) -> Self {
        Self {
            id: body.id,
            name: body.name.unwrap_or_default(),
            os_distro: body.os_distro.filter(|distro| !distro.is_empty()),
            min_disk: body.min_disk.unwrap_or_default(),
            min_ram: body.min_ram.unwrap_or_default(),
        }
    }
}
