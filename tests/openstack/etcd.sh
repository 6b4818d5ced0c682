#!/bin/bash
# etcd.sh DIRECTORY ROOT...: starts a real etcd for each of these masters' roots, exactly as it is configured there, each
# in a network of its own behind one bridge, and looks whether they are one cluster that lets nobody in whom their own
# authority did not certify.
set -euo pipefail
if [[ ${1:-} != --inside ]]; then
  exec unshare --net --mount bash "$0" --inside "$@"
fi
shift
directory=$1
shift
mkdir -p /run/netns
mount -t tmpfs networks /run/netns
ip link add bridge type bridge
ip link set bridge up
trap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT

client() { # NETWORK CERTIFICATE-AND-KEY ETCDCTL-ARGUMENT...
  local network=$1 identity=$2
  shift 2
  ETCDCTL_API=3 ip netns exec "$network" etcdctl --endpoints https://127.0.0.1:2379 --command-timeout 5s \
    --cacert "$certs/ca.crt" --cert "$identity.crt" --key "$identity.key" "$@"
}

number=0
for root in "$@"; do
  certs=$root/etc/etcd/certs
  name=$(sed -n 's/^ETCD_NAME="\(.*\)"$/\1/p' "$root/etc/etcd/etcd.conf")
  ip netns add "m$number"
  ip link add "v$number" type veth peer name eth0 netns "m$number"
  ip link set "v$number" master bridge up
  ip -n "m$number" link set lo up
  ip -n "m$number" address add "$name/24" dev eth0
  ip -n "m$number" link set eth0 up
  sed -e "s#/etc/etcd/#$root/etc/etcd/#; s#/var/lib/etcd/#$directory/$name/#" \
    "$root/etc/etcd/etcd.conf" >"$directory/$name.conf"
  mkdir -m 700 "$directory/$name"
  (
    set -a
    # shellcheck source=/dev/null
    . "$directory/$name.conf"
    exec ip netns exec "m$number" etcd >"$directory/$name.log" 2>&1
  ) &
  number=$((number + 1))
done

for ((network = 0; network < number; network++)); do
  for ((attempt = 1; ; attempt++)); do
    client "m$network" "$certs/server" endpoint health >"$directory/health" 2>&1 && break
    ((attempt < 30)) || { tail -n 3 "$directory/health" "$directory"/*.log >&2; exit 1; }
    sleep 1
  done
done
[[ $(client m0 "$certs/server" member list | grep -c started) == "$number" ]]
client m0 "$certs/server" put key value >/dev/null
[[ $(client "m$((number - 1))" "$certs/server" get --print-value-only key) == value ]]
if client m0 "$1/etc/kubernetes/certs/admin" get key >/dev/null 2>&1; then
  echo 'etcd lets in whom the authority of the cluster certified' >&2
  exit 1
fi
