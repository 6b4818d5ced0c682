//! What the terminal shows.

use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressStyle};
use magnum::Cluster;

/// A progress bar on a terminal, plain lines elsewhere.
pub struct ProgressLine {
    bar: Option<ProgressBar>,
    last: String,
}

impl ProgressLine {
    pub fn new() -> Self {
        let style = ProgressStyle::with_template("{msg:22} [{bar:30}] {pos}/{len} resources, {elapsed}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = std::io::stdout()
            .is_terminal()
            .then(|| ProgressBar::new(0).with_style(style));
        Self {
            bar,
            last: String::new(),
        }
    }

    pub fn show(&mut self, cluster: &Cluster) {
        let (done, total) = (cluster.progress.done, cluster.progress.total);
        let status = cluster.status.to_string();
        if let Some(bar) = &self.bar {
            bar.set_length(u64::from(total));
            bar.set_position(u64::from(done));
            bar.set_message(status);
            return;
        }
        let line = format!("{status} {done}/{total}");
        if line != self.last {
            println!("{line}");
            self.last = line;
        }
    }

    pub fn end(&mut self, how: &str) {
        match &self.bar {
            Some(bar) => bar.finish_with_message(how.to_owned()),
            None if how == "gone" => println!("gone"),
            None => {}
        }
    }
}

/// The table that `cluster-show` prints.
pub fn cluster(cluster: &Cluster) {
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    let rows = [
        ("api_address", text(&cluster.api_address)),
        ("cluster_template_id", cluster.cluster_template_id.to_string()),
        ("coe_version", text(&cluster.coe_version)),
        ("container_version", text(&cluster.container_version)),
        ("create_timeout", cluster.create_timeout.to_string()),
        ("created_at", cluster.created_at.to_string()),
        ("discovery_url", text(&cluster.discovery_url)),
        ("keypair", text(&cluster.keypair)),
        ("master_addresses", format!("{:?}", cluster.master_addresses())),
        ("master_count", cluster.master_count().to_string()),
        ("name", cluster.name.clone()),
        ("node_addresses", format!("{:?}", cluster.node_addresses())),
        ("node_count", cluster.node_count().to_string()),
        ("stack_id", text(&cluster.stack_id)),
        ("status", cluster.status.to_string()),
        ("status_reason", text(&cluster.status_reason)),
        (
            "updated_at",
            cluster
                .updated_at
                .map_or_else(|| "-".to_owned(), |at| at.to_string()),
        ),
        ("uuid", cluster.id.to_string()),
    ];
    let widest = |of: fn(&(&str, String)) -> usize| rows.iter().map(of).max().unwrap_or(0);
    let (left, right) = (widest(|row| row.0.len()), widest(|row| row.1.chars().count()));
    let rule = format!("+-{}-+-{}-+", "-".repeat(left), "-".repeat(right));
    println!("{rule}\n| {:left$} | {:right$} |\n{rule}", "Property", "Value");
    for (property, value) in &rows {
        println!("| {property:left$} | {value:right$} |");
    }
    println!("{rule}");
}
