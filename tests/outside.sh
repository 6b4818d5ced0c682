#!/bin/bash
# Does what docs/writing-a-driver.md says, in a crate of its own outside of this workspace: takes its files from the page, counts
# the driver's lines, and runs its test.
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
crate=$(mktemp -d)
trap 'rm -rf -- "$crate"' EXIT

python3 - "$here" "$crate" <<'PYTHON'
import pathlib
import re
import sys

here, crate = (pathlib.Path(path) for path in sys.argv[1:])
page = (here / 'docs/writing-a-driver.md').read_text()
found = re.findall(r'^`([\w./-]+)`:\n\n```\w+\n(.*?)^```$', page, re.M | re.S)
assert [name for name, _ in found] == [
    'Cargo.toml', 'templates/node.yaml', 'templates/cluster.yaml', 'src/lib.rs', 'tests/kit.rs'], found
for name, text in found:
    path = crate / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.replace('/path/to/openstack-magnum', str(here)))
lines = [line for line in dict(found)['src/lib.rs'].splitlines() if line.strip()]
print('the driver has %d lines' % len(lines))
assert len(lines) < 60, 'the page promises less than 60'
PYTHON
cp "$here/Cargo.lock" "$crate/Cargo.lock"
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$here/target}
cd "$crate"
cargo test --quiet -- --nocapture
