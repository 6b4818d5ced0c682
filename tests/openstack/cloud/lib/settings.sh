# shellcheck shell=bash disable=SC2034
# Where things are. Sourced by `cloud`.
STATE=${MAGNUM_CLOUD_STATE:-/var/lib/magnum-test-cloud}
ETC=$STATE/etc
RUN=$STATE/run
LOG=$STATE/log
HOST=127.0.0.1
REGION=RegionOne

# Not the usual ports, so that a database or a broker of the machine's own, or
# of another test, may run beside the cloud.
DATABASE_PORT=13306
BROKER_PORT=13672
BROKER_DISTRIBUTION_PORT=13673
EPMD_PORT=13369
CACHE_PORT=13211
KEYSTONE_PORT=5000
AUTH_URL=http://$HOST:$KEYSTONE_PORT/v3

# What the files in services/ add to.
PACKAGES=()          # Debian packages
DATABASES=()         # databases to create
SERVICE_USERS=()     # users of project service
ENDPOINTS=()         # "name type url" of the catalog
MIGRATIONS=()        # functions migrate_NAME, run two at a time
INFRASTRUCTURE=()    # daemons in three waves; within a wave all start at once
EARLY=()
LATE=()
declare -A PROBE=()  # daemon -> URL that answers below 500 when it is up

PASSWORD=
if [ -r "$STATE/password" ]; then PASSWORD=$(cat "$STATE/password"); fi

die() {
  printf 'cloud: %s\n' "$*" >&2
  exit 1
}

SECONDS=0
say() { printf '[%3ds] %s\n' "$SECONDS" "$*"; }

# One command at a time changes the cloud. The daemons do not inherit the lock.
locked() {
  mkdir -p "$STATE"
  exec 9> "$STATE/lock"
  flock -w 600 9 || die "another command has held $STATE/lock for ten minutes"
  "$@"
  exec 9>&-
}
