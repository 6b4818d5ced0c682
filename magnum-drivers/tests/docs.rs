//! The documentation's pages about drivers are as their descriptors say.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;

/// With this variable set, pages are written instead of compared.
const REWRITE: &str = "MAGNUM_REWRITE_DOCS";

#[test]
fn the_pages_of_all_drivers_are_up_to_date() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/drivers");
    let drivers = magnum_drivers::all();
    let descriptors = drivers.iter().map(|driver| driver.descriptor());
    let mut pages = vec![(
        "README".to_owned(),
        magnum_drivers::docs::overview(descriptors.clone()),
    )];
    pages.extend(descriptors.map(|d| (d.name.clone(), magnum_drivers::docs::page(d))));
    for (name, page) in pages {
        let path = directory.join(format!("{name}.md"));
        if std::env::var_os(REWRITE).is_some() {
            std::fs::create_dir_all(&directory).unwrap();
            std::fs::write(&path, page).unwrap();
            continue;
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(
            kept,
            page,
            "{} is stale: run this test with {REWRITE}=1",
            path.display()
        );
    }
}

/// Whoever logs in, or sets up a firewall, finds what there is.
#[test]
fn every_driver_says_what_it_runs_and_on_which_image() {
    for driver in magnum_drivers::all() {
        let descriptor = driver.descriptor();
        let name = &descriptor.name;
        assert!(
            !descriptor.image.is_empty() && !descriptor.login.is_empty(),
            "{name}"
        );
        assert!(!descriptor.software.is_empty(), "{name}");
        let ssh = |runs: &magnum_core::Runs| runs.ports.iter().any(|listens| listens.port == "22/tcp");
        assert!(descriptor.runs.iter().any(ssh), "{name}: {:?}", descriptor.runs);
        assert!(descriptor.runs.iter().any(|runs| runs.name == "docker"), "{name}");
        for kind in &descriptor.provides {
            let image = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/{name}/image/README.md"));
            let text = std::fs::read_to_string(&image).unwrap();
            assert!(
                text.contains(&format!("os_distro={}", kind.os)),
                "{}",
                image.display()
            );
        }
    }
}

#[test]
fn the_template_of_every_driver_is_where_it_says() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for driver in magnum_drivers::all() {
        let path = driver.descriptor().template_path.clone().unwrap();
        assert!(sources.join(&path).is_file(), "{path}");
    }
}
