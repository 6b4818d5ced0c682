# shellcheck shell=bash disable=SC2034
# What "boots" Nova's servers: see `nodes`.
PACKAGES+=(python3-yaml)
LATE+=(nodes)

configure_nodes() { :; }

command_nodes() { COMMAND=(/usr/bin/python3 "$HERE/nodes" "$STATE"); }

answers_nodes() { [ "$STATE/nodes/ready" -nt "$RUN/nodes.pid" ]; }
