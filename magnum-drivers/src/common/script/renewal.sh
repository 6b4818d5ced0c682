# Renewal: every few minutes a timer has this server ask whether there is something new to trust or to hold, and take it
# into use. It says when that is done: whoever changes the cluster's authorities waits for it. A script says what there is
# to get (get_certificates), where it lies (places), and how it is taken into use (take_certificates).

# ask_version: of what this server is to have. It is another one, too, when certificates grow old.
ask_version() {
    ask_endpoint /certificates "$scratch/version"
    version=$(<"$scratch/version")
}

# introduce_node: gets a token, which only root can read: what is in the user data works only while servers are made.
introduce_node() {
    ask_endpoint /token "$scratch/token" --data-binary ''
    put_file 600 "$token_file" <"$scratch/token"
}

# held_sum: one sum over all that lies there.
held_sum() {
    find "${places[@]}" -type f ! -name '*.new' -exec sha256sum {} + | sort | sha256sum
}

# tell_taken: that this server has, and uses, what it asked for.
tell_taken() {
    version=${version%% *}
    ask_endpoint /certificates "$scratch/told" --request PUT --data-binary "$version"
    put_file 600 "$state/taken" <<<"$version $(held_sum)"
}

# first_certificates: before anything reads them.
first_certificates() {
    step 'get certificates'
    if [[ -e $state/taken ]]; then
        get_certificates
    else
        ask_version
        get_certificates
        introduce_node
        tell_taken
    fi
    put_file 644 /etc/systemd/system/magnum-renewal.service <<UNIT
[Service]
Type=oneshot
Environment=HOME=/root
ExecStart=/bin/bash $node_program renew
UNIT
    put_file 644 /etc/systemd/system/magnum-renewal.timer <<'UNIT'
[Timer]
OnBootSec=5min
OnUnitInactiveSec=5min
RandomizedDelaySec=30
[Install]
WantedBy=timers.target
UNIT
    systemctl --quiet enable --now magnum-renewal.timer
}

# renew: what the timer calls.
renew() {
    # At the first boot nothing reads them yet.
    [[ -e $reported ]] || return 0
    step 'renew certificates'
    [[ -s $token_file && -z $(find "$token_file" -mtime +6) ]] || introduce_node
    local turns=9
    ask_version
    # Masters take turns. The next run goes on waiting.
    while [[ $version == *wait ]]; do
        ((--turns)) || return 0
        sleep 30
        ask_version
    done
    SECONDS=0
    held="$version $(held_sum)"
    [[ $held != "$(<"$state/taken")" ]] || return 0
    # What is in use already could only not be told.
    if [[ $held != "$(cat -- "$state/used" 2>/dev/null)" ]]; then
        renewing=1
        get_certificates
        changed=1
        # What is told to use new certificates must have ended before that is told.
        export no_block=
        take_certificates
        put_file 600 "$state/used" <<<"${version%% *} $(held_sum)"
    fi
    tell_taken
}
