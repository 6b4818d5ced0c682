//! Faults as data: what goes wrong, where, and how often.

use std::time::Duration;

use super::seed::Seed;

/// One thing that goes wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// Where it strikes.
    pub at: At,
    /// What happens.
    pub what: Effect,
    /// How often it strikes before it is used up; [`Fault::ALWAYS`] never is.
    pub times: u32,
}

impl Fault {
    /// A fault that is never used up.
    pub const ALWAYS: u32 = u32::MAX;

    /// A fault that strikes once.
    #[must_use]
    pub fn once(at: At, what: Effect) -> Self {
        Self { at, what, times: 1 }
    }

    /// A fault that strikes every time.
    #[must_use]
    pub fn always(at: At, what: Effect) -> Self {
        Self {
            at,
            what,
            times: Self::ALWAYS,
        }
    }
}

/// Where a fault strikes.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum At {
    /// The call with this index in the request log, counted from 0.
    Call(u64),
    /// From the `nth` matching call on, counted from 0 since the fault was injected.
    Route {
        /// HTTP method; `None` matches every one.
        method: Option<http::Method>,
        /// How the path starts, such as `/orchestration/v1`; a `*` stands for one segment.
        path_prefix: String,
        /// Matching calls let through first.
        nth: u32,
    },
    /// Any call, with this probability (0 to 1), drawn from the cloud's seed.
    Probability(f64),
    /// A resource of a stack.
    Resource {
        /// Heat's type, such as `OS::Nova::Server`, or `*`. `OS::Heat::Stack` means a whole stack.
        resource_type: String,
        /// Its name; a leading or trailing `*` matches any text. For guests: the server's name.
        name: String,
    },
}

/// What a fault does.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Effect {
    /// The service answers with this status and does nothing.
    Status {
        /// HTTP status.
        status: u16,
        /// Value of a Retry-After header.
        retry_after: Option<Duration>,
    },
    /// The connection breaks before the service saw the request.
    ///
    /// `sent` is what the transport then claims: whether the request may have left.
    ResetBefore {
        /// See `TransportError::sent`.
        sent: bool,
    },
    /// The service did what it was asked, and its answer is lost.
    ResetAfter,
    /// The call takes this much longer, by the cloud's clock.
    Latency(Duration),
    /// The token that the call carries has expired.
    TokenExpired,
    /// A resource fails with this reason. Only at [`At::Resource`].
    ResourceFailure(String),
    /// The stack is gone without a trace, and what it held stays. Only at [`At::Resource`] with type
    /// `OS::Heat::Stack`.
    StackVanished,
    /// The guest on a server reports failure with this reason. Only at [`At::Resource`].
    GuestFailure(String),
    /// The guest on a server never reports. Only at [`At::Resource`].
    GuestSilent,
}

impl Effect {
    fn is_of_a_resource(&self) -> bool {
        matches!(
            self,
            Self::ResourceFailure(_) | Self::StackVanished | Self::GuestFailure(_) | Self::GuestSilent
        )
    }
}

/// Faults that are still to strike.
#[derive(Clone, Debug, Default)]
pub(crate) struct FaultPlan {
    armed: Vec<Armed>,
}

#[derive(Clone, Debug)]
struct Armed {
    fault: Fault,
    /// Matching calls so far, for `nth`.
    seen: u32,
}

impl FaultPlan {
    pub(crate) fn add(&mut self, fault: Fault) {
        self.armed.push(Armed { fault, seen: 0 });
    }

    pub(crate) fn clear(&mut self) {
        self.armed.clear();
    }

    /// The effects that strike this call, in the order in which the faults were injected.
    pub(crate) fn strike_call(
        &mut self,
        index: u64,
        method: &http::Method,
        path: &str,
        seed: &mut Seed,
    ) -> Vec<Effect> {
        let mut effects = Vec::new();
        for armed in &mut self.armed {
            if armed.fault.times == 0 || armed.fault.what.is_of_a_resource() {
                continue;
            }
            let strikes = match &armed.fault.at {
                At::Call(n) => *n == index,
                At::Route {
                    method: wanted,
                    path_prefix,
                    nth,
                } => {
                    let matches =
                        wanted.as_ref().is_none_or(|m| m == method) && path_starts_with(path, path_prefix);
                    if matches {
                        armed.seen = armed.seen.saturating_add(1);
                    }
                    matches && armed.seen > *nth
                }
                At::Probability(p) => seed.next_fraction() < *p,
                At::Resource { .. } => false,
            };
            if strikes {
                armed.use_up();
                effects.push(armed.fault.what.clone());
            }
        }
        self.armed.retain(|armed| armed.fault.times > 0);
        effects
    }

