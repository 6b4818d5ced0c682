//! Limits at Cinder.

use magnum_core::{Limit, Result, VolumeLimits};
use serde::Deserialize;

use crate::{Answer, Call, Service};

pub(super) fn limits() -> Call {
    Call::get(Service::BLOCK_STORAGE, "limits.get", "/limits")
}

pub(super) fn read_limits(answer: &Answer) -> Result<VolumeLimits> {
    #[derive(Deserialize)]
    struct Body {
        limits: Limits,
    }
    #[derive(Deserialize)]
    struct Limits {
        absolute: Absolute,
    }
    // cinder/api/views/limits.py, release 21 (Zed)
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Absolute {
        max_total_volumes: i64,
        total_volumes_used: i64,
        max_total_volume_gigabytes: i64,
        total_gigabytes_used: i64,
    }
    let absolute = answer.json::<Body>()?.limits.absolute;
    let limit = |limit, used| Limit { limit, used };
    Ok(VolumeLimits {
        volumes: limit(absolute.max_total_volumes, absolute.total_volumes_used),
        gigabytes: limit(absolute.max_total_volume_gigabytes, absolute.total_gigabytes_used),
    })
}
