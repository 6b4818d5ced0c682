# Proxies for this script, for login shells and for a systemd service.

proxy_for_http='__HTTP_PROXY__'
proxy_for_https='__HTTPS_PROXY__'
without_proxy='__NO_PROXY__'

# use_proxies ADDRESS...: the node's own addresses are reached directly.
use_proxies() {
    [[ -n $proxy_for_http$proxy_for_https ]] || return 0
    local address
    for address in localhost 127.0.0.1 169.254.169.254 "$@"; do
        without_proxy=${without_proxy:+$without_proxy,}$address
    done
    export no_proxy=$without_proxy NO_PROXY=$without_proxy
    if [[ -n $proxy_for_http ]]; then
        export http_proxy=$proxy_for_http HTTP_PROXY=$proxy_for_http
    fi
    if [[ -n $proxy_for_https ]]; then
        export https_proxy=$proxy_for_https HTTPS_PROXY=$proxy_for_https
    fi
}

# proxy_environment: the proxies for whoever logs in. A proxy's URL with a password in it is for root only.
proxy_environment() {
    [[ -n $proxy_for_http$proxy_for_https ]] || return 0
    local mode=644 name
    [[ $proxy_for_http$proxy_for_https != *@* ]] || mode=600
    for name in http_proxy https_proxy no_proxy; do
        [[ -z ${!name:-} ]] || printf "export %s='%s' %s='%s'\n" "$name" "${!name}" "${name^^}" "${!name}"
    done >"$scratch/proxy-environment"
    put_directory 755 /etc/profile.d
    put_file "$mode" /etc/profile.d/magnum-proxy.sh <"$scratch/proxy-environment"
}

# proxy_drop_in SERVICE: the proxies in the environment of a systemd service, where a percent sign is doubled.
proxy_drop_in() {
    [[ -n $proxy_for_http$proxy_for_https ]] || return 0
    {
        printf '[Service]\n'
        [[ -z $proxy_for_http ]] || printf 'Environment="HTTP_PROXY=%s"\n' "${proxy_for_http//%/%%}"
        [[ -z $proxy_for_https ]] || printf 'Environment="HTTPS_PROXY=%s"\n' "${proxy_for_https//%/%%}"
        printf 'Environment="NO_PROXY=%s"\n' "${without_proxy//%/%%}"
    } >"$scratch/service-proxy"
    put_directory 755 "/etc/systemd/system/$1.d"
    put_file 600 "/etc/systemd/system/$1.d/magnum-proxy.conf" <"$scratch/service-proxy"
}
