//! The documentation's pages about drivers are as their descriptors say.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;

/// With this variable set, pages are written instead of compared.
const REWRITE: &str = "MAGNUM_REWRITE_DOCS";

#[test]
fn the_pages_of_all_drivers_are_up_to_date() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/drivers");
    for driver in magnum_drivers::all() {
        let page = magnum_drivers::docs::page(driver.descriptor());
        let path = directory.join(format!("{}.md", driver.descriptor().name));
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

#[test]
fn the_template_of_every_driver_is_where_it_says() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for driver in magnum_drivers::all() {
        let path = driver.descriptor().template_path.clone().unwrap();
        assert!(sources.join(&path).is_file(), "{path}");
    }
}
