# Flannel, the network of the containers.

# has_network: whether flannel has made this server's part of the network, or else what it says last.
has_network() {
    [[ -s /run/flannel/subnet.env ]] || {
        journalctl --unit=flanneld.service --lines=1 --output=cat --no-pager
        return 1
    }
}
