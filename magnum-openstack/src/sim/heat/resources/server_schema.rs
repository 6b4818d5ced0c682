//! What `OS::Nova::Server` takes.

use serde_json::json;

use crate::sim::heat::schema::Prop;
use crate::sim::hot::Constraint;

fn network_schema() -> Prop {
    Prop::keys(
        "*",
        vec![
            Prop::text("uuid"),
            Prop::text("network").constrained(Constraint::custom("neutron.network")),
            Prop::text("allocate_network").constrained(Constraint::allowed(&["none", "auto"])),
            Prop::text("fixed_ip").constrained(Constraint::custom("ip_addr")),
            Prop::text("port").constrained(Constraint::custom("neutron.port")),
            Prop::map("port_extra_properties"),
            Prop::text("subnet").constrained(Constraint::custom("neutron.subnet")),
            Prop::text("floating_ip"),
            Prop::text("tag"),
        ],
    )
}

fn image_policies(rebuild: bool) -> Constraint {
    if rebuild {
        Constraint::allowed(&["REBUILD", "REPLACE", "REBUILD_PRESERVE_EPHEMERAL"])
    } else {
        Constraint::allowed(&["RESIZE", "REPLACE"])
    }
}

/// The properties.
pub(super) fn properties() -> Vec<Prop> {
    let formats = Constraint::allowed(&["HEAT_CFNTOOLS", "RAW", "SOFTWARE_CONFIG"]);
    let transports = Constraint::allowed(&[
        "POLL_SERVER_CFN",
        "POLL_SERVER_HEAT",
        "POLL_TEMP_URL",
        "ZAQAR_MESSAGE",
    ]);
    let networks = Prop {
        inner: crate::sim::heat::schema::Inner::Items(Box::new(network_schema())),
        ..Prop::list("networks")
    };
    vec![
        Prop::text("name").updatable(),
        Prop::text("image")
            .constrained(Constraint::custom("glance.image"))
            .updatable(),
        Prop::list("block_device_mapping"),
        Prop::list("block_device_mapping_v2"),
        Prop::text("flavor")
            .required()
            .constrained(Constraint::custom("nova.flavor"))
            .updatable(),
        Prop::text("flavor_update_policy")
            .default("RESIZE")
            .constrained(image_policies(false))
            .updatable(),
        Prop::text("image_update_policy")
            .default("REBUILD")
            .constrained(image_policies(true))
            .updatable(),
        Prop::text("key_name").constrained(Constraint::custom("nova.keypair")),
        Prop::text("admin_user"),
        Prop::text("availability_zone"),
        Prop::list("security_groups").default(json!([])),
        networks.updatable(),
        Prop::map("scheduler_hints"),
        Prop::map("metadata").updatable(),
        Prop::text("user_data_format")
            .default("HEAT_CFNTOOLS")
            .constrained(formats),
        Prop::text("user_data_update_policy")
            .default("REPLACE")
            .updatable(),
        Prop::text("software_config_transport")
            .default("POLL_SERVER_CFN")
            .constrained(transports)
            .updatable(),
        Prop::text("user_data").default("").updatable(),
        Prop::text("reservation_id"),
        Prop::boolean("config_drive"),
        Prop::text("diskConfig").constrained(Constraint::allowed(&["AUTO", "MANUAL"])),
        Prop::map("personality").default(json!({})),
        Prop::text("admin_pass").updatable(),
        Prop::list_of("tags", Prop::text("*")).updatable(),
        Prop::keys(
            "deployment_swift_data",
            vec![
                Prop::text("container").constrained(Constraint::length(Some(1), None)),
                Prop::text("object").constrained(Constraint::length(Some(1), None)),
            ],
        )
        .default(json!({}))
        .updatable(),
    ]
}
