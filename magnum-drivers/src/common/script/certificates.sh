# Certificates from the node endpoint. The node makes its keys itself; they never leave the node.

node_endpoint_url='__NODE_ENDPOINT_URL__'
node_endpoint_ca='__NODE_ENDPOINT_CA__'
node_credential='__NODE_CREDENTIAL__'
# What this server shows instead, once it has it.
token_file=/var/lib/magnum/token
# 1 to get all anew.
renewing=0
# What the server is called, where certificates say so.
: "${node_name:=}"

# Where a certificate authority is given, the endpoint is verified by it alone, and Heat, which may be behind
# the same one, by it and the system's.
use_endpoint_ca() {
    [[ -n $node_endpoint_ca ]] || return 0
    base64 --decode <<<"$node_endpoint_ca" >"$scratch/endpoint-ca.pem" ||
        fail 'the certificate authority of the node endpoint is not base64'
    # Debian's place of the system's, then Fedora's.
    cat -- /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt "$scratch/endpoint-ca.pem" \
        >"$scratch/roots.pem" 2>/dev/null || true
    signal_roots="$scratch/roots.pem"
}

# endpoint_answer FILE: what the endpoint says is wrong.
endpoint_answer() {
    sed -n 's/.*"error"[[:space:]]*:[[:space:]]*"\([^"]*\)".*/\1/p' "$1" 2>/dev/null | head -n 1
}

# ask_endpoint PATH ANSWER [CURL OPTION...]: the answer goes into a file. Tries again for some minutes while the
# endpoint cannot be reached or says that it is too early.
ask_endpoint() {
    local path=$1 answer=$2 attempt status reason='' code secret=$node_credential
    shift 2
    [[ ! -s $token_file ]] || secret=$(<"$token_file")
    for ((attempt = 1; attempt <= 24; attempt++)); do
        : >"$answer"
        code=0
        status=$(
            {
                curl_option url "$node_endpoint_url$path"
                curl_option header "Authorization: Bearer $secret"
                [[ -z $node_endpoint_ca ]] || curl_option cacert "$scratch/endpoint-ca.pem"
            } | curl --config - --silent --show-error --proto '=https,http' --connect-timeout 15 --max-time 60 \
                --output "$answer" --write-out '%{http_code}' "$@" 2>"$scratch/curl-error"
        ) || code=$?
        if ((code != 0)); then
            reason="the node endpoint cannot be reached: $(head -n 1 -- "$scratch/curl-error")"
        elif [[ $status == 200 ]]; then
            return 0
        else
            reason="the node endpoint answered $status: $(endpoint_answer "$answer")"
            if [[ $status == 401 && $secret != "$node_credential" ]]; then
                # The token has expired. While servers of the cluster are being changed the credential works again.
                secret=$node_credential
                continue
            fi
            case $status in
                408 | 425 | 429 | 5??) ;;
                *) fail "$reason" ;;
            esac
        fi
        printf 'magnum: %s\n' "$reason" >&2
        sleep $((attempt < 5 ? attempt * 2 : 12))
    done
    fail "$reason"
}

# has_names CERTIFICATE NAME...: whether a certificate is good for these addresses and host names.
has_names() {
    local certificate=$1 name check
    shift
    for name in "$@"; do
        check=-checkhost
        [[ $name == *[!0-9.]* ]] || check=-checkip
        [[ $(openssl x509 -in "$certificate" -noout "$check" "$name") == *'does match'* ]] || return 1
    done
}

# certificate_fits KEY CERTIFICATE CA NAME...: whether all three belong together and to these names.
certificate_fits() {
    local key=$1 certificate=$2 ca=$3
    shift 3
    [[ -s $key && -s $certificate && -s $ca ]] || return 1
    openssl verify -CAfile "$ca" "$certificate" >/dev/null 2>&1 || return 1
    [[ $(openssl pkey -in "$key" -pubout) == "$(openssl x509 -in "$certificate" -noout -pubkey)" ]] || return 1
    has_names "$certificate" "$@"
}

# fetch_authority PATH FILE: puts the certificate of one of the cluster's authorities in place.
fetch_authority() {
    if ((!renewing)) && [[ -s $2 ]] && openssl x509 -in "$2" -noout -checkend 0 >/dev/null 2>&1; then
        return 0
    fi
    ask_endpoint "$1" "$scratch/ca.pem"
    openssl x509 -in "$scratch/ca.pem" -noout 2>/dev/null ||
        fail 'the node endpoint sent something else than a certificate authority'
    put_file 644 "$2" <"$scratch/ca.pem"
}

# fetch_certificate PURPOSE KEY CERTIFICATE CA NAME...: puts a key and a certificate for it in place, unless they fit
# already. Subject and usages are the endpoint's to say; a mere client has no names.
fetch_certificate() {
    local purpose=$1 key=$2 certificate=$3 ca=$4 name names='' kind
    shift 4
    if ((!renewing)) && certificate_fits "$key" "$certificate" "$ca" "$@"; then
        return 0
    fi
    for name in "$@"; do
        kind=DNS
        [[ $name == *[!0-9.]* ]] || kind=IP
        names=${names:+$names,}$kind:$name
    done
    {
        printf '[req]\nprompt = no\ndistinguished_name = subject\n'
        [[ -z $names ]] || printf 'req_extensions = extensions\n'
        printf '[subject]\nCN = node\n'
        [[ -z $names ]] || printf '[extensions]\nsubjectAltName = %s\n' "$names"
    } >"$scratch/request.conf"
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:named_curve \
        -out "$scratch/key.pem" 2>"$scratch/openssl-error" || fail "openssl made no key"
    openssl req -new -sha256 -config "$scratch/request.conf" -key "$scratch/key.pem" -out "$scratch/request.pem"
    ask_endpoint "/certificates/$purpose?name=$node_name" "$scratch/certificate.pem" \
        --header 'Content-Type: application/x-pem-file' --data-binary "@$scratch/request.pem"
    certificate_fits "$scratch/key.pem" "$scratch/certificate.pem" "$ca" "$@" ||
        fail "the node endpoint sent a certificate ($purpose) that does not fit the key, the authority or the names"

    put_file 600 "$key" <"$scratch/key.pem"
    put_file 644 "$certificate" <"$scratch/certificate.pem"
}

# fetch_shared_key NAME FILE: puts a private key in place that all nodes of this kind have.
fetch_shared_key() {
    [[ ! -s $2 ]] || return 0
    ask_endpoint "/keys/$1" "$scratch/shared.pem"
    openssl pkey -in "$scratch/shared.pem" -noout 2>/dev/null ||
        fail 'the node endpoint sent something else than a private key'
    put_file 600 "$2" <"$scratch/shared.pem"
}
