//! When a node is to take new certificates: masters one after the other, so that the cluster's API stays.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::caller::Caller;
use super::refusal::Refusal;
use crate::model::{Cluster, Holder, Noted, PoolRole};
use crate::ports::CertificateFacts;
use crate::service::Magnum;

/// What masters have told, by member: the version and when.
type Told = BTreeMap<String, (u64, Timestamp)>;

impl Magnum {
    /// The version of what a node is to trust and to hold, and whether it is to renew, or to wait for another.
    pub(super) async fn version_for(&self, cluster: &Cluster, caller: &Caller) -> Result<String, Refusal> {
        let version = cluster.certificates_version;
        let age = self.age(cluster, caller).await?;
        // One that is broken shall not take the others with it.
        let may_wait = caller.role == PoolRole::Master && age != Age::Late;
        if may_wait && self.waits(cluster, caller, age).await? {
            return Ok(format!("{version} wait\n"));
        }
        Ok(match age {
            Age::Young => format!("{version}\n"),
            Age::Old | Age::Late => format!("{version} renew\n"),
        })
    }

    /// Whether a master before this one has not taken what this one is to take, or has not told yet that it runs with it.
    async fn waits(&self, cluster: &Cluster, caller: &Caller, age: Age) -> Result<bool, Refusal> {
        let role = caller.role.as_str();
        let mut told = Told::new();
        for note in self.noted(cluster, format!("taken/{role}/")).await? {
            if let Noted::Taken {
                member, version, at, ..
            } = note
            {
                told.insert(member, (version, at));
            }
        }
        let current = cluster.certificates_version;
        // On one that has never told anything nothing reads certificates yet.
        let Some(&(own, _)) = told.get(&caller.member) else {
            return Ok(false);
        };
        if own == current && age == Age::Young {
            return Ok(false);
        }
        let before = |member: &str| in_turn(member, &caller.member) == Ordering::Less;
        if own != current
            && told
                .iter()
                .any(|(member, (version, _))| before(member) && *version != current)
        {
            return Ok(true);
        }
        let now = self.inner.clock.now();
        for note in self.noted(cluster, format!("node/{role}/")).await? {
            let Noted::Issued {
                holder: Holder::Node { member, .. },
                facts,
                at,
                ..
            } = note
            else {
                continue;
            };
            let runs_with_it = told.get(&member).is_none_or(|(_, told)| *told >= at);
            let is_old = age == Age::Old && left(&facts, now) <= life(&facts) / 3;
            if before(&member) && (!runs_with_it || is_old) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// How old the oldest of a node's own certificates is. Those that new ones would not outlast do not count: they end with
    /// their authority, and nothing but another one helps.
    async fn age(&self, cluster: &Cluster, caller: &Caller) -> Result<Age, Refusal> {
        let now = self.inner.clock.now();
        let about = format!("node/{}/{}/", caller.role.as_str(), caller.member);
        let mut oldest = Age::Young;
        let mut ends = BTreeMap::new();
        for note in self.noted(cluster, about).await? {
            let Noted::Issued { authority, facts, .. } = note else {
                continue;
            };
            let (left, life) = (left(&facts, now), life(&facts));
            if left > life / 3 {
                continue;
            }
            let end = match ends.get(&authority) {
                Some(end) => *end,
                None => {
                    let end = self.end_of_new(cluster, &authority).await?;
                    ends.insert(authority, end);
                    end
                }
            };
            if end.duration_since(facts.not_after) <= life / 10 {
                continue;
            }
            // From the last sixth of their life on; a little later each, so that not all of them do not wait at once.
            let place = caller.member.parse::<i32>().unwrap_or(0).clamp(0, 10);
            oldest = oldest.max(match left < life * (20 - place) / 120 {
                true => Age::Late,
                false => Age::Old,
            });
        }
        Ok(oldest)
    }

    /// When a certificate would end that this authority issued now.
    async fn end_of_new(&self, cluster: &Cluster, authority: &str) -> Result<Timestamp, Refusal> {
        let authority = self.kept(cluster, authority).await?;
        let signer = &self.inner.certificates.authority;
        let validity = self.inner.settings.certificate_validity;
        let end = self.inner.clock.now().checked_add(validity);
        let end = end.unwrap_or(Timestamp::MAX);
        Ok(end.min(signer.facts(&authority.certificate)?.not_after))
    }

    async fn noted(&self, cluster: &Cluster, about: String) -> Result<Vec<Noted>, Refusal> {
        let notes = self.inner.store.certificate_notes(cluster.id, &about).await;
        let notes = notes.map_err(Refusal::ours)?;
        Ok(notes.into_iter().map(|note| note.noted).collect())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Age {
    Young,
    /// A third of its life is left.
    Old,
    /// It must not wait any longer.
    Late,
}

fn life(facts: &CertificateFacts) -> SignedDuration {
    facts.not_after.duration_since(facts.not_before)
}

fn left(facts: &CertificateFacts, now: Timestamp) -> SignedDuration {
    facts.not_after.duration_since(now)
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
