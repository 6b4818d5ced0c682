# shellcheck shell=bash disable=SC2034
# What answers software deployments in the place of agents on nodes.
LATE+=(deployments)

configure_deployments() { :; }

command_deployments() { COMMAND=(/usr/bin/python3 "$HERE/deployments" "$STATE"); }

answers_deployments() { [ "$STATE/deployments/ready" -nt "$RUN/deployments.pid" ]; }
