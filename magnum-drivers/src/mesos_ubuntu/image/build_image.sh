#!/bin/bash
# Builds the image for Mesos with diskimage-builder. ELEMENTS_PATH leads to the elements beside this file.
#   build_image.sh FILE
set -euo pipefail

(($# == 1)) || {
    printf 'usage: build_image.sh FILE\n' >&2
    exit 1
}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export ELEMENTS_PATH=${ELEMENTS_PATH:-$here} DIB_RELEASE=${DIB_RELEASE:-trusty}

disk-image-create -o "$1" ubuntu vm docker mesos
"$here/validate_image.sh" "$1"
printf 'Image file %s created...\n' "$1"
