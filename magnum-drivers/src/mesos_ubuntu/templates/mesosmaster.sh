#!/bin/bash
# Makes this server a Mesos master; {{driver}} {{version}}.

node_name='__NODE_PREFIX__-master-__INDEX__'
member=$((__INDEX__ + 1))
cluster_name='__CLUSTER_NAME__'
mesos_port='__MESOS_PORT__'
marathon_port='__MARATHON_PORT__'

{{> report.sh}}

{{> files.sh}}

{{> proxy.sh}}

{{> mesos.sh}}

step 'reach the cloud'
# shellcheck disable=SC2086
use_proxies "$private_address" ${masters//,/ }
proxy_environment
proxies_for_docker
own_name

step 'configure ZooKeeper'
put_directory 755 /etc/zookeeper/conf
{
    [[ ! -e /etc/zookeeper/conf/zoo.cfg ]] || sed '/^server\./d' /etc/zookeeper/conf/zoo.cfg
    number=0
    for address in ${masters//,/ }; do
        number=$((number + 1))
        printf 'server.%s=%s:2888:3888\n' "$number" "$address"
    done
} >"$scratch/zoo.cfg"
put_file 644 /etc/zookeeper/conf/zoo.cfg <"$scratch/zoo.cfg"
put_file 644 /etc/zookeeper/conf/myid <<<"$member"

step 'configure Mesos'
put_directory 755 /etc/mesos
put_directory 755 /etc/mesos-master
put_file 644 /etc/mesos/zk <<<"$(zookeepers mesos)"
option_file /etc/mesos-master/ip "$private_address"
option_file /etc/mesos-master/hostname "$private_address"
# The package's service gives the port from here, and Mesos refuses an option that comes twice.
option_file /etc/mesos-master/port ''
{
    [[ ! -e /etc/default/mesos-master ]] || sed '/^PORT=/d' /etc/default/mesos-master
    printf 'PORT=%s\n' "$mesos_port"
} >"$scratch/mesos-defaults"
put_directory 755 /etc/default
put_file 644 /etc/default/mesos-master <"$scratch/mesos-defaults"
# More than half of the masters, of an even number, too.
option_file /etc/mesos-master/quorum "$((number / 2 + 1))"
option_file /etc/mesos-master/cluster "$cluster_name"

step 'configure Marathon'
put_directory 755 /etc/marathon
put_directory 755 /etc/marathon/conf
option_file /etc/marathon/conf/master "$(zookeepers mesos)"
option_file /etc/marathon/conf/zk "$(zookeepers marathon)"
option_file /etc/marathon/conf/hostname "$private_address"
option_file /etc/marathon/conf/http_port "$marathon_port"

step 'start services'
start_services docker zookeeper mesos-master marathon

step 'wait for Mesos and Marathon'
wait_for 'Mesos does not answer' ask "$mesos_port" /health
wait_for 'Marathon does not answer' ask "$marathon_port" /ping

step 'report'
mesos_version=$(mesos-master --version 2>/dev/null | sed -n 's/^mesos \([0-9.]*\).*/\1/p' || true)
report SUCCESS "Mesos answers on port $mesos_port, Marathon on port $marathon_port" "$mesos_version"
