//! What a cluster made beside its stack: looked for under the cluster's identity, adopted into its ledger.

use std::sync::{Arc, PoisonError};

use super::Keeper;
use crate::conductor::owner;
use crate::conductor::work::next_sequence;
use crate::model::{LedgerEntry, LedgerId, Owned, VolumePolicy};
use crate::ports::{Adoptable, Auth, CloudResources, LoadBalancer, NetworkPort, Volume};
use crate::{ErrorKind, Result};

impl Keeper {
    fn cloud_resources(&self) -> Result<Arc<dyn CloudResources>> {
        Ok(Arc::clone(&self.inner.cloud(&self.cluster.cloud)?.resources))
    }

    /// Without an identity the cluster never had a server that could have made anything. A look is many calls, so
    /// each begins with a lease that outlasts it.
    async fn own_identity(&self) -> Result<Option<Auth>> {
        if let Some(writing) = &self.writing {
            writing.fence.hold().await?;
        }
        owner::identity(&self.inner, &self.cluster, &self.known_entries())
    }

    fn known_entries(&self) -> Vec<LedgerEntry> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) async fn visible_load_balancers(&self, vip_subnets: &[String]) -> Result<Vec<LoadBalancer>> {
        let Some(auth) = self.own_identity().await? else {
            return Ok(Vec::new());
        };
        let resources = self.cloud_resources()?;
        let call = resources.load_balancers(&auth, vip_subnets);
        owner::under(&self.inner, &auth, "load_balancer.list", call).await
    }

    pub(super) async fn visible_members(&self, load_balancer: &str) -> Result<Vec<String>> {
        let Some(auth) = self.own_identity().await? else {
            return Ok(Vec::new());
        };
        let resources = self.cloud_resources()?;
        let call = resources.members(&auth, load_balancer);
        owner::under(&self.inner, &auth, "load_balancer.members", call).await
    }

    pub(super) async fn visible_volumes(&self) -> Result<Vec<Volume>> {
        let Some(auth) = self.own_identity().await? else {
            return Ok(Vec::new());
        };
        let resources = self.cloud_resources()?;
        let listed = owner::under(&self.inner, &auth, "volume.list", resources.volumes(&auth)).await;
        if let Err(error) = &listed
            && error.kind() == ErrorKind::Forbidden
        {
            let said = format!("volumes could not be looked for: {error}");
            *self.unseen.lock().unwrap_or_else(PoisonError::into_inner) = Some(said);
        }
        listed
    }

    pub(in crate::conductor) fn unseen(&self) -> Option<String> {
        self.unseen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) async fn visible_ports(
        &self,
        networks: &[String],
        subnets: &[String],
    ) -> Result<Vec<NetworkPort>> {
        let Some(auth) = self.own_identity().await? else {
            return Ok(Vec::new());
        };
        let resources = self.cloud_resources()?;
        let call = resources.ports(&auth, networks, subnets);
        owner::under(&self.inner, &auth, "port.list", call).await
    }

    pub(super) async fn visible_server_name(&self, id: &str) -> Result<Option<String>> {
        let Some(auth) = self.own_identity().await? else {
            return Ok(None);
        };
        let resources = self.cloud_resources()?;
        owner::under(&self.inner, &auth, "server.get", resources.server_name(&auth, id)).await
    }

    /// Writes the row, or what is new about it; nothing where all is known.
    pub(super) async fn adopt_thing(&self, thing: Adoptable) -> Result<()> {
        let policy = self.writer()?.volumes;
        let id = match &thing {
            Adoptable::LoadBalancer(LoadBalancer { id, .. }) | Adoptable::Volume(Volume { id, .. }) => id,
        };
        let known = self.known_entries().into_iter().find(|entry| match &entry.owned {
            Owned::LoadBalancer { id: known, .. } => {
                matches!(thing, Adoptable::LoadBalancer(_)) && known == id
            }
            Owned::Volume { id: known, .. } => matches!(thing, Adoptable::Volume(_)) && known == id,
            _ => false,
        });
        let owned = match thing {
            Adoptable::Volume(volume) => Owned::Volume {
                id: volume.id,
                name: volume.name,
                keep: policy == VolumePolicy::Keep,
            },
            Adoptable::LoadBalancer(balancer) => {
                // Those known before stay so, also when they lead nowhere any more.
                let mut floating_ips = match known.as_ref().map(|entry| &entry.owned) {
                    Some(Owned::LoadBalancer { floating_ips, .. }) => floating_ips.clone(),
                    _ => Vec::new(),
                };
                for found in self.leading_to(&balancer.vip_port_id).await? {
                    if !floating_ips.contains(&found) {
                        floating_ips.push(found);
                    }
                }
                Owned::LoadBalancer {
                    id: balancer.id,
                    name: balancer.name,
                    floating_ips,
                    vip_port_id: balancer.vip_port_id,
                }
            }
        };
        match known {
            Some(entry) if entry.owned == owned => Ok(()),
            Some(entry) => self.record(LedgerEntry { owned, ..entry }).await,
            None => {
                tracing::info!("adopted: {}", owned.describe());
                self.record(LedgerEntry {
                    id: LedgerId(self.inner.ids.uuid()),
                    cluster_id: self.cluster.id,
                    sequence: next_sequence(&self.known_entries()),
                    owned,
                })
                .await
            }
        }
    }

    async fn leading_to(&self, port: &str) -> Result<Vec<String>> {
        if port.is_empty() {
            return Ok(Vec::new());
        }
        let Some(auth) = self.own_identity().await? else {
            return Ok(Vec::new());
        };
        let resources = self.cloud_resources()?;
        let call = resources.floating_ips(&auth, port);
        owner::under(&self.inner, &auth, "floating_ip.list", call).await
    }
}
