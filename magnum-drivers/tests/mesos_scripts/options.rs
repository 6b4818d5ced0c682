//! What the options of a template make of the servers.

use crate::support::stacks::{
    MESOS, Role, TRUST, TRUSTEE_PASSWORD, cluster_of, label, masters, private_address,
};
use crate::{everything, plain, server};

#[test]
fn each_master_knows_the_others_and_more_than_half_must_agree() {
    for (count, quorum) in [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3)] {
        let mut cluster = plain();
        masters(&mut cluster, count);
        for index in 0..count {
            let server = server(&cluster, Role::Master(index));
            server.configures();
            let own = private_address(index);
            let all: Vec<String> = (0..count).map(private_address).collect();
            assert_eq!(server.read("/etc/mesos-master/quorum"), format!("{quorum}\n"));
            assert_eq!(
                server.read("/etc/zookeeper/conf/myid"),
                format!("{}\n", index + 1)
            );
            let mut zoo = "tickTime=2000\n".to_owned();
            for (at, address) in all.iter().enumerate() {
                zoo += &format!("server.{}={address}:2888:3888\n", at + 1);
            }
            assert_eq!(server.read("/etc/zookeeper/conf/zoo.cfg"), zoo);
            let zk = format!("zk://{}:2181/", all.join(":2181,"));
            assert_eq!(server.read("/etc/mesos/zk"), format!("{zk}mesos\n"));
            assert_eq!(server.read("/etc/marathon/conf/master"), format!("{zk}mesos\n"));
            assert_eq!(server.read("/etc/marathon/conf/zk"), format!("{zk}marathon\n"));
            for file in [
                "/etc/mesos-master/ip",
                "/etc/mesos-master/hostname",
                "/etc/marathon/conf/hostname",
            ] {
                assert_eq!(server.read(file), format!("{own}\n"), "{file}");
            }
            assert_eq!(server.read("/etc/mesos-master/cluster"), "mesos\n");
            let hosts = server.read("/etc/hosts");
            assert_eq!(
                hosts,
                format!("127.0.0.1 localhost\n{own} mesos-04952c60-master-{index}\n")
            );
            assert_eq!(server.signal()["data"], "0.25.0");
        }
    }
}

/// The package's service makes an option of what its defaults say, and Mesos refuses one that comes twice.
#[test]
fn the_port_of_mesos_is_said_once() {
    let server = server(&plain(), Role::Master(0));
    server.write("/etc/default/mesos-master", "PORT=4040\nZK=`cat /etc/mesos/zk`\n");
    server.write("/etc/mesos-master/port", "4040\n");
    server.configures();
    assert_eq!(
        server.read("/etc/default/mesos-master"),
        "ZK=`cat /etc/mesos/zk`\nPORT=5050\n"
    );
    assert!(!server.path("/etc/mesos-master/port").exists());
}

#[test]
fn each_label_becomes_an_option_of_the_slaves() {
    let none = server(&plain(), Role::Minion(0));
    none.configures();
    for option in [
        "isolation",
        "image_providers",
        "work_dir",
        "executor_environment_variables",
    ] {
        assert!(
            !none.path(&format!("/etc/mesos-slave/{option}")).exists(),
            "{option}"
        );
    }
    assert_eq!(none.read("/etc/mesos-slave/containerizers"), "docker,mesos\n");
    assert_eq!(
        none.read("/etc/mesos-slave/executor_registration_timeout"),
        "5mins\n"
    );
    for (key, option, values) in [
        (
            "mesos_slave_isolation",
            "isolation",
            &[
                "filesystem/posix",
                "filesystem/linux",
                "filesystem/shared",
                "posix/cpu",
                "posix/mem",
                "posix/disk",
                "cgroups/cpu",
                "cgroups/mem",
                "docker/runtime",
                "namespaces/pid",
                "cgroups/cpu,cgroups/mem",
            ][..],
        ),
        (
            "mesos_slave_image_providers",
            "image_providers",
            &["appc", "docker", "appc,docker"],
        ),
        ("mesos_slave_work_dir", "work_dir", &["/tmp/mesos"]),
    ] {
        for value in values {
            let mut cluster = plain();
            label(&mut cluster, "mesos_slave_isolation", "docker/runtime");
            label(&mut cluster, key, value);
            let server = server(&cluster, Role::Minion(0));
            server.configures();
            assert_eq!(
                server.read(&format!("/etc/mesos-slave/{option}")),
                format!("{value}\n")
            );
        }
    }
}

