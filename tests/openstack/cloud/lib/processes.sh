# shellcheck shell=bash
# Daemons without an init: each is a process group of its own, known by a PID
# file. Sourced by `cloud`.

# "PID START-TIME". A PID file outlives a crash or a reboot, and its number may
# be somebody else's by then; the time tells. (A mark in the environment does
# not: Neutron's workers write their titles over theirs.)
pid_of() { cut -d' ' -f1 "$RUN/$1.pid" 2> /dev/null; }

alive() {
  local pid start
  read -r pid start 2> /dev/null < "$RUN/$1.pid" || return 1
  [ "$(start_time "$pid")" = "$start" ] && [ -n "$start" ]
}

# Empty for a process that is gone or a zombie.
start_time() { sed 's/.*) //' "/proc/$1/stat" 2> /dev/null | awk '$1 != "Z" {print $20}'; }

# A web application in uwsgi: port, WSGI script, arguments of the application.
# Each request closes its connection: uwsgi's own HTTP socket keeps none alive,
# and clients with a pool otherwise find theirs shut.
wsgi() {
  local port=$1 script=$2
  shift 2
  COMMAND=(/usr/bin/uwsgi --plugin python3 --http-socket "$HOST:$port" --wsgi-file "$script"
    --master --processes 1 --threads 8 --enable-threads --lazy-apps --need-app
    --die-on-term --no-orphans --skip-atexit-teardown --buffer-size 65535 --listen 100
    --add-header "Connection: close" --disable-logging)
  if [ $# -gt 0 ]; then COMMAND+=(--pyargv "$*"); fi
}

start_daemons() {
  local name
  mkdir -p "$RUN" "$LOG"
  for name in "$@"; do
    if alive "$name"; then continue; fi
    COMMAND=()
    ENVIRONMENT=()
    "command_$name"
    # setsid: the PID is the process group's too, so that stopping it ends the
    # workers. The first shell writes the file, then becomes the daemon.
    # shellcheck disable=SC2016
    (cd "$STATE" && exec setsid env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
      HOME=/root PYTHONPATH="$HERE/plugins" PYTHONDONTWRITEBYTECODE=1 "${ENVIRONMENT[@]}" \
      bash -c 'read -ra stat < /proc/$$/stat; echo "$$ ${stat[21]}" > "$0"; exec "$@"' \
      "$RUN/$name.pid" "${COMMAND[@]}") \
      >> "$LOG/$name.log" 2>&1 < /dev/null 9>&- &
    disown   # a daemon is no job of this shell, and nothing waits for it
  done
  # A PID file of an earlier run must not stand for the new process.
  for name in "$@"; do
    for _ in {1..50}; do
      if alive "$name"; then break; fi
      sleep 0.05
    done
  done
}

# One try. A daemon without an URL has a function answers_NAME, or is up as
# soon as it lives.
answers() {
  local code
  if [ -n "${PROBE[$1]:-}" ]; then
    code=$(curl -s -o /dev/null -m 10 -w '%{http_code}' "${PROBE[$1]}" || true)
    [ "$code" != 000 ] && [ "$code" -lt 500 ]
  elif declare -F "answers_$1" > /dev/null; then
    "answers_$1"
  else
    alive "$1"
  fi
}

wait_for() {
  local name end=$((SECONDS + ${MAGNUM_CLOUD_TIMEOUT:-180}))
  for name in "$@"; do
    until answers "$name"; do
      if ! alive "$name"; then give_up "$name" "ended by itself"; fi
      if [ "$SECONDS" -ge "$end" ]; then give_up "$name" "does not answer"; fi
      sleep 0.2
    done
    say "$name up"
  done
}

give_up() {
  printf 'cloud: %s %s. The end of %s:\n' "$1" "$2" "$LOG/$1.log" >&2
  tail -n 25 "$LOG/$1.log" >&2
  exit 1
}

stop_wave() {
  local name pid signal=TERM
  local -a pids=()
  for name in "$@"; do
    if alive "$name"; then
      pid=$(pid_of "$name")
      pids+=("$pid")
      kill -TERM -- "-$pid" 2> /dev/null || true
    fi
  done
  for _ in {1..100}; do
    running=0
    for pid in "${pids[@]}"; do
      if kill -0 -- "-$pid" 2> /dev/null; then running=1; fi
    done
    if [ "$running" = 0 ]; then break; fi
    sleep 0.1
  done
  if [ "${running:-0}" = 1 ]; then
    signal=KILL
    for pid in "${pids[@]}"; do kill -KILL -- "-$pid" 2> /dev/null || true; done
  fi
  for name in "$@"; do rm -f "$RUN/$name.pid"; done
  if [ "${#pids[@]}" -gt 0 ]; then say "stopped (${signal}) $*"; fi
}

stop_everything() {
  stop_wave "${LATE[@]}" "${EARLY[@]}"
  stop_wave "${INFRASTRUCTURE[@]}"
}

# Proportional set size of the daemons' process groups, in MB.
memory_of() {
  local name group total=0 file size
  for name in "$@"; do
    group=$(pid_of "$name") || continue
    for file in $(pgrep -g "$group" 2> /dev/null | sed 's#.*#/proc/&/smaps_rollup#'); do
      size=$(awk '/^Pss:/ {print $2}' "$file" 2> /dev/null || true)
      total=$((total + ${size:-0}))
    done
  done
  echo $((total / 1024))
}
