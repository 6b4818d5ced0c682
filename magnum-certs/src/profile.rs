//! What a certificate says, given its profile and who asks.

use magnum_core::{Error, Profile, Result, SubjectName, shown};

use crate::request::{Request, refused};
use crate::request_extensions::{CLIENT_AUTH, SERVER_AUTH};
use crate::subject::{self, Subject};

/// What a leaf certificate says of its holder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    /// Its subject.
    pub(crate) subject: Subject,
    /// `subjectAltName`, none when empty.
    pub(crate) names: Vec<SubjectName>,
    /// `serverAuth`.
    pub(crate) server: bool,
    /// `clientAuth`.
    pub(crate) client: bool,
}

impl Grant {
    /// All that a profile allows, for a key of our own.
    ///
    /// # Errors
    /// `InvalidInput` names `common_name`, `organizations` or `names`.
    pub(crate) fn whole(profile: &Profile, common_name: &str) -> Result<Self> {
        checked("common_name", common_name)?;
        match profile {
            Profile::Client { organizations } => {
                for organization in organizations {
                    checked("organizations", organization)?;
                }
                Ok(Self {
                    subject: Subject {
                        common_name: common_name.to_owned(),
                        organizations: organizations.clone(),
                    },
                    names: Vec::new(),
                    server: false,
                    client: true,
                })
            }
            Profile::Node {
                common_name: fixed, ..
            } => {
                if common_name != fixed {
                    return Err(Error::field(
                        "common_name",
                        common_name,
                        format!("the profile is that of '{}'", shown(fixed)),
                    ));
                }
                Self::node(profile)
            }
            _ => Err(unknown_profile()),
        }
    }

    /// What a request gets of what its profile allows.
    ///
    /// # Errors
    /// `InvalidInput` with field `csr` when the request asks for more.
    pub(crate) fn requested(profile: &Profile, request: &Request) -> Result<Self> {
        match profile {
            Profile::Client { organizations } => Self::client_request(organizations, request),
            Profile::Node {
                names,
                server,
                client,
                ..
            } => Self::node_request(profile, names, (*server, *client), request),
            _ => Err(unknown_profile()),
        }
    }

    fn client_request(allowed: &[String], request: &Request) -> Result<Self> {
        let [common_name] = request.subject.common_names.as_slice() else {
            return Err(refused("subject", "exactly one common name is needed"));
        };
        subject::check(common_name).map_err(|why| refused(common_name, format!("common name: {why}")))?;

        let mut organizations: Vec<String> = Vec::new();
        for organization in &request.subject.organizations {
            if !allowed.contains(organization) {
                return Err(refused(
                    organization,
                    "the organization is not one that the requester may claim",
                ));
            }
            subject::check(organization)
                .map_err(|why| refused(organization, format!("organization: {why}")))?;
            if !organizations.contains(organization) {
                organizations.push(organization.clone());
            }
        }
        if organizations.is_empty() {
            organizations = allowed.to_vec();
        }
        if request.extensions.names.is_some() {
            return Err(refused(
                "subjectAltName",
                "a client certificate carries no names beside its subject",
            ));
        }
        for purpose in &request.extensions.purposes {
            if *purpose == SERVER_AUTH {
                return Err(refused(
                    "serverAuth",
                    "a client certificate is good for clientAuth alone",
                ));
            }
            if *purpose != CLIENT_AUTH {
                return Err(refused(
                    purpose,
                    "a client certificate is good for clientAuth alone",
                ));
            }
        }
        Ok(Self {
            subject: Subject {
                common_name: common_name.clone(),
                organizations,
            },
            names: Vec::new(),
            server: false,
            client: true,
        })
    }

    fn node_request(
        profile: &Profile,
        own: &[SubjectName],
        (server, client): (bool, bool),
        request: &Request,
    ) -> Result<Self> {
        for purpose in &request.extensions.purposes {
            let allowed = (server && *purpose == SERVER_AUTH) || (client && *purpose == CLIENT_AUTH);
            if !allowed {
                let good_for = match (server, client) {
                    (true, true) => "serverAuth and clientAuth",
                    (false, true) => "clientAuth",
                    _ => "serverAuth",
                };
                return Err(refused(
                    purpose,
                    format!("this node's certificate is good for {good_for} alone"),
                ));
            }
        }
        let whole = Self::node(profile)?;
        let Some(requested) = &request.extensions.names else {
            return Ok(whole);
        };
        if let Some(foreign) = requested
            .iter()
            .find(|name| !own.iter().any(|own| same(own, name)))
        {
            return Err(refused(text(foreign), "the name is not one of the node's"));
        }
        let names = if requested.is_empty() {
            whole.names
        } else {
            let wanted = |own: &SubjectName| requested.iter().any(|name| same(own, name));
            whole.names.into_iter().filter(wanted).collect()
        };
        Ok(Self { names, ..whole })
    }

    fn node(profile: &Profile) -> Result<Self> {
        let Profile::Node {
            common_name,
            organizations,
            names,
            server,
            client,
        } = profile
        else {
            return Err(unknown_profile());
        };
        checked("common_name", common_name)?;
        for organization in organizations {
            checked("organizations", organization)?;
        }
        for name in names {
            if let SubjectName::Dns(dns) = name {
                check_dns(dns)?;
            }
        }
        Ok(Self {
            subject: Subject {
                common_name: common_name.clone(),
                organizations: organizations.clone(),
            },
            names: names.clone(),
            server: *server,
            client: *client,
        })
    }
}

fn checked(field: &'static str, value: &str) -> Result<()> {
    subject::check(value).map_err(|why| Error::field(field, value, why))
}

fn check_dns(name: &str) -> Result<()> {
    if (1..=253).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    Err(Error::field(
        "names",
        name,
        "DNS names of 1 to 253 visible ASCII characters are allowed",
    ))
}

fn same(own: &SubjectName, requested: &SubjectName) -> bool {
    match (own, requested) {
        (SubjectName::Dns(own), SubjectName::Dns(requested)) => own.eq_ignore_ascii_case(requested),
        (own, requested) => own == requested,
    }
}

fn text(name: &SubjectName) -> String {
    match name {
        SubjectName::Ip(address) => address.to_string(),
        SubjectName::Dns(name) => name.clone(),
    }
}

fn unknown_profile() -> Error {
    Error::internal("the authority does not know this certificate profile")
}
