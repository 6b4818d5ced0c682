//! Checks that need nothing but the request and the driver.

use crate::Problem;
use crate::model::{self, ClusterSpec, Labels, TemplateSpec};
use crate::ports::{Choice, DriverDescriptor, EgressPolicy, LabelType, literal_address, version_numbers};

const NAME_LIMIT: usize = 242;

/// A cluster's name becomes part of names in Heat and of certificates.
pub(super) fn cluster_name(name: &str) -> Option<Problem> {
    let mut chars = name.chars();
    let fits = chars.next().is_some_and(|c| c.is_ascii_alphabetic())
        && chars.all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
        && name.len() <= NAME_LIMIT;
    let message = "a letter, then letters, digits, '_', '.' and '-', at most 242 in all";
    (!fits).then(|| Problem::new("name", name, message))
}

/// Text that is stored and passed on as it is: 1 to 255 characters, none of them a control character.
pub(super) fn plain(field: &str, value: &str) -> Option<Problem> {
    let length = value.chars().count();
    let fits = (1..=255).contains(&length) && !value.chars().any(char::is_control);
    (!fits).then(|| {
        Problem::new(
            field,
            value,
            "1 to 255 characters without control characters are allowed",
        )
    })
}

/// A discovery URL of the user's: the driver needs a use for it, and the host one to ask whether it is right.
pub(super) fn discovery_url(
    value: &str,
    driver: &DriverDescriptor,
    asked: bool,
    egress: &dyn EgressPolicy,
) -> Option<Problem> {
    let refused = |message: &str| Some(Problem::new("discovery_url", value, message));
    if !driver.discovery {
        return refused(&format!("the driver {} has no use for it", driver.name));
    }
    if !asked {
        return refused("this host has no discovery configured that could check it; leave the attribute out");
    }
    let url = match model::discovery_url(value) {
        Ok(url) => url,
        Err(problem) => return Some(problem),
    };
    if literal_address(&url).is_some_and(|address| !egress.permits(address)) {
        return refused(
            "this host does not connect to that address; a name, or an address that is neither loopback, link-local \
             nor multicast and that the operator has not closed, is allowed",
        );
    }
    None
}

fn optional(field: &str, value: Option<&String>, problems: &mut Vec<Problem>) {
    problems.extend(value.and_then(|value| plain(field, value)));
}

/// Form of a cluster's attributes, whatever the template.
pub(super) fn cluster_form(spec: &ClusterSpec) -> Vec<Problem> {
    let mut problems = Vec::new();
    if spec.cluster_template.is_empty() {
        problems.push(Problem::new(
            "cluster_template",
            "",
            "this attribute is mandatory",
        ));
    }
    problems.extend(spec.name.as_deref().and_then(cluster_name));
    for (field, value) in [
        ("keypair", &spec.keypair),
        ("discovery_url", &spec.discovery_url),
        ("flavor_id", &spec.flavor_id),
        ("master_flavor_id", &spec.master_flavor_id),
        ("fixed_network", &spec.fixed_network),
        ("fixed_subnet", &spec.fixed_subnet),
    ] {
        optional(field, value.as_ref(), &mut problems);
    }
    problems.extend(count("create_timeout", spec.create_timeout, 1, 7 * 24 * 60));
    problems.extend(
        spec.docker_volume_size
            .and_then(|size| count("docker_volume_size", size, 1, 1 << 20)),
    );
    problems
}

/// Form of the attributes, whatever the driver.
pub(super) fn template_form(spec: &TemplateSpec) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (field, value) in [
        ("coe", &spec.coe),
        ("image_id", &spec.image_id),
        ("external_network_id", &spec.external_network_id),
    ] {
        if value.is_empty() {
            problems.push(Problem::new(field, value, "this attribute is mandatory"));
        } else {
            problems.extend(plain(field, value));
        }
    }
    for (field, value) in [
        ("name", &spec.name),
        ("keypair_id", &spec.keypair_id),
        ("flavor_id", &spec.flavor_id),
        ("master_flavor_id", &spec.master_flavor_id),
        ("fixed_network", &spec.fixed_network),
        ("fixed_subnet", &spec.fixed_subnet),
        ("insecure_registry", &spec.insecure_registry),
    ] {
        optional(field, value.as_ref(), &mut problems);
    }
    // No tags at all can be said, too.
    let tags = spec.tags.as_ref().filter(|tags| !tags.is_empty());
    optional("tags", tags, &mut problems);
    if let Some(dns) = &spec.dns_nameserver {
        let fits = dns.len() <= 255
            && dns
                .split(',')
                .all(|part| part.trim().parse::<std::net::Ipv4Addr>().is_ok());
        if !fits {
            problems.push(Problem::new(
                "dns_nameserver",
                dns,
                "IPv4 addresses, comma separated, are allowed",
            ));
        }
    }
    for (field, value) in [
        ("http_proxy", &spec.http_proxy),
        ("https_proxy", &spec.https_proxy),
    ] {
        problems.extend(value.as_ref().and_then(|value| proxy(field, value)));
    }
    if let Some(list) = &spec.no_proxy {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "._-*,/:".contains(c);
        if list.is_empty() || list.len() > 1024 || !list.chars().all(allowed) {
            let message = "addresses, networks and domains, comma separated and without blanks, are allowed";
            problems.push(Problem::new("no_proxy", list, message));
        }
    }
    problems.extend(
        spec.docker_volume_size
            .and_then(|size| count("docker_volume_size", size, 1, 1 << 20)),
    );
    if let Some(port) = spec.apiserver_port.filter(|port| *port < 1024) {
        problems.push(Problem::new("apiserver_port", port, "1024 to 65535 is allowed"));
    }
    problems
}

