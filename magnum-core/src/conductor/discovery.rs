//! The step by which a cluster gets its discovery URL, or has the user's checked. It makes nothing in the cloud, so
//! a create that fails here leaves nothing.

use std::sync::Arc;

use super::fence::limited;
use super::work::Work;
use crate::model::{Step, discovery_url};
use crate::{Error, ErrorKind, Result, Retry};

impl Work {
    pub(super) async fn step_discovery(&mut self) -> Result<()> {
        let masters = self.cluster.master_count();
        let Some(discovery) = self.inner.discovery.as_ref().map(Arc::clone) else {
            let message = "this host has no discovery configured any more";
            return Err(Error::new(ErrorKind::Configuration, message));
        };
        if let Some(given) = &self.cluster.discovery_url {
            let check = discovery.check(given, masters);
            let checked = limited(&self.inner, "discovery.check", check).await;
            checked.map_err(|error| advised(error, "give another discovery_url, or none"))?;
        } else {
            const ADVICE: &str = "give a discovery_url of your own, or ask the operator to have this host serve \
                                  discovery itself, or to configure none: the masters then know each other without";
            let create = discovery.create(self.cluster.id, masters);
            let made = self.fence.write("discovery.create", create).await;
            let made = made.map_err(|error| advised(error, ADVICE))?;
            // It goes into scripts, whoever made it.
            if made.as_deref().is_some_and(|made| discovery_url(made).is_err()) {
                let message = "the discovery made a URL that cannot go into the scripts of servers";
                return Err(advised(Error::new(ErrorKind::Configuration, message), ADVICE));
            }
            self.cluster.discovery_url = made;
            self.cluster.discovery_made = true;
        }
        self.go_to(Step::Trust).await
    }
}

/// Says what else there is, where no repeat will help.
fn advised(error: Error, advice: &str) -> Error {
    if error.retry() != Retry::Never {
        return error;
    }
    Error::new(error.kind(), format!("{error}; {advice}"))
        .with_retry(Retry::Never)
        .at("conductor", "discovery")
        .with_source(error)
}
