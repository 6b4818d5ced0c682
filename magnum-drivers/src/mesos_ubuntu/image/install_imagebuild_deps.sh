#!/bin/bash
# Installs what building the image needs on a Debian or Ubuntu host. As root.
set -euo pipefail

apt-get update
DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
    ca-certificates curl debootstrap gdisk git kpartx parted python3-pip python3-venv qemu-utils squashfs-tools sudo uuid-runtime xfsprogs
