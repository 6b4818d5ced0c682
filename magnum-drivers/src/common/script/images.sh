# Programs that come in container images.

# image NAME:TAG PLACE: where an image is pulled from.
image() {
    if [[ -n $insecure_registry ]]; then
        printf '%s/google_containers/%s' "$insecure_registry" "$1"
    else
        printf '%s/%s' "$2" "$1"
    fi
}

# pull_image IMAGE: tries again for some minutes.
pull_image() {
    local attempt
    for ((attempt = 1; ; attempt++)); do
        docker pull "$1" >"$scratch/pull" 2>&1 && break
        ((attempt < 20)) || fail "docker pull $1: $(tail -n 1 -- "$scratch/pull")"
        sleep $((attempt < 6 ? attempt * 2 : 15))
    done
}

# take_programs IMAGE PATH DESTINATION...: copies programs out of an image, unless they are there.
take_programs() {
    local image=$1 mark container
    shift
    mark=${image##*/}
    mark=$state/from-${mark%:*}
    [[ ! -e $mark || $(<"$mark") != "$image" ]] || return 0
    pull_image "$image"
    container=$(docker create "$image" none)
    while (($# > 0)); do
        docker cp "$container:$1" "$2"
        shift 2
    done
    docker rm "$container" >/dev/null
    put_file 600 "$mark" <<<"$image"
}
