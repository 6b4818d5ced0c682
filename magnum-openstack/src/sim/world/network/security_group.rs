//! Security groups and their rules.

use super::super::{ApiResult, World};
use crate::sim::api_fault::ApiFault;

/// A security group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityGroup {
    /// Identifier.
    pub id: String,
    /// Name; not unique, but `default` is the project's own.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Owner.
    pub project_id: String,
    /// Its rules.
    pub rules: Vec<SecurityGroupRule>,
}

/// One rule of a security group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityGroupRule {
    /// Identifier.
    pub id: String,
    /// What it allows.
    pub spec: SecurityGroupRuleSpec,
}

/// What a rule allows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecurityGroupRuleSpec {
    /// `ingress` or `egress`.
    pub direction: String,
    /// `IPv4` or `IPv6`.
    pub ethertype: String,
    /// `tcp`, `udp`, `icmp`, a number, or any.
    pub protocol: Option<String>,
    /// First port.
    pub port_range_min: Option<u16>,
    /// Last port.
    pub port_range_max: Option<u16>,
    /// From or to these addresses.
    pub remote_ip_prefix: Option<String>,
    /// From or to members of this group.
    pub remote_group_id: Option<String>,
}

impl World {
    /// Creates a security group with the two rules that let everything out.
    ///
    /// # Errors
    /// `OverQuota` (409); `SecurityGroupDefaultAlreadyExists` (409) for the name `default`.
    pub fn create_security_group(
        &mut self,
        project: &str,
        name: &str,
        description: &str,
    ) -> ApiResult<SecurityGroup> {
        self.default_security_group(project);
        if name == "default" {
            return Err(ApiFault::conflict(
                "SecurityGroupDefaultAlreadyExists",
                "Default security group already exists.",
            ));
        }
        self.check_network_quota(project, "security_group", 1)?;
        self.check_network_quota(project, "security_group_rule", 2)?;
        Ok(self.insert_security_group(project, name, description))
    }

    /// A security group.
    ///
    /// # Errors
    /// `SecurityGroupNotFound` (404).
    pub fn find_security_group(&self, id: &str) -> ApiResult<&SecurityGroup> {
        self.network.security_groups.get(id).ok_or_else(|| not_found(id))
    }

    /// The project's group `default`, which exists as soon as somebody looks.
    pub fn default_security_group(&mut self, project: &str) -> SecurityGroup {
        let existing = self
            .network
            .security_groups
            .values()
            .find(|g| g.project_id == project && g.name == "default");
        if let Some(group) = existing {
            return group.clone();
        }
        let mut group = self.insert_security_group(project, "default", "Default security group");
        for ethertype in ["IPv4", "IPv6"] {
            group.rules.push(SecurityGroupRule {
                id: self.new_uuid(),
                spec: SecurityGroupRuleSpec {
                    direction: "ingress".to_owned(),
                    ethertype: ethertype.to_owned(),
                    remote_group_id: Some(group.id.clone()),
                    ..SecurityGroupRuleSpec::default()
                },
            });
        }
        self.network
            .security_groups
            .insert(group.id.clone(), group.clone());
        group
    }

    /// Adds a rule.
    ///
    /// # Errors
    /// `SecurityGroupNotFound` (404); `SecurityGroupRuleExists` or `OverQuota` (409);
    /// `SecurityGroupInvalidPortRange` (400).
    pub fn create_security_group_rule(
        &mut self,
        group_id: &str,
        spec: SecurityGroupRuleSpec,
    ) -> ApiResult<SecurityGroupRule> {
        let group = self.find_security_group(group_id)?;
        if let Some(rule) = group.rules.iter().find(|rule| rule.spec == spec) {
            return Err(ApiFault::conflict(
                "SecurityGroupRuleExists",
                format!("Security group rule already exists. Rule id is {}.", rule.id),
            ));
        }
        let ranged = matches!(spec.protocol.as_deref(), Some("tcp" | "udp" | "6" | "17"));
        if ranged && spec.port_range_min > spec.port_range_max {
            return Err(ApiFault::bad_request(
                "SecurityGroupInvalidPortRange",
                "For TCP/UDP protocols, port_range_min must be <= port_range_max",
            ));
        }
        let project = group.project_id.clone();
        if let Some(remote) = &spec.remote_group_id {
            self.find_security_group(remote)?;
        }
        self.check_network_quota(&project, "security_group_rule", 1)?;
        let rule = SecurityGroupRule {
            id: self.new_uuid(),
            spec,
        };
        if let Some(group) = self.network.security_groups.get_mut(group_id) {
            group.rules.push(rule.clone());
        }
        Ok(rule)
    }

    /// Removes a rule.
    ///
    /// # Errors
    /// `SecurityGroupRuleNotFound` (404).
    pub fn delete_security_group_rule(&mut self, rule_id: &str) -> ApiResult<()> {
        for group in self.network.security_groups.values_mut() {
            if let Some(index) = group.rules.iter().position(|rule| rule.id == rule_id) {
                group.rules.remove(index);
                return Ok(());
            }
        }
        Err(ApiFault::not_found(
            "SecurityGroupRuleNotFound",
            format!("Security group rule {rule_id} does not exist"),
        ))
    }

    /// Deletes a security group. Rules elsewhere that name it go with it.
    ///
    /// # Errors
    /// `SecurityGroupNotFound` (404); `SecurityGroupInUse` (409) while a port has it;
    /// `SecurityGroupCannotRemoveDefault` (409).
    pub fn delete_security_group(&mut self, id: &str) -> ApiResult<()> {
        if self.find_security_group(id)?.name == "default" {
            return Err(ApiFault::conflict(
                "SecurityGroupCannotRemoveDefault",
                "Insufficient rights for removing default security group.",
            ));
        }
        if self
            .network
            .ports
            .values()
            .any(|port| port.security_groups.iter().any(|group| group == id))
        {
            return Err(ApiFault::conflict(
                "SecurityGroupInUse",
                format!("Security Group {id} in use."),
            ));
        }
        self.network.security_groups.remove(id);
        for group in self.network.security_groups.values_mut() {
            group
                .rules
                .retain(|rule| rule.spec.remote_group_id.as_deref() != Some(id));
        }
        Ok(())
    }

    fn insert_security_group(&mut self, project: &str, name: &str, description: &str) -> SecurityGroup {
        let rules = ["IPv4", "IPv6"]
            .map(|ethertype| SecurityGroupRule {
                id: self.new_uuid(),
                spec: SecurityGroupRuleSpec {
                    direction: "egress".to_owned(),
                    ethertype: ethertype.to_owned(),
                    ..SecurityGroupRuleSpec::default()
                },
            })
            .into();
        let group = SecurityGroup {
            id: self.new_uuid(),
            name: name.to_owned(),
            description: description.to_owned(),
            project_id: project.to_owned(),
            rules,
        };
        self.network
            .security_groups
            .insert(group.id.clone(), group.clone());
        group
    }
}

fn not_found(id: &str) -> ApiFault {
    ApiFault::not_found(
        "SecurityGroupNotFound",
        format!("Security group {id} does not exist"),
    )
}
