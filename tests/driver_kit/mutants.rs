//! Drivers that break a rule: the kit finds each, names the rule, and says what it saw.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use magnum::drivers::docker_ubuntu::DockerUbuntu;
use magnum::testing::driver::{RULES, check};
use magnum::*;

/// What is wrong with a driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    Version,
    Fickle,
    LooseLabel,
    RefusesAll,
    NoAddress,
    NeverGrows,
    CannotDelete,
    HidesReason,
    CannotRepeat,
    SeesChanges,
    SaysTooMuch,
}

/// The sample driver with something wrong.
#[derive(Debug)]
struct Mutant {
    inner: StackDriver<DockerUbuntu>,
    descriptor: DriverDescriptor,
    wrong: Wrong,
    calls: AtomicU32,
}

impl Mutant {
    fn new(wrong: Wrong) -> Self {
        let inner = magnum::drivers::docker_ubuntu();
        let mut descriptor = inner.descriptor().clone();
        match wrong {
            Wrong::Version => descriptor.version = "one".into(),
            Wrong::LooseLabel => {
                descriptor.labels = vec![LabelSchema {
                    key: "colour".into(),
                    // Takes what is not meant.
                    value: LabelType::OneOf(vec!["red".into(), "redx".into()]),
                    default: Some("blue".into()),
                    meaning: "Its colour.".into(),
                }];
            }
            _ => {}
        }
        Self {
            inner,
            descriptor,
            wrong,
            calls: AtomicU32::new(0),
        }
    }

    fn count(&self) -> u32 {
        self.calls.fetch_add(1, Ordering::Relaxed)
    }
}

#[async_trait]
impl ClusterDriver for Mutant {
    fn descriptor(&self) -> &DriverDescriptor {
        &self.descriptor
    }

    fn validate(&self, template: &TemplateSpec, cluster: Option<&Cluster>) -> Vec<Problem> {
        let mut problems = self.inner.validate(template, cluster);
        match self.wrong {
            Wrong::Fickle if self.count() % 2 == 1 => problems.clear(),
            Wrong::RefusesAll => problems.push(Problem::new("coe", "docker", "not today")),
            _ => {}
        }
        problems
    }

    fn needs(&self, cluster: &Cluster) -> Needs {
        let mut needs = self.inner.needs(cluster);
        if self.wrong == Wrong::SaysTooMuch {
            needs.networks += 1;
        }
        needs
    }

    async fn cluster_create(&self, cx: &DriverContext) -> Result<()> {
        if self.wrong == Wrong::CannotRepeat && cx.stack("main").get().await?.is_some() {
            return Err(Error::new(ErrorKind::Conflict, "it is there already"));
        }
        self.inner.cluster_create(cx).await
    }

    async fn cluster_update(&self, cx: &DriverContext, change: &ClusterChange) -> Result<()> {
        self.inner.cluster_update(cx, change).await
    }

    async fn cluster_delete(&self, cx: &DriverContext) -> Result<()> {
        if self.wrong == Wrong::CannotDelete {
            return Err(Error::new(ErrorKind::Configuration, "it stays"));
        }
        self.inner.cluster_delete(cx).await
    }

    async fn pre_delete(&self, cx: &DriverContext) -> Result<()> {
        self.inner.pre_delete(cx).await
    }

    async fn observe(&self, cx: &DriverContext) -> Result<Observation> {
        let mut seen = self.inner.observe(cx).await?;
        match self.wrong {
            Wrong::NoAddress => seen.api_address = None,
            Wrong::NeverGrows => {
                if let Some(addresses) = &mut seen.node_addresses {
                    addresses.truncate(1);
                }
            }
            Wrong::HidesReason => {
                seen.reason = None;
                seen.failed_resource = None;
            }
            Wrong::SeesChanges => seen.coe_version = Some(self.count().to_string()),
            _ => {}
        }
        Ok(seen)
    }

    fn node_policy(&self) -> NodePolicy {
        self.inner.node_policy()
    }

    async fn node_names(&self, cx: &DriverContext, role: PoolRole, member: &str) -> Result<Vec<SubjectName>> {
        self.inner.node_names(cx, role, member).await
    }

    fn client_config(&self, cluster: &Cluster, identity: Option<&ClientIdentity>) -> Result<ClientConfig> {
        self.inner.client_config(cluster, identity)
    }
}

