#!/bin/bash
# etcd.sh DIRECTORY ROOT...: starts a real etcd for each of these masters' roots, exactly as it is configured there, in
# a network of its own, and looks whether they are one cluster that lets nobody in whom their own authority did not
# certify. Only the port for clients is another for each, since all of them share one loopback.
set -euo pipefail
if [[ ${1:-} != --inside ]]; then
  exec unshare --net bash "$0" --inside "$@"
fi
shift
directory=$1
shift
ip link set lo up
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT

client() { # PORT CERTIFICATE-AND-KEY ETCDCTL-ARGUMENT...
  local port=$1 identity=$2
  shift 2
  ETCDCTL_API=3 etcdctl --endpoints "https://127.0.0.1:$port" --command-timeout 5s --cacert "$certs/ca.crt" \
    --cert "$identity.crt" --key "$identity.key" "$@"
}

ports=()
for root in "$@"; do
  certs=$root/etc/etcd/certs
  port=$((2379 + 10 * ${#ports[@]}))
  ports+=("$port")
  name=$(sed -n 's/^ETCD_NAME="\(.*\)"$/\1/p' "$root/etc/etcd/etcd.conf")
  ip address add "$name/32" dev lo
  sed -e "s#/etc/etcd/#$root/etc/etcd/#; s#/var/lib/etcd/#$directory/$name/#; s#127.0.0.1:2379#127.0.0.1:$port#" \
    "$root/etc/etcd/etcd.conf" >"$directory/$name.conf"
  mkdir -m 700 "$directory/$name"
  (
    set -a
    # shellcheck source=/dev/null
    . "$directory/$name.conf"
    exec etcd >"$directory/$name.log" 2>&1
  ) &
done

for port in "${ports[@]}"; do
  for ((attempt = 1; ; attempt++)); do
    client "$port" "$certs/server" endpoint health >"$directory/health" 2>&1 && break
    ((attempt < 30)) || { cat "$directory/health" "$directory"/*.log >&2; exit 1; }
    sleep 1
  done
done
[[ $(client "${ports[0]}" "$certs/server" member list | grep -c started) == "$#" ]]
client "${ports[0]}" "$certs/server" put key value >/dev/null
[[ $(client "${ports[-1]}" "$certs/server" get --print-value-only key) == value ]]
if client "${ports[0]}" "$1/etc/kubernetes/certs/admin" get key >/dev/null 2>&1; then
  echo 'etcd lets in whom the authority of the cluster certified' >&2
  exit 1
fi
