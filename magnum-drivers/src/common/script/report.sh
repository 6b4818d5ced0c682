# What this script is doing, and how it tells Heat how that ended.

set -Eeuo pipefail
umask 077
export LC_ALL=C
export PATH="${PATH:-/usr/bin:/bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

current_step='start'
failure=''
scratch=''

step() {
    current_step=$1
    printf 'magnum: %s\n' "$current_step" >&2
}

fail() {
    failure=$1
    exit 1
}

# A string as the inside of a JSON string: printable ASCII, at most 400 characters.
json_text() {
    local text=${1:0:400}
    text=${text//[^[:print:]]/ }
    text=${text//\\/\\\\}
    printf '%s' "${text//\"/\\\"}"
}

# One option of a curl configuration file.
curl_option() {
    local value=${2//\\/\\\\}
    printf '%s "%s"\n' "$1" "${value//\"/\\\"}"
}

# Turns the arguments of a curl command into a curl configuration, so that the token among them
# travels through a pipe and never shows in a list of processes.
curl_arguments() {
    while (($# > 0)); do
        case $1 in
            -H | -X | --header | --request)
                curl_option "$1" "$2"
                shift 2
                ;;
            -*)
                printf '%s\n' "$1"
                shift
                ;;
            *)
                curl_option url "$1"
                shift
                ;;
        esac
    done
}

# Heat writes the command by which to signal here.
wait_handle_request() (
    # shellcheck disable=SC2317
    curl() { curl_arguments "$@"; }
    __WAIT_CURL_CLI__
)

# report STATUS REASON [DATA]
report() {
    local body attempt
    body=$(printf '{"status": "%s", "reason": "%s", "data": "%s", "id": "node"}' \
        "$1" "$(json_text "$2")" "$(json_text "${3:-}")")
    for attempt in 1 2 3 4 5; do
        if {
            wait_handle_request
            curl_option data-binary "$body"
        } | curl --config - --silent --show-error --fail --max-time 30 --output /dev/null \
            ${signal_roots:+--cacert "$signal_roots"}; then
            return 0
        fi
        sleep "$attempt"
    done
    printf 'magnum: Heat could not be told: %s %s\n' "$1" "$2" >&2
    return 1
}

# report_once REASON DATA: the stack waits for it at the first boot only.
report_once() {
    [[ ! -e $reported ]] || return 0
    report SUCCESS "$1" "$2"
    put_file 600 "$reported" <<<"$1"
}

on_exit() {
    local status=$?
    trap - EXIT ERR
    set +e
    if ((status != 0)); then
        printf 'magnum: %s failed: %s\n' "$current_step" "${failure:-exit status $status}" >&2
        [[ -n $reported && -e $reported ]] || report FAILURE "$current_step: ${failure:-exit status $status}"
    fi
    [[ -z $scratch ]] || rm -rf -- "$scratch"
    exit "$status"
}

signal_roots=''
# Once this file is there the stack has heard of this server, and waits no more: later failures are for the journal.
reported=''
trap 'failure=${failure:-"$BASH_COMMAND ended with exit status $?"}' ERR
trap on_exit EXIT
trap 'fail "stopped by a signal"' HUP INT TERM
scratch=$(mktemp -d)
