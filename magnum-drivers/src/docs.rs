//! The pages of drivers in the documentation, made from their descriptors.

use std::fmt::Write as _;

use magnum_core::{Choice, DriverDescriptor, LabelSchema, LabelType, PoolRole, Runs, Software};

/// A driver's page in Markdown. The same descriptor gives the same page.
#[must_use]
pub fn page(driver: &DriverDescriptor) -> String {
    let mut page = format!("# Driver `{}`\n\n", driver.name);
    page.push_str("This page is made from the driver's descriptor; a test compares the two.\n\n");
    table(&mut page, ["Property", "Value"], &properties(driver));
    page.push_str("\n## What runs where\n\n");
    let head = ["Name", "On", "As", "When", "Listens on, reached by"];
    let rows: Vec<[String; 5]> = driver.runs.iter().map(runs).collect();
    table(&mut page, head, &rows);
    page.push_str("\n## Labels\n\n");
    if driver.labels.is_empty() {
        page.push_str("It knows no labels.\n");
    } else {
        let rows: Vec<[String; 4]> = driver.labels.iter().map(label).collect();
        table(&mut page, ["Label", "Values", "Default", "Meaning"], &rows);
    }
    if !driver.notes.is_empty() {
        page.push('\n');
        page.push_str(&driver.notes);
    }
    page
}

/// The page that lists drivers, one in a row: what each is for, its images and its software.
#[must_use]
pub fn overview<'a>(drivers: impl IntoIterator<Item = &'a DriverDescriptor>) -> String {
    let mut page = "# Drivers and their images\n\nThis page is made from the drivers' descriptors; a test compares the two. \
                    An image is found by its property\n`os_distro`, which together with the template's `server_type` and \
                    `coe` selects the driver.\n\n"
        .to_owned();
    let row = |driver: &DriverDescriptor| {
        let kinds = driver.provides.iter();
        let software = driver.software.iter();
        [
            format!("[`{0}`]({0}.md)", driver.name),
            joined(kinds.clone().map(|kind| kind.coe.clone())),
            joined(kinds.clone().map(|kind| kind.server_type.to_string())),
            joined(kinds.map(|kind| format!("`{}`", kind.os))),
            format!("`{}`", driver.login),
            driver.image.clone(),
            joined(software.map(|(name, software)| format!("{name} {}", software.default))),
        ]
    };
    let rows: Vec<[String; 7]> = drivers.into_iter().map(row).collect();
    let head = [
        "Driver",
        "COE",
        "Servers",
        "`os_distro`",
        "Login",
        "Image",
        "Software",
    ];
    table(&mut page, head, &rows);
    page
}

fn runs(runs: &Runs) -> [String; 5] {
    let on = runs.on.iter().map(|role| match role {
        PoolRole::Master => "masters".to_owned(),
        PoolRole::Worker => "nodes".to_owned(),
    });
    let ports = runs
        .ports
        .iter()
        .map(|listens| format!("{}: {}", listens.port, listens.reach));
    let ports: Vec<String> = ports.collect();
    [
        format!("`{}`", runs.name),
        joined(on),
        runs.run_as.to_string(),
        runs.when.to_owned(),
        ports.join("; "),
    ]
}

fn properties(driver: &DriverDescriptor) -> Vec<[String; 2]> {
    let kinds = driver
        .provides
        .iter()
        .map(|k| format!("({}, {}, {})", k.server_type, k.os, k.coe));
    let software = driver
        .software
        .iter()
        .map(|(name, software)| format!("{name}: {}", versions(software)));
    let (least, most) = driver.masters;
    let masters = if least == most {
        least.to_string()
    } else {
        format!("{least} to {most}")
    };
    let rows = [
        ("Version", driver.version.clone()),
        ("Server type, distribution, COE", joined(kinds)),
        ("Software", joined(software)),
        ("Image", driver.image.clone()),
        ("Login", format!("`{}`", driver.login)),
        (
            "Template",
            driver
                .template_path
                .as_ref()
                .map_or_else(|| "none".to_owned(), |path| format!("`{path}`")),
        ),
        ("Masters", masters),
        ("Load balancer for the masters", yes(driver.master_lb)),
        ("Number of nodes can change", yes(driver.scalable)),
        ("TLS", yes(driver.tls)),
        ("Network drivers", choice(&driver.network_drivers)),
        ("Volume drivers", choice(&driver.volume_drivers)),
        ("Docker storage drivers", choice(&driver.storage_drivers)),
        (
            "Volume for images and containers",
            driver.docker_volume_size.map_or_else(
                || "none".to_owned(),
                |size| match size {
                    0 => "where a size is given".to_owned(),
                    size => format!("{size} GB"),
                },
            ),
        ),
        ("Discovery URL", yes(driver.discovery)),
        ("Registry in the cluster", yes(driver.registry)),
        (
            "Existing network",
            match (driver.fixed_network, driver.only_fixed_network) {
                (_, true) => "always".to_owned(),
                (can, false) => yes(can),
            },
        ),
        ("Without floating IPs", yes(driver.private_only)),
        ("Choice of the API's port", yes(driver.apiserver_port)),
    ];
    rows.into_iter()
        .map(|(name, value)| [name.to_owned(), value])
        .collect()
}

fn versions(software: &Software) -> String {
    let mut text = software.default.clone();
    if let Some((least, most, label)) = &software.range {
        let _ = write!(text, " ({least} to {most} by the label `{label}`");
        for feature in &software.features {
            let _ = write!(text, "; {} since {}", feature.what, feature.since);
        }
        text.push(')');
    }
    text
}

fn label(schema: &LabelSchema) -> [String; 4] {
    let values = match &schema.value {
        LabelType::Boolean => "`true`, `false`".to_owned(),
        LabelType::Integer { min, max } => format!("{min} to {max}"),
        LabelType::OneOf(values) => joined(values.iter().map(|v| format!("`{v}`"))),
        LabelType::Version { least, most } => format!("version from `{least}` to `{most}`"),
        LabelType::Ipv4Cidr => "IPv4 network in CIDR notation".to_owned(),
        LabelType::SomeOf(values) => {
            let values = joined(values.iter().map(|v| format!("`{v}`")));
            format!("some of {values}, separated by commas")
        }
        LabelType::Path => "absolute path".to_owned(),
        _ => "text".to_owned(),
    };
    let default = schema
        .default
        .as_ref()
        .map_or_else(|| "none".to_owned(), |d| format!("`{d}`"));
    [
        format!("`{}`", schema.key),
        values,
        default,
        schema.meaning.clone(),
    ]
}

fn choice(choice: &Choice) -> String {
    let shown = choice.allowed.iter().map(|name| {
        if choice.default.as_ref() == Some(name) {
            format!("`{name}` (default)")
        } else {
            format!("`{name}`")
        }
    });
    joined(shown)
}

fn joined(items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.collect();
    if items.is_empty() {
        "none".to_owned()
    } else {
        items.join(", ")
    }
}

fn yes(value: bool) -> String {
    if value { "yes" } else { "no" }.to_owned()
}

fn table<const N: usize>(page: &mut String, head: [&str; N], rows: &[[String; N]]) {
    // Writing to a string cannot fail.
    let _ = writeln!(page, "| {} |", head.join(" | "));
    let _ = writeln!(page, "|{}", " --- |".repeat(N));
    for row in rows {
        let cells: Vec<String> = row.iter().map(|cell| cell.replace('|', "\\|")).collect();
        let _ = writeln!(page, "| {} |", cells.join(" | "));
    }
}
