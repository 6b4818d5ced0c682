//! When a node is to take new certificates: masters one after the other, so that the cluster's API stays.

use std::cmp::Ordering;

use jiff::{SignedDuration, Timestamp};

use super::caller::Caller;
use super::refusal::Refusal;
use crate::model::{Cluster, Holder, Noted, PoolRole};
use crate::service::Magnum;

impl Magnum {
    /// The version of what a node is to trust and to hold, and whether it is to renew, or to wait for another.
    pub(super) async fn version_for(&self, cluster: &Cluster, caller: &Caller) -> Result<String, Refusal> {
        let version = cluster.certificates_version;
        if caller.role == PoolRole::Master && self.waits_for_version(cluster, caller).await? {
            return Ok(format!("{version} wait\n"));
        }
        Ok(match self.renewal(cluster, caller).await? {
            Renewal::NotDue => format!("{version}\n"),
            Renewal::Due => format!("{version} renew\n"),
            Renewal::AnotherFirst => format!("{version} wait\n"),
        })
    }

    /// Whether a master before this one has not taken the version yet. One that has never taken any does not wait: nothing
    /// on it reads certificates yet.
    async fn waits_for_version(&self, cluster: &Cluster, caller: &Caller) -> Result<bool, Refusal> {
        let about = format!("taken/{}/", caller.role.as_str());
        let notes = self.inner.store.certificate_notes(cluster.id, &about).await;
        let (mut began, mut before) = (false, false);
        for note in notes.map_err(Refusal::ours)? {
            let Noted::Taken { member, version, .. } = note.noted else {
                continue;
            };
            if version == cluster.certificates_version {
                continue;
            }
            match in_turn(&member, &caller.member) {
                Ordering::Less => before = true,
                Ordering::Equal => began = true,
                Ordering::Greater => {}
            }
        }
        Ok(began && before)
    }

    /// Certificates are renewed when a third of their life is left; masters wait for those before them, but not for ever:
    /// one that is broken shall not take the others with it.
    async fn renewal(&self, cluster: &Cluster, caller: &Caller) -> Result<Renewal, Refusal> {
        let now = self.inner.clock.now();
        let role = caller.role.as_str();
        // Of workers those of that node alone: all ask every few minutes.
        let about = match caller.role {
            PoolRole::Master => format!("node/{role}/"),
            PoolRole::Worker => format!("node/{role}/{}/", caller.member),
        };
        let notes = self.inner.store.certificate_notes(cluster.id, &about).await;
        let mut renewal = Renewal::NotDue;
        let (mut another, mut late) = (false, false);
        for note in notes.map_err(Refusal::ours)? {
            let Noted::Issued {
                holder: Holder::Node { member, .. },
                authority,
                facts,
            } = note.noted
            else {
                continue;
            };
            let life = facts.not_after.duration_since(facts.not_before);
            let left = facts.not_after.duration_since(now);
            let turn = in_turn(&member, &caller.member);
            if left > life / 3 || turn == Ordering::Greater {
                continue;
            }
            if !self
                .lasts_longer(cluster, &authority, facts.not_after, life)
                .await?
            {
                continue;
            }
            match turn {
                Ordering::Less => another = true,
                _ => {
                    renewal = Renewal::Due;
                    late |= left < life / 6;
                }
            }
        }
        match renewal {
            Renewal::Due if another && !late => Ok(Renewal::AnotherFirst),
            renewal => Ok(renewal),
        }
    }

    /// Whether a certificate that is issued now would end notably later than one that is there: they end with their
    /// authority, and then nothing but another one helps.
    async fn lasts_longer(
        &self,
        cluster: &Cluster,
        authority: &str,
        end: Timestamp,
        life: SignedDuration,
    ) -> Result<bool, Refusal> {
        let authority = self.kept(cluster, authority).await?;
        let signer = &self.inner.certificates.authority;
        let authority_end = signer.facts(&authority.certificate)?.not_after;
        let validity = self.inner.settings.certificate_validity;
        let new = self.inner.clock.now().checked_add(validity);
        let new = new.unwrap_or(Timestamp::MAX).min(authority_end);
        Ok(new.duration_since(end) > life / 10)
    }
}

enum Renewal {
    NotDue,
    Due,
    AnotherFirst,
}

/// Members are numbers in all groups of Heat's; others go by their letters.
fn in_turn(a: &str, b: &str) -> Ordering {
    let number = |member: &str| member.parse::<u64>().ok();
    match (number(a), number(b)) {
        (Some(x), Some(y)) => x.cmp(&y),
        _ => a.cmp(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_comes_after_nine() {
        assert_eq!(in_turn("9", "10"), Ordering::Less);
        assert_eq!(in_turn("10", "10"), Ordering::Equal);
        assert_eq!(in_turn("b", "a"), Ordering::Greater);
    }
}
