//! User data fits Nova.

use crate::support::node::TOKEN;
use crate::support::stacks::*;

/// Nova refuses more than 65535 bytes of base64.
#[test]
fn user_data_fits_nova_in_the_largest_case() {
    for driver in DRIVERS {
        fits(driver);
    }
}

fn fits(driver: &str) {
    let mut cluster = cluster_of(driver);
    masters(&mut cluster, 9);
    if driver == MESOS {
        cluster.template.volume_driver = Some("rexray".into());
        let variables = format!(r#"{{"A": "{}"}}"#, "a".repeat(4_080));
        label(&mut cluster, "mesos_slave_executor_env_variables", &variables);
    } else if driver == SWARM {
        cluster.template.volume_driver = Some("rexray".into());
        cluster.template.network_driver = Some("flannel".into());
    } else {
        label(&mut cluster, "cloud_provider_enabled", "true");
    }
    cluster.name = "n".repeat(242);
    cluster.discovery_url = Some(format!("https://{}", "d".repeat(247)));
    let spec = &mut cluster.template;
    spec.registry_enabled = true;
    spec.insecure_registry = Some("r".repeat(255));
    let proxy = format!("http://{}", "p".repeat(248));
    spec.http_proxy = Some(proxy.clone());
    spec.https_proxy = Some(proxy);
    spec.no_proxy = Some("n".repeat(1024));
    // All that the driver takes of authorities, a token as long as Keystone makes them, and long URLs.
    let certificates = "x".repeat(4_400);
    let long = "a".repeat(255);
    let cloud = Cloud {
        nodes: access(
            &format!("https://{long}/v1/clusters/{}", cluster.id),
            Some(certificates.clone()),
        ),
        trust: {
            let mut trust = trust();
            trust.identity.ca = Some(certificates);
            trust.identity.auth_url = format!("https://{long}/v3");
            trust.identity.region = Some(long.clone());
            trust
        },
        signal: format!(
            "curl -i -X POST -H 'X-Auth-Token: {TOKEN}{}' https://{long}/{long}",
            "t".repeat(300)
        ),
        wait: None,
    };
    // Only what makes the limit can break it.
    if driver != MESOS {
        let refused = filling(&cluster, Role::Master(0), &larger(&cloud)).unwrap_err();
        assert!(refused.contains("no room"), "{refused}");
    }
    for role in [Role::Master(8), Role::Minion(999)] {
        let script = user_data(&cluster, role, &cloud);
        let encoded = script.len().div_ceil(3) * 4;
        println!("{driver} {role:?}: {encoded} bytes");
        assert!(encoded <= 65535, "{driver} {role:?}: {encoded} bytes");
    }
}

/// The same with an authority that is just too long.
fn larger(cloud: &Cloud) -> Cloud {
    let mut nodes = cloud.nodes.clone();
    nodes.ca = Some("x".repeat(4_700));
    Cloud {
        nodes,
        trust: cloud.trust.clone(),
        signal: cloud.signal.clone(),
        wait: None,
    }
}
