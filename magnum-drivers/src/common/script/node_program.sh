# On Fedora Atomic Docker starts only after the first boot's scripts have ended. So this script does two things:
# called by cloud-init it configures, and called with `start`, by a service at each boot, it starts what needs Docker.

state=/var/lib/magnum
programs={{programs}}
node_program=$programs/magnum-node
reported=$state/reported

# install_node_program: this script itself, with its secrets, for root only.
install_node_program() {
    put_directory 700 "$state"
    put_directory 755 "${node_program%/*}"
    put_file 700 "$node_program" <"${BASH_SOURCE[0]}"
    put_file 644 /etc/systemd/system/magnum-node.service <<UNIT
[Unit]
Description=Start this server's part of the cluster
Wants=docker.service network-online.target
After=docker.service network-online.target

[Service]
Type=oneshot
RemainAfterExit=yes
TimeoutStartSec=0
Environment=HOME=/root
ExecStart=/bin/bash $node_program start

[Install]
WantedBy=multi-user.target
UNIT
}

# hand_over: from here on the service goes on, and it is the one that reports.
hand_over() {
    systemctl daemon-reload
    systemctl --quiet enable docker.service magnum-node.service
    systemctl --no-block start docker.service magnum-node.service
}

# wait_for WHAT COMMAND...: until the command succeeds. All waits of a run together have one limit.
wait_for() {
    local what=$1
    shift
    while ! "$@" >"$scratch/answer" 2>&1; do
        ((SECONDS < patience)) || fail "$what: $(tail -n 1 -- "$scratch/answer")"
        sleep 5
    done
}

# start_unit UNIT...: restarts what was configured anew, starts what is not running.
start_units() {
    local unit
    systemctl --quiet enable "$@"
    for unit in "$@"; do
        if ((changed)) || ! systemctl --quiet is-active "$unit"; then
            systemctl ${no_block---no-block} restart "$unit"
        fi
    done
}
