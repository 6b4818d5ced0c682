# Certificates from the node endpoint. The node makes its key itself; it never leaves the node.

node_endpoint_url='__NODE_ENDPOINT_URL__'
node_endpoint_ca='__NODE_ENDPOINT_CA__'
node_credential='__NODE_CREDENTIAL__'

# Where a certificate authority is given, the endpoint is verified by it alone, and Heat, which may be behind
# the same one, by it and the system's.
use_endpoint_ca() {
    [[ -n $node_endpoint_ca ]] || return 0
    base64 --decode <<<"$node_endpoint_ca" >"$scratch/endpoint-ca.pem" ||
        fail 'the certificate authority of the node endpoint is not base64'
    cat -- /etc/ssl/certs/ca-certificates.crt "$scratch/endpoint-ca.pem" >"$scratch/roots.pem" 2>/dev/null || true
    signal_roots="$scratch/roots.pem"
}

# endpoint_answer FILE: what the endpoint says is wrong.
endpoint_answer() {
    sed -n 's/.*"error"[[:space:]]*:[[:space:]]*"\([^"]*\)".*/\1/p' "$1" 2>/dev/null | head -n 1
}

# ask_endpoint PATH ANSWER [CURL OPTION...]: the answer goes into a file. Tries again for some minutes while the
# endpoint cannot be reached or says that it is too early.
ask_endpoint() {
    local path=$1 answer=$2 attempt status reason='' code
    shift 2
    for ((attempt = 1; attempt <= 24; attempt++)); do
        : >"$answer"
        code=0
        status=$(
            {
                curl_option url "$node_endpoint_url$path"
                curl_option header "Authorization: Bearer $node_credential"
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

# certificate_fits KEY CERTIFICATE CA ADDRESS...: whether all three belong together and to these addresses.
certificate_fits() {
    local key=$1 certificate=$2 ca=$3 address
    shift 3
    [[ -s $key && -s $certificate && -s $ca ]] || return 1
    openssl verify -CAfile "$ca" "$certificate" >/dev/null 2>&1 || return 1
    [[ $(openssl pkey -in "$key" -pubout) == "$(openssl x509 -in "$certificate" -noout -pubkey)" ]] || return 1
    for address in "$@"; do
        [[ $(openssl x509 -in "$certificate" -noout -checkip "$address") == *'does match'* ]] || return 1
    done
}

# fetch_certificates KEY CERTIFICATE CA ADDRESS...: puts the three files in place unless they fit already.
fetch_certificates() {
    local key=$1 certificate=$2 ca=$3 address names=''
    shift 3
    if certificate_fits "$key" "$certificate" "$ca" "$@"; then
        return 0
    fi
    ask_endpoint /ca "$scratch/ca.pem"
    openssl x509 -in "$scratch/ca.pem" -noout 2>/dev/null ||
        fail 'the node endpoint sent something else than a certificate authority'

    for address in "$@"; do
        names=${names:+$names,}IP:$address
    done
    cat >"$scratch/request.conf" <<REQUEST
[req]
prompt = no
distinguished_name = subject
req_extensions = extensions
[subject]
CN = $1
[extensions]
subjectAltName = $names
extendedKeyUsage = serverAuth
REQUEST
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:named_curve \
        -out "$scratch/key.pem" 2>"$scratch/openssl-error" || fail "openssl made no key"
    openssl req -new -sha256 -config "$scratch/request.conf" -key "$scratch/key.pem" -out "$scratch/request.pem"
    ask_endpoint /certificates "$scratch/certificate.pem" \
        --header 'Content-Type: application/x-pem-file' --data-binary "@$scratch/request.pem"
    certificate_fits "$scratch/key.pem" "$scratch/certificate.pem" "$scratch/ca.pem" "$@" ||
        fail 'the node endpoint sent a certificate that does not fit the key, the authority or the addresses'

    put_file 600 "$key" <"$scratch/key.pem"
    put_file 644 "$certificate" <"$scratch/certificate.pem"
    put_file 644 "$ca" <"$scratch/ca.pem"
}
