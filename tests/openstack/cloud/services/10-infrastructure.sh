# shellcheck shell=bash disable=SC2034,SC2154
# MariaDB, RabbitMQ with its name service, memcached.
PACKAGES+=(mariadb-server rabbitmq-server memcached uwsgi-plugin-python3
  python3-pymysql python3-memcache curl openssl openssh-client procps util-linux
  iproute2 etcd-server etcd-client)
INFRASTRUCTURE+=(mariadb epmd rabbitmq memcached)

configure_infrastructure() {
  mkdir -p "$STATE/rabbitmq" "$STATE/lock.d"
  cat > "$ETC/rabbitmq.conf" <<TEXT
listeners.tcp.1 = $HOST:$BROKER_PORT
log.file.level = warning
vm_memory_high_watermark.absolute = 1GB
disk_free_limit.absolute = 50MB
TEXT
  echo '[].' > "$ETC/rabbitmq-plugins"
  # the database server runs as mysql and puts its socket here
  chown root:mysql "$STATE"
  chmod 775 "$STATE"
  if [ ! -d "$STATE/mysql/mysql" ]; then
    rm -rf "$STATE/mysql"
    install -d -o mysql -g mysql "$STATE/mysql"
    logged mariadb mariadb-install-db --no-defaults --user=mysql --datadir="$STATE/mysql" \
      --auth-root-authentication-method=socket --skip-test-db
  fi
}

# Nothing here has to survive a power cut, hence no flush at commit.
command_mariadb() {
  COMMAND=(/usr/sbin/mariadbd --no-defaults --user=mysql --datadir="$STATE/mysql"
    --socket="$STATE/mysql.sock" --bind-address="$HOST" --port="$DATABASE_PORT"
    --pid-file="$STATE/mysql/server.pid" --skip-name-resolve --max-connections=600
    --performance-schema=OFF --innodb-buffer-pool-size=256M --innodb-log-file-size=64M
    --innodb-flush-log-at-trx-commit=0 --innodb-doublewrite=0 --skip-log-bin
    --character-set-server=utf8mb3 --collation-server=utf8mb3_general_ci)
}

answers_mariadb() { sql -e 'select 1' > /dev/null 2>&1; }

# A daemon of its own: RabbitMQ would start one and leave it behind.
command_epmd() { COMMAND=(/usr/bin/epmd -address "$HOST" -port "$EPMD_PORT"); }

answers_epmd() { (exec 3<> "/dev/tcp/$HOST/$EPMD_PORT") 2> /dev/null; }

# The server's own start script, not Debian's wrapper, which wants its user.
command_rabbitmq() {
  ENVIRONMENT=(RABBITMQ_NODENAME=magnum-cloud@localhost RABBITMQ_NODE_IP_ADDRESS="$HOST"
    RABBITMQ_NODE_PORT="$BROKER_PORT" RABBITMQ_DIST_PORT="$BROKER_DISTRIBUTION_PORT"
    ERL_EPMD_ADDRESS="$HOST" ERL_EPMD_PORT="$EPMD_PORT"
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1} +S 1:1 +sbwt none"
    RABBITMQ_MNESIA_BASE="$STATE/rabbitmq" RABBITMQ_LOG_BASE="$LOG"
    RABBITMQ_CONFIG_FILE="$ETC/rabbitmq.conf"
    RABBITMQ_ENABLED_PLUGINS_FILE="$ETC/rabbitmq-plugins" HOME="$STATE/rabbitmq")
  COMMAND=(/usr/lib/rabbitmq/bin/rabbitmq-server)
}

# Much faster than rabbitmqctl, which starts an Erlang machine for each call.
answers_rabbitmq() { (exec 3<> "/dev/tcp/$HOST/$BROKER_PORT") 2> /dev/null; }

command_memcached() {
  COMMAND=(/usr/bin/memcached -l "$HOST" -p "$CACHE_PORT" -U 0 -m 64 -u memcache)
}

answers_memcached() { (exec 3<> "/dev/tcp/$HOST/$CACHE_PORT") 2> /dev/null; }