/// A proxy is a URL of plain characters with a host, since it is written into files on the servers.
fn proxy(field: &str, value: &str) -> Option<Problem> {
    let plain = value
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || ":/.-_[]@%".contains(c));
    let fits = plain
        && value.len() <= 255
        && url::Url::parse(value)
            .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.host().is_some());
    (!fits).then(|| {
        Problem::new(
            field,
            value,
            "an http or https URL of a proxy is allowed, with its port",
        )
    })
}

/// What the driver's descriptor allows.
pub(super) fn template_fits(spec: &TemplateSpec, driver: &DriverDescriptor) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (field, value, choice) in [
        ("network_driver", &spec.network_driver, &driver.network_drivers),
        ("volume_driver", &spec.volume_driver, &driver.volume_drivers),
        (
            "docker_storage_driver",
            &spec.docker_storage_driver,
            &driver.storage_drivers,
        ),
    ] {
        problems.extend(
            value
                .as_ref()
                .and_then(|value| chosen(field, value, choice, driver)),
        );
    }
    let cannot = |field: &str, value: String| {
        Problem::new(field, value, format!("the driver {} cannot do this", driver.name))
    };
    if spec.registry_enabled && !driver.registry {
        problems.push(cannot("registry_enabled", "true".into()));
    }
    if spec.master_lb_enabled == Some(true) && !driver.master_lb {
        problems.push(cannot("master_lb_enabled", "true".into()));
    }
    if spec.floating_ip_enabled == Some(false) && !driver.private_only {
        problems.push(cannot("floating_ip_enabled", "false".into()));
    }
    if let Some(size) = spec
        .docker_volume_size
        .filter(|_| driver.docker_volume_size.is_none())
    {
        problems.push(cannot("docker_volume_size", size.to_string()));
    }
    for (field, value) in [
        ("fixed_network", &spec.fixed_network),
        ("fixed_subnet", &spec.fixed_subnet),
    ] {
        if let Some(value) = value.as_ref().filter(|_| !driver.fixed_network) {
            problems.push(cannot(field, value.clone()));
        }
    }
    if driver.only_fixed_network && spec.fixed_network.is_none() {
        let message = format!(
            "must be given: servers of the driver {} are on a network that exists",
            driver.name
        );
        problems.push(Problem::new("fixed_network", "", message));
    }
    if let Some(port) = spec.apiserver_port.filter(|_| !driver.apiserver_port) {
        problems.push(cannot("apiserver_port", port.to_string()));
    }
    problems.extend(labels(&spec.labels, driver));
    problems
}

fn chosen(field: &str, value: &str, choice: &Choice, driver: &DriverDescriptor) -> Option<Problem> {
    if choice.allowed.iter().any(|allowed| allowed == value) {
        return None;
    }
    let message = if choice.allowed.is_empty() {
        format!("the driver {} has none", driver.name)
    } else {
        format!("the driver {} allows {}", driver.name, choice.allowed.join(", "))
    };
    Some(Problem::new(field, value, message))
}

