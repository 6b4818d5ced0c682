# shellcheck shell=bash
# From a bare machine to a running cloud. Sourced by `cloud`.

install_packages() {
  local package policy=/usr/sbin/policy-rc.d
  local -a missing=()
  for package in "${PACKAGES[@]}"; do
    # shellcheck disable=SC2016
    if [ "$(dpkg-query -W -f='${db:Status-Abbrev}' "$package" 2> /dev/null)" != "ii " ]; then
      missing+=("$package")
    fi
  done
  if [ "${#missing[@]}" = 0 ]; then return; fi
  say "apt-get install ${missing[*]}"
  # Packages must not start their daemons, which would take our ports.
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod +x "$policy"
    # shellcheck disable=SC2064
    trap "rm -f '$policy'" EXIT
  fi
  # apt unpacks through TMPDIR; a cleaner of /tmp would break it half-way.
  mkdir -p "$STATE/apt"
  logged apt env TMPDIR="$STATE/apt" apt-get update -qq
  logged apt env TMPDIR="$STATE/apt" DEBIAN_FRONTEND=noninteractive \
    apt-get install -y --no-install-recommends "${missing[@]}"
  rm -rf "$STATE/apt"
}

# services/NN-NAME.sh defines configure_NAME.
configure_services() {
  local file name
  umask 077
  install -d -m 700 "$ETC"
  for file in "$HERE"/services/*.sh; do
    name=${file##*/[0-9][0-9]-}
    "configure_${name%.sh}"
  done
  umask 022
}

create_databases() {
  local name statements=
  for name in "${DATABASES[@]}"; do
    statements+="create database if not exists $name character set utf8mb3;"
  done
  sql -e "$statements
    create user if not exists cloud@'127.0.0.1';
    alter user cloud@'127.0.0.1' identified by '$PASSWORD';
    grant all on *.* to cloud@'127.0.0.1';"
}

# A stamp with the versions of what is installed: another version migrates again.
migration_stamp() {
  # shellcheck disable=SC2016
  printf '%s-%s' "$1" "$(dpkg-query -W -f='${Version}' "python3-$1")"
}

migrate() {
  local stamp
  stamp=$STATE/migrated/$(migration_stamp "$1")
  if [ -e "$stamp" ]; then return; fi
  "migrate_$1"
  touch "$stamp"
  say "$1 migrated"
}

# Keystone gets its data while the others migrate. All of it is bound by CPU:
# one job for each core.
migrate_everything() {
  local name
  mkdir -p "$STATE/migrated"
  prepare_identity &
  for name in "${MIGRATIONS[@]}"; do
    if [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; then wait -n || exit 1; fi
    migrate "$name" &
  done
  for name in $(jobs -p); do wait "$name" || exit 1; done
}

prepare_identity() {
  migrate keystone
  start_daemons keystone
  wait_for keystone
  MAGNUM_CLOUD_SERVICE_USERS="${SERVICE_USERS[*]}" \
    MAGNUM_CLOUD_ENDPOINTS="$(printf '%s\n' "${ENDPOINTS[@]}")" \
    logged data /usr/bin/python3 "$HERE/data.py" identity "$STATE"
  say "users and catalog present"
}

install_cloud() {
  mkdir -p "$RUN" "$LOG"
  chmod 755 "$STATE"
  if [ -z "$PASSWORD" ]; then
    PASSWORD=$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')
    (umask 077; printf '%s\n' "$PASSWORD" > "$STATE/password")
  fi
  install_packages
  say "packages present"
  configure_services
  say "configuration written"
  start_daemons "${INFRASTRUCTURE[@]}"
  wait_for mariadb
  create_databases
  migrate_everything
  say "databases ready"
  bring_up
  logged data /usr/bin/python3 "$HERE/data.py" resources "$STATE"
  touch "$STATE/installed"
  say "images, flavors and networks present"
  say "ready: $STATE/clouds.yaml"
}

forget_everything() {
  case $STATE in
    /*/*) find "$STATE" -mindepth 1 -maxdepth 1 ! -name lock -exec rm -rf {} + ;;
    *) die "will not empty $STATE" ;;
  esac
  PASSWORD=
}
