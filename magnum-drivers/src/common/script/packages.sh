# Packages of the distribution's archive.

package_installed() {
    [[ $(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

apt() {
    DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=a apt-get --assume-yes --quiet \
        -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 \
        -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"
}

# apt_proxies: a proxy's URL may hold a password, so they are for root only.
apt_proxies() {
    [[ -n $proxy_for_http$proxy_for_https ]] || return 0
    put_directory 755 /etc/apt/apt.conf.d
    {
        [[ -z $proxy_for_http ]] || printf 'Acquire::http::Proxy "%s";\n' "$proxy_for_http"
        [[ -z $proxy_for_https ]] || printf 'Acquire::https::Proxy "%s";\n' "$proxy_for_https"
    } >"$scratch/apt-proxy"
    put_file 600 /etc/apt/apt.conf.d/95-magnum-proxy <"$scratch/apt-proxy"
}

# install_packages NAME...: those that are missing. Other programs use apt while a server boots, hence the
# attempts.
install_packages() {
    local name attempt log="$scratch/apt.log"
    local -a missing=()
    for name in "$@"; do
        package_installed "$name" || missing+=("$name")
    done
    ((${#missing[@]} > 0)) || return 0
    for attempt in 1 2 3 4; do
        if { apt update && apt install "${missing[@]}"; } >"$log" 2>&1; then
            cat -- "$log"
            return 0
        fi
        cat -- "$log"
        ((attempt == 4)) || sleep $((attempt * 3))
    done
    fail "apt-get could not install ${missing[*]}: $(grep '^E:' -- "$log" | tail -n 1 || true)"
}
