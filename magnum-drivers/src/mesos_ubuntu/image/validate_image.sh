#!/bin/bash
# Checks that a file is a sound image of the size that an Ubuntu with Mesos has.
#   validate_image.sh FILE
set -euo pipefail

readonly least=681574400

fail() {
    printf 'validate_image.sh: %s\n' "$1" >&2
    exit 1
}

(($# == 1)) || fail 'usage: validate_image.sh FILE'
image=$1
[[ -f $image ]] || fail "$image is not a file"
qemu-img check -q "$image" || fail "$image is damaged"
size=$(stat --format %s -- "$image")
((size >= least)) || fail "$image has $size bytes, too few for an image with Mesos: $least at least"
printf '%s is sound\n' "$image"