    /// The first effect accepted by `wanted` that strikes this resource; it is used up once.
    pub(crate) fn strike_resource(
        &mut self,
        kind: &str,
        name: &str,
        wanted: impl Fn(&Effect) -> bool,
    ) -> Option<Effect> {
        let armed = self.armed.iter_mut().find(|armed| {
            let At::Resource {
                resource_type,
                name: pattern,
            } = &armed.fault.at
            else {
                return false;
            };
            armed.fault.times > 0
                && matches_text(resource_type, kind)
                && matches_text(pattern, name)
                && wanted(&armed.fault.what)
        })?;
        armed.use_up();
        let effect = armed.fault.what.clone();
        self.armed.retain(|armed| armed.fault.times > 0);
        Some(effect)
    }
}

impl Armed {
    fn use_up(&mut self) {
        if self.fault.times != Fault::ALWAYS {
            self.fault.times -= 1;
        }
    }
}

fn path_starts_with(path: &str, prefix: &str) -> bool {
    if !prefix.contains('*') {
        return path.starts_with(prefix);
    }
    let mut segments = path.split('/');
    prefix.split('/').all(|wanted| match segments.next() {
        Some(segment) => wanted == "*" || segment.starts_with(wanted),
        None => false,
    })
}

/// Compares with a pattern that may start or end with `*`.
fn matches_text(pattern: &str, text: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(""), _) => true,
        (Some(rest), Some(_)) => text.contains(rest.trim_end_matches('*')),
        (Some(end), None) => text.ends_with(end),
        (None, Some(start)) => text.starts_with(start),
        (None, None) => pattern == text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strike(plan: &mut FaultPlan, index: u64, path: &str) -> Vec<Effect> {
        plan.strike_call(index, &http::Method::GET, path, &mut Seed::new(1))
    }

    #[test]
    fn a_fault_on_a_route_lets_the_first_calls_pass_and_is_used_up() {
        let mut plan = FaultPlan::default();
        let at = At::Route {
            method: Some(http::Method::GET),
            path_prefix: "/image/v2/*/x".into(),
            nth: 1,
        };
        plan.add(Fault {
            at,
            what: Effect::ResetAfter,
            times: 1,
        });
        assert!(strike(&mut plan, 0, "/image/v2/images").is_empty());
        assert!(strike(&mut plan, 1, "/image/v2/images/x1").is_empty());
        assert_eq!(strike(&mut plan, 2, "/image/v2/images/x2"), [Effect::ResetAfter]);
        assert!(strike(&mut plan, 3, "/image/v2/images/x3").is_empty());
    }

    #[test]
    fn a_fault_on_a_call_strikes_that_call_only() {
        let mut plan = FaultPlan::default();
        plan.add(Fault::once(At::Call(2), Effect::TokenExpired));
        assert!(strike(&mut plan, 1, "/a").is_empty());
        assert_eq!(strike(&mut plan, 2, "/a"), [Effect::TokenExpired]);
        assert!(strike(&mut plan, 2, "/a").is_empty());
    }

    #[test]
    fn a_fault_on_a_resource_does_not_strike_calls() {
        let mut plan = FaultPlan::default();
        let at = At::Resource {
            resource_type: "OS::Nova::Server".into(),
            name: "*master*".into(),
        };
        plan.add(Fault::once(at, Effect::ResourceFailure("no host".into())));
        assert!(strike(&mut plan, 0, "/a").is_empty());
        assert!(
            plan.strike_resource("OS::Nova::Server", "k8s-node", |_| true)
                .is_none()
        );
        assert!(
            plan.strike_resource("OS::Nova::Server", "k8s-master-0", |e| *e == Effect::GuestSilent)
                .is_none()
        );
        assert!(
            plan.strike_resource("OS::Nova::Server", "k8s-master-0", |_| true)
                .is_some()
        );
        assert!(
            plan.strike_resource("OS::Nova::Server", "k8s-master-0", |_| true)
                .is_none()
        );
    }
}