#[test]
fn variables_of_executors_come_from_a_file_or_from_the_label() {
    let server = server(&everything(), Role::Minion(0));
    server.configures();
    assert_eq!(
        server.plain("/etc/mesos-slave/executor_environment_variables"),
        "file:///etc/executor_environment_variables\n"
    );
    let written: serde_json::Value =
        serde_json::from_str(&server.read("/etc/executor_environment_variables")).unwrap();
    assert_eq!(
        written,
        serde_json::json!({"PATH": "/bin:/usr/bin", "IT'S": "$(id) \"quoted\""})
    );

    let mut cluster = plain();
    let file = "/etc/mesos/variables.json";
    label(&mut cluster, "mesos_slave_executor_env_variables", file);
    let server = crate::server(&cluster, Role::Minion(0));
    server.write(file, "{}");
    server.configures();
    assert_eq!(
        server.plain("/etc/mesos-slave/executor_environment_variables"),
        format!("file://{file}\n")
    );
}

#[test]
fn rexray_acts_under_the_trust_which_root_alone_reads() {
    let server = server(&everything(), Role::Minion(0));
    server.configures();
    assert_eq!(server.mode("/etc/rexray/config.yml"), 0o600);
    let config = crate::support::yaml(&server.read("/etc/rexray/config.yml"));
    assert_eq!(config["openstack"]["trustID"], TRUST);
    assert_eq!(config["openstack"]["password"], TRUSTEE_PASSWORD);
    assert_eq!(
        config["libstorage"]["integration"]["volume"]["operations"]["mount"]["preempt"],
        true
    );
    let runs: Vec<String> = crate::support::tree::commands(&server)
        .into_iter()
        .filter(|call| call.starts_with("docker run "))
        .collect();
    assert_eq!(runs.len(), 1, "{runs:?}");
    assert!(
        runs[0].starts_with("docker run --detach --restart always --name rexray --privileged --net host ")
            && runs[0].contains(" -v /var/lib/rexray:/var/lib/rexray:rshared ")
            && runs[0].ends_with(" docker.io/openstackmagnum/rexray:alpine"),
        "{runs:?}"
    );
    // What it mounts Docker sees, now and after a reboot.
    let calls = crate::support::tree::commands(&server);
    let at = |call: &str| calls.iter().position(|c| c == call).unwrap();
    assert!(at("mount --make-rshared /") < at("service docker start"));
    assert!(
        server
            .read("/etc/init/magnum-rexray.conf")
            .contains("start on starting docker\ntask\nexec mount --make-rshared /\n")
    );
}

#[test]
fn a_trust_is_on_no_server_where_nothing_needs_it() {
    let slave = server(&plain(), Role::Minion(0));
    slave.configures();
    let master = server(&everything(), Role::Master(0));
    master.configures();
    for server in [slave, master] {
        for (path, _, _, content) in server.snapshot() {
            let text = String::from_utf8_lossy(&content);
            assert!(
                !text.contains(TRUSTEE_PASSWORD) && !text.contains(TRUST),
                "{}",
                path.display()
            );
        }
        assert!(!server.path("/etc/rexray").exists());
    }
}

#[test]
fn dockers_storage_is_on_a_volume_only_where_one_is_asked_for() {
    let none = server(&plain(), Role::Minion(0));
    none.configures();
    assert!(none.commands_of("wipefs").is_empty() && !none.path("/etc/fstab").exists());
    let with = server(&everything(), Role::Minion(0));
    with.configures();
    let calls = crate::support::tree::commands(&with);
    let at = |start: &str| calls.iter().position(|call| call.starts_with(start)).unwrap();
    assert!(at("mkfs.ext4") < at("mount /var/lib/docker"));
    assert!(at("mount /var/lib/docker") < at("service docker start"));
    let job = with.plain("/etc/init/magnum-storage.conf");
    assert!(
        job.contains("start on starting docker\ntask\nscript\n    mountpoint -q /var/lib/docker || mount /var/lib/docker\n"),
        "{job}"
    );
    assert!(!none.path("/etc/init/magnum-storage.conf").exists());
    assert!(
        with.plain("/etc/fstab")
            .ends_with(" /var/lib/docker ext4 defaults,nobootwait 0 0\n")
    );
}

#[test]
fn proxies_reach_docker_and_who_logs_in() {
    for role in crate::support::stacks::BOTH {
        let server = server(&everything(), role);
        server.configures();
        for file in ["/etc/default/docker", "/etc/profile.d/magnum-proxy.sh"] {
            let text = server.read(file);
            assert!(
                text.contains("export http_proxy='http://user:p%40ss@proxy.example:3128' HTTP_PROXY="),
                "{text}"
            );
            assert!(
                text.contains("no_proxy='example.org,localhost,") && text.contains(",10.0.0.10'"),
                "{text}"
            );
            assert_eq!(server.mode(file), 0o600, "a password is in it");
        }
    }
}

#[test]
fn a_cluster_of_odd_characters_has_a_plain_name_at_mesos() {
    let mut cluster = cluster_of(MESOS);
    cluster.name = "my 'odd' $(name)".into();
    let server = server(&cluster, Role::Master(0));
    server.configures();
    assert_eq!(server.read("/etc/mesos-master/cluster"), "my--odd----name-\n");
}