/// A driver that lets a tenant's text into a script as it is.
#[derive(Debug)]
struct Careless(DriverDescriptor, StackTemplate);

impl TemplateDefinition for Careless {
    fn descriptor(&self) -> &DriverDescriptor {
        &self.0
    }

    fn template(&self) -> &StackTemplate {
        &self.1
    }

    fn parameters(&self) -> &[ParameterMapping] {
        const {
            &[
                ParameterMapping::required("image", Source::Image),
                ParameterMapping::optional("motto", Source::Label("motto")),
            ]
        }
    }

    fn outputs(&self) -> &[OutputMapping] {
        const { &[OutputMapping::new("address", OutputTarget::ApiAddress)] }
    }
}

fn careless() -> StackDriver<Careless> {
    let kind = ClusterType::new(ServerType::Vm, "ubuntu", "careless");
    let mut descriptor = DriverDescriptor::new("careless", "1.0.0", vec![kind]);
    descriptor.labels = vec![LabelSchema {
        key: "motto".into(),
        value: LabelType::Text { most: 100 },
        default: None,
        meaning: "What the server greets with.".into(),
    }];
    let template = "heat_template_version: '2018-08-31'
parameters:
  image: {type: string}
  motto: {type: string, default: ''}
resources:
  network: {type: OS::Neutron::Net}
  subnet:
    type: OS::Neutron::Subnet
    properties: {network: {get_resource: network}, cidr: 10.90.0.0/24}
  server:
    type: OS::Nova::Server
    depends_on: [subnet]
    properties:
      image: {get_param: image}
      flavor: m1.small
      networks: [{network: {get_resource: network}}]
      user_data_format: RAW
      user_data:
        str_replace:
          template: \"#!/bin/bash\\necho 'MOTTO'\\n\"
          params: {MOTTO: {get_param: motto}}
outputs:
  address: {value: 'careless://here'}
";
    let template = StackTemplate {
        template: template.into(),
        ..StackTemplate::default()
    };
    StackDriver::new(Careless(descriptor, template))
}

#[tokio::test(start_paused = true)]
async fn each_broken_rule_is_found_and_named() {
    let mut proven = std::collections::BTreeSet::new();
    for (wrong, rule, said) in [
        (
            Wrong::Version,
            "descriptor",
            "its version \"one\" is not like 1.0.0",
        ),
        (
            Wrong::Fickle,
            "validate",
            "two answers to the same question differ",
        ),
        (Wrong::LooseLabel, "labels", "\"redx\" is not refused"),
        (
            Wrong::RefusesAll,
            "matrix",
            "the plainest is refused: coe 'docker': not today",
        ),
        (Wrong::NoAddress, "create", "it has no api_address"),
        (Wrong::NeverGrows, "scale", "3 nodes"),
        (
            Wrong::CannotDelete,
            "delete",
            "it is not deleted: DELETE_FAILED: ",
        ),
        (Wrong::HidesReason, "failure", "No valid host was found."),
        (
            Wrong::CannotRepeat,
            "repeated",
            "cluster_create cannot be repeated",
        ),
        (Wrong::SeesChanges, "observe", "two looks differ"),
        (
            Wrong::SaysTooMuch,
            "needs",
            "it says that it takes 2 networks, and takes 1",
        ),
    ] {
        let report = check(Arc::new(Mutant::new(wrong))).await;
        let found = report
            .findings()
            .iter()
            .any(|finding| finding.rule == rule && finding.what.contains(said));
        assert!(found, "{wrong:?}: {report}");
        assert!(report.to_string().contains(&format!("BROKEN {rule}: ")));
        proven.insert(rule);
    }
    let report = check(Arc::new(careless())).await;
    assert!(
        report
            .findings()
            .iter()
            .any(|finding| finding.rule == "hostile"
                && finding.what.contains("what a server is told at its boot")),
        "{report}"
    );
    proven.insert("hostile");
    let rules: std::collections::BTreeSet<&str> = RULES.iter().map(|(name, _)| *name).collect();
    assert_eq!(proven, rules, "a rule that nothing shows to fail");
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "BROKEN needs: ")]
async fn a_broken_rule_fails_the_test_of_its_driver() {
    check(Arc::new(Mutant::new(Wrong::SaysTooMuch))).await.assert();
}
