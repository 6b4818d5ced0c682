//! What guests do after their server is ACTIVE: boot, and signal Heat.
//!
//! Heat registers each signal that it hands out ([`World::register_signal`]). When Heat's state is read it
//! asks for the boots that are done ([`World::due_boots`]) and delivers their signals at the time of each
//! boot's end ([`World::as_of`]). Custom guests run as tasks of their own and signal over HTTP instead; then
//! no boot is ever due here.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::World;
use crate::sim::fault::Effect;

/// A way for a guest to tell Heat that it is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signal {
    /// The URL to call, as user data has it.
    pub url: String,
    /// The token to call it with, for URLs that are not signed.
    pub token: Option<String>,
    /// Identifier of the stack.
    pub stack_id: String,
    /// Name of the resource that waits.
    pub resource: String,
    /// The server whose guest signals; `None` finds it by the URL in its user data.
    pub server_id: Option<String>,
}

/// A boot that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Boot {
    /// The server.
    pub server_id: String,
    /// When it ended.
    pub at: Timestamp,
    /// The signals that the guest sends now.
    pub signals: Vec<Signal>,
    /// What it says: success, or failure with a reason.
    pub outcome: Result<(), String>,
}

/// Guests and their signals.
#[derive(Debug, Default)]
pub struct Boots {
    signals: Vec<Signal>,
    /// By server: when the guest has booted.
    ends: BTreeMap<String, Timestamp>,
    /// Indices into `signals` that were delivered.
    sent: BTreeSet<(String, String)>,
    /// Servers whose guest is silent or failing, decided once by a fault.
    verdicts: BTreeMap<String, Verdict>,
    /// Whether guests are tasks that signal over HTTP.
    pub(crate) custom: bool,
    /// Servers for which a guest task is still to be started.
    pub(crate) unstarted: Vec<(String, Timestamp)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    Success,
    Failure(String),
    Silent,
}

impl Boots {
    pub(crate) fn forget(&mut self, server_id: &str) {
        self.ends.remove(server_id);
        self.verdicts.remove(server_id);
        self.sent.retain(|(server, _)| server != server_id);
    }
}

impl World {
    /// Makes a signal known, so that the default guest sends it when it has booted.
    pub fn register_signal(&mut self, signal: Signal) {
        self.boots.signals.push(signal);
    }

    /// Forgets the signals of a stack.
    pub fn forget_signals(&mut self, stack_id: &str) {
        self.boots.signals.retain(|signal| signal.stack_id != stack_id);
    }

    /// When the guest of a server has booted; `None` for a server that failed or is gone.
    #[must_use]
    pub fn boot_ends_at(&self, server_id: &str) -> Option<Timestamp> {
        self.boots.ends.get(server_id).copied()
    }

    /// The earliest end of a boot after `after` that has signals to send, so that who catches up can stop
    /// there.
    #[must_use]
    pub fn next_boot_after(&self, after: Timestamp) -> Option<Timestamp> {
        if self.boots.custom {
            return None;
        }
        self.boots.ends.values().copied().filter(|at| *at > after).min()
    }

    /// The boots that have ended by `now` and have signals that were not sent, oldest first. Each signal is
    /// returned once: the caller delivers it.
    ///
    /// A signal that is registered after the boot's end (a configuration deployed to a running server) is
    /// due at once.
    pub fn due_boots(&mut self, now: Timestamp) -> Vec<Boot> {
        if self.boots.custom {
            return Vec::new();
        }
        let mut ended: Vec<(Timestamp, String)> = self
            .boots
            .ends
            .iter()
            .filter(|(_, at)| **at <= now)
            .map(|(id, at)| (*at, id.clone()))
            .collect();
        ended.sort();
        let mut due = Vec::new();
        for (at, server_id) in ended {
            let signals = self.unsent_signals(&server_id);
            if signals.is_empty() {
                continue;
            }
            let outcome = match self.verdict(&server_id) {
                Verdict::Silent => continue,
                Verdict::Success => Ok(()),
                Verdict::Failure(reason) => Err(reason),
            };
            for signal in &signals {
                self.boots.sent.insert((server_id.clone(), signal.url.clone()));
            }
            due.push(Boot {
                server_id,
                at,
                signals,
                outcome,
            });
        }
        due
    }

    pub(crate) fn schedule_boot(&mut self, server_id: &str, active_at: Timestamp) {
        let name = self
            .compute
            .servers
            .get(server_id)
            .map(|s| s.name.clone())
            .unwrap_or_default();
        let boot = super::real_duration(&self.seed, "boot", &name);
        let ends_at = active_at
            .checked_add(self.pace.apply(boot))
            .unwrap_or(Timestamp::MAX);
        self.boots.ends.insert(server_id.to_owned(), ends_at);
        if self.boots.custom {
            self.boots.unstarted.push((server_id.to_owned(), active_at));
        }
    }

    fn unsent_signals(&self, server_id: &str) -> Vec<Signal> {
        let Some(server) = self.compute.servers.get(server_id) else {
            return Vec::new();
        };
        if server.fails_with.is_some() || server.gone_at.is_some() {
            return Vec::new();
        }
        let user_data = server.user_data.as_deref().unwrap_or_default();
        self.boots
            .signals
            .iter()
            .filter(|signal| match &signal.server_id {
                Some(id) => id == server_id,
                // The token must be there, too: without it the guest could not have signalled.
                None => {
                    user_data.contains(&signal.url)
                        && signal
                            .token
                            .as_ref()
                            .is_none_or(|token| user_data.contains(token.as_str()))
                }
            })
            .filter(|signal| {
                !self
                    .boots
                    .sent
                    .contains(&(server_id.to_owned(), signal.url.clone()))
            })
            .cloned()
            .collect()
    }

    fn verdict(&mut self, server_id: &str) -> Verdict {
        if let Some(known) = self.boots.verdicts.get(server_id) {
            return known.clone();
        }
        let name = self
            .compute
            .servers
            .get(server_id)
            .map(|s| s.name.clone())
            .unwrap_or_default();
        let struck = self.faults.strike_resource("OS::Nova::Server", &name, |effect| {
            matches!(effect, Effect::GuestFailure(_) | Effect::GuestSilent)
        });
        let verdict = match struck {
            Some(Effect::GuestFailure(reason)) => Verdict::Failure(reason),
            Some(_) => Verdict::Silent,
            None => Verdict::Success,
        };
        self.boots.verdicts.insert(server_id.to_owned(), verdict.clone());
        verdict
    }
}
