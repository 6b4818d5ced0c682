//! The guide's `magnum-driver-manage`: shows which drivers a host has.
//!
//! ```sh
//! cargo run --example driver_manage -- list-drivers --details --paths
//! ```

use clap::{Args, Parser, Subcommand};
use magnum::{DriverEntry, DriverRegistry};

#[derive(Debug, Parser)]
#[command(about = "Shows the cluster drivers of this host")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Lists the drivers, by name.
    ListDrivers(Columns),
}

#[derive(Debug, Default, Args)]
struct Columns {
    /// Shows versions, and each kind of cluster that a driver makes.
    #[arg(short, long)]
    details: bool,
    /// Shows where the templates are.
    #[arg(short, long)]
    paths: bool,
}

fn main() -> magnum::Result<()> {
    // A host has `magnum.drivers()`; a driver that is not added is disabled.
    let mut drivers = DriverRegistry::default();
    for driver in magnum::drivers::all() {
        drivers.add(driver)?;
    }
    let Command::ListDrivers(columns) = Arguments::parse().command;
    print!("{}", table(&rows(&drivers.list(), &columns)));
    Ok(())
}

fn rows(drivers: &[DriverEntry], columns: &Columns) -> Vec<Vec<String>> {
    let mut head = vec!["Name"];
    if columns.details {
        head.extend(["Version", "Server_Type", "OS", "COE"]);
    }
    if columns.paths {
        head.push("Template Path");
    }
    let mut rows = vec![head.into_iter().map(ToOwned::to_owned).collect()];
    for driver in drivers {
        let mut row = vec![driver.name.clone()];
        if columns.details {
            row.extend([driver.version.clone(), driver.server_type.to_string()]);
            row.extend([driver.os.clone(), driver.coe.clone()]);
        }
        if columns.paths {
            row.push(driver.template_path.clone().unwrap_or_else(|| "-".to_owned()));
        }
        // Without details the kinds of one driver look alike.
        if rows.last() != Some(&row) {
            rows.push(row);
        }
    }
    rows
}

/// The rows between lines, the first of them as their head.
fn table(rows: &[Vec<String>]) -> String {
    let mut widths = vec![0; rows.first().map_or(0, Vec::len)];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.len().max(*width);
        }
    }
    let line: String = widths
        .iter()
        .map(|width| format!("+{}", "-".repeat(width + 2)))
        .collect();
    let mut shown = format!("{line}+\n");
    for (number, row) in rows.iter().enumerate() {
        for (cell, width) in row.iter().zip(&widths) {
            shown.push_str(&format!("| {cell:width$} "));
        }
        shown.push_str("|\n");
        if number == 0 {
            shown.push_str(&format!("{line}+\n"));
        }
    }
    shown + &line + "+\n"
}

#[cfg(test)]
mod tests {
    use magnum::ServerType;

    use super::*;

    fn entry(name: &str, os: &str, path: Option<&str>) -> DriverEntry {
        DriverEntry {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            server_type: ServerType::Vm,
            os: os.to_owned(),
            coe: "docker".to_owned(),
            template_path: path.map(ToOwned::to_owned),
        }
    }

    #[test]
    fn each_driver_has_a_row_for_each_kind_when_details_are_wanted() {
        let drivers = [
            entry("both", "debian", Some("both/templates/cluster.yaml")),
            entry("both", "ubuntu", Some("both/templates/cluster.yaml")),
            entry("other", "ubuntu", None),
        ];
        assert_eq!(
            table(&rows(&drivers, &Columns::default())),
            "+-------+\n| Name  |\n+-------+\n| both  |\n| other |\n+-------+\n"
        );
        let all = Columns {
            details: true,
            paths: true,
        };
        let shown = rows(&drivers, &all);
        assert_eq!(
            shown[0],
            ["Name", "Version", "Server_Type", "OS", "COE", "Template Path"]
        );
        assert_eq!(
            shown[2],
            [
                "both",
                "1.0.0",
                "vm",
                "ubuntu",
                "docker",
                "both/templates/cluster.yaml"
            ]
        );
        assert_eq!(shown[3], ["other", "1.0.0", "vm", "ubuntu", "docker", "-"]);
    }
}