/// Labels that the driver knows must fit; those that it does not know are refused, since a
/// misspelled label that is silently ignored costs its owner a day.
pub(super) fn labels(labels: &Labels, driver: &DriverDescriptor) -> Vec<Problem> {
    let known = || {
        driver
            .labels
            .iter()
            .map(|schema| schema.key.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let mut problems = Vec::new();
    for (key, value) in labels {
        let field = format!("labels.{}", crate::shown(key));
        let Some(schema) = driver.labels.iter().find(|schema| schema.key == *key) else {
            let message = if driver.labels.is_empty() {
                format!("the driver {} has no labels", driver.name)
            } else {
                format!("the driver {} knows {}", driver.name, known())
            };
            problems.push(Problem::new(field, value, message));
            continue;
        };
        let allowed = match &schema.value {
            LabelType::Version { least, most } => {
                let fits = version_numbers(value)
                    .is_some_and(|v| version_numbers(least) <= Some(v) && Some(v) <= version_numbers(most));
                (!fits).then(|| format!("a version from {least} to {most} is allowed"))
            }
            LabelType::Boolean if value == "true" || value == "false" => None,
            LabelType::Boolean => Some("true or false is allowed".to_owned()),
            LabelType::Integer { min, max } => {
                let fits = value.parse::<i64>().is_ok_and(|n| (*min..=*max).contains(&n));
                (!fits).then(|| format!("a whole number from {min} to {max} is allowed"))
            }
            LabelType::OneOf(words) => {
                (!words.contains(value)).then(|| format!("one of {} is allowed", words.join(", ")))
            }
            LabelType::Ipv4Cidr => {
                let fits = value.parse::<ipnet::Ipv4Net>().is_ok();
                (!fits).then(|| "an IPv4 network like 10.100.0.0/16 is allowed".to_owned())
            }
            LabelType::SomeOf(words) => {
                let given: Vec<&str> = value.split(',').collect();
                let fits = given
                    .iter()
                    .enumerate()
                    .all(|(at, word)| words.iter().any(|known| known == word) && !given[..at].contains(word));
                (!fits).then(|| {
                    format!(
                        "some of {} are allowed, each once, separated by commas",
                        words.join(", ")
                    )
                })
            }
            LabelType::Path => (!is_path(value))
                .then(|| "an absolute path of letters, digits and . _ - / is allowed".to_owned()),
            LabelType::Text { most } => {
                (value.len() > *most).then(|| format!("at most {most} bytes are allowed"))
            }
        };
        problems.extend(allowed.map(|message| Problem::new(field, value, message)));
    }
    problems
}

/// Whether a text is an absolute path of plain characters that leads nowhere else.
fn is_path(value: &str) -> bool {
    let plain = |part: &str| {
        let mut characters = part.chars();
        part != "." && part != ".." && characters.all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
    };
    value.len() <= 255
        && value.strip_prefix('/').is_some_and(|rest| {
            !rest.is_empty() && rest.split('/').all(|part| !part.is_empty() && plain(part))
        })
}

/// How many servers of a kind there may be.
pub(super) fn count(field: &str, count: u32, least: u32, most: u32) -> Option<Problem> {
    (!(least..=most).contains(&count))
        .then(|| Problem::new(field, count, format!("{least} to {most} is allowed")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_name_begins_with_a_letter_and_has_no_odd_characters() {
        for good in ["a", "my-cluster_1.x", &"a".repeat(242)] {
            assert_eq!(cluster_name(good), None, "{good}");
        }
        for bad in ["", "1a", "-a", "a b", "ä", "a\n", "a$(id)", &"a".repeat(243)] {
            assert!(cluster_name(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn each_attribute_of_wrong_form_is_named() {
        let spec = TemplateSpec {
            dns_nameserver: Some("nowhere".into()),
            http_proxy: Some("http://proxy:3128/$(reboot)".into()),
            https_proxy: Some("ftp://proxy".into()),
            no_proxy: Some("a b".into()),
            docker_volume_size: Some(0),
            apiserver_port: Some(1023),
            keypair_id: Some("a\nb".into()),
            ..TemplateSpec::default()
        };
        let fields: Vec<String> = template_form(&spec).into_iter().map(|p| p.field).collect();
        assert_eq!(
            fields,
            [
                "coe",
                "image_id",
                "external_network_id",
                "keypair_id",
                "dns_nameserver",
                "http_proxy",
                "https_proxy",
                "no_proxy",
                "docker_volume_size",
                "apiserver_port"
            ]
        );
    }

    #[test]
    fn a_label_must_be_known_and_fit() {
        let mut driver = DriverDescriptor::new("d", "1.0.0", Vec::new());
        driver.labels = vec![crate::ports::LabelSchema {
            key: "size".into(),
            value: LabelType::Integer { min: 1, max: 3 },
            default: None,
            meaning: String::new(),
        }];
        let of = |key: &str, value: &str| {
            labels(&Labels::from([(key.to_owned(), value.to_owned())]), &driver).len()
        };
        assert_eq!(of("size", "2"), 0);
        assert_eq!(of("size", "4"), 1);
        assert_eq!(of("sise", "2"), 1);
    }

    #[test]
    fn lists_paths_and_texts_are_labels_too() {
        let of = |value: LabelType, text: &str| {
            let mut driver = DriverDescriptor::new("d", "1.0.0", Vec::new());
            driver.labels = vec![crate::ports::LabelSchema {
                key: "x".into(),
                value,
                default: None,
                meaning: String::new(),
            }];
            labels(&Labels::from([("x".to_owned(), text.to_owned())]), &driver).is_empty()
        };
        let some = || LabelType::SomeOf(vec!["appc".into(), "docker".into()]);
        for good in ["appc", "docker", "appc,docker", "docker,appc"] {
            assert!(of(some(), good), "{good}");
        }
        for bad in ["", "appc,", "appc, docker", "docker,docker", "rkt", "APPC"] {
            assert!(!of(some(), bad), "{bad}");
        }
        for good in ["/tmp/mesos", "/a", "/home/ubuntu/test.json", "/a/..b"] {
            assert!(of(LabelType::Path, good), "{good}");
        }
        for bad in [
            "",
            "/",
            "tmp",
            "/tmp/",
            "//tmp",
            "/tmp/../etc",
            "/tmp/.",
            "/a b",
            "/$(id)",
            "/a\nb",
            "/ä",
        ] {
            assert!(!of(LabelType::Path, bad), "{bad}");
        }
        assert!(!of(LabelType::Path, &format!("/{}", "a".repeat(255))));
        assert!(of(LabelType::Text { most: 3 }, "abc") && !of(LabelType::Text { most: 3 }, "abcd"));
    }
}
