#!/usr/bin/python3
"""boot.py DIRECTORY - one node's first boot: what cloud-init would do.

Runs as the first process of fresh mount and process namespaces. The node's
root is an overlay of the machine's own /, so that its scripts find the usual
tools and write where they like; what they write is DIRECTORY/root/.
"""
import base64
import email
import gzip
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time

import yaml

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import units  # noqa: E402

DIRECTORY = pathlib.Path(sys.argv[1])
SERVER = json.loads((DIRECTORY / 'server.json').read_text())
SCRIPTS = pathlib.Path('/var/lib/cloud/instance/scripts')
# Of these the node has its own, empty at first.
PRIVATE = ['/tmp', '/var/tmp', '/run', '/root', '/home', '/var/log',
           '/etc/systemd/system']
DEVICES = {'null': (1, 3), 'zero': (1, 5), 'full': (1, 7), 'random': (1, 8),
           'urandom': (1, 9)}
# Nothing that reaches past the namespaces: not the machine's network, clock,
# modules or devices.
DROPPED = ','.join('-' + c for c in (
    'sys_admin', 'sys_module', 'sys_boot', 'sys_time', 'sys_rawio', 'mknod',
    'net_admin', 'sys_ptrace', 'syslog', 'mac_admin', 'linux_immutable'))
CONFINED = ['setpriv', '--bounding-set=' + DROPPED, '--inh-caps=' + DROPPED]
ENVIRONMENT = {
    'HOME': '/root', 'USER': 'root', 'LANG': 'C.UTF-8', 'SHELL': '/bin/bash',
    'PATH': '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    'INSTANCE_ID': SERVER['id']}
BY_FIRST_LINE = (('#!', 'text/x-shellscript'),
                 ('#cloud-config', 'text/cloud-config'),
                 ('#cloud-boothook', 'text/cloud-boothook'),
                 ('#part-handler', 'text/part-handler'),
                 ('#include', 'text/x-include-url'))
UNTYPED = ('text/plain', 'text/x-not-multipart', 'application/octet-stream')
deadline = time.monotonic() + SERVER['timeout']
failures = []


def say(text):
    print('cloud-init: ' + text, flush=True)


def mount(*arguments):
    subprocess.run(['mount', *arguments], check=True)


def make_layer():
    """The file system layer over the machine's own in which the recorders
    stand: first in PATH, and in place of what is installed. A tmpfs, because
    overlayfs refuses a layer that lies inside another."""
    layer = DIRECTORY / 'layer'
    mount('-t', 'tmpfs', '-o', 'mode=755', 'layer', str(layer))
    (layer / 'usr/local/lib/node-record').mkdir(parents=True)
    for source, name in (('recorder', 'lib/node-recorder'),
                         ('units.py', 'lib/node-units'),
                         ('curl', 'sbin/curl')):
        (layer / 'usr/local' / name).parent.mkdir(exist_ok=True)
        shutil.copy(HERE / source, layer / 'usr/local' / name)
        (layer / 'usr/local' / name).chmod(0o755)
    for command in (HERE / 'recorded').read_text().split():
        for place in ('/usr/local/sbin', '/usr/bin', '/usr/sbin',
                      '/usr/local/bin'):
            path = os.path.join(place, command)
            if (place in ('/usr/local/sbin', '/usr/bin')
                    or os.path.lexists(path)):
                link = layer / path.lstrip('/')
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to('/usr/local/lib/node-recorder')
    return layer


def make_root():
    upper, root = DIRECTORY / 'root', DIRECTORY / 'mount'
    layer = make_layer()
    for path in PRIVATE + SERVER['hidden']:
        if os.path.isdir(path):
            # An opaque directory hides what is below it.
            place = upper / path.lstrip('/')
            place.mkdir(parents=True, exist_ok=True)
            status = os.stat(path)
            place.chmod(status.st_mode & 0o7777)
            os.setxattr(place, 'trusted.overlay.opaque', b'y')
    mount('-t', 'overlay', 'node', '-o', 'lowerdir=%s:/,upperdir=%s,workdir=%s'
          % (layer, upper, DIRECTORY / 'work'), str(root))
    mount('-t', 'proc', 'proc', str(root / 'proc'))
    for path in (root / 'proc/sys', root / 'proc/sysrq-trigger'):
        if path.exists():
            mount('--bind', str(path), str(path))
            mount('-o', 'remount,bind,ro', str(path))
    mount('-t', 'sysfs', '-o', 'ro', 'sysfs', str(root / 'sys'))
    dev = root / 'dev'
    mount('-t', 'tmpfs', '-o', 'mode=755', 'dev', str(dev))
    for name, (major, minor) in DEVICES.items():
        os.mknod(dev / name, 0o20666, os.makedev(major, minor))
        (dev / name).chmod(0o666)
    for name, target in (('fd', '/proc/self/fd'), ('stdin', 'fd/0'),
                         ('stdout', 'fd/1'), ('stderr', 'fd/2')):
        (dev / name).symlink_to(target)
    (dev / 'shm').mkdir(mode=0o1777)
    # `nodes` puts the volumes there as Nova reports them.
    (dev / 'disk').mkdir()
    mount('--bind', str(DIRECTORY / 'disk'), str(dev / 'disk'))
    mount('--bind', str(DIRECTORY / 'record'),
          str(root / 'usr/local/lib/node-record'))
    return root


def parts(data):
    """(number, type, file name, text) of each part, in order, nested ones
    flattened."""
    text = data.decode('utf-8', 'replace')
    if data[:2] == b'\x1f\x8b':
        text = gzip.decompress(data).decode('utf-8', 'replace')
    head = text.lstrip()[:2000].lower()
    if head.startswith(('content-type:', 'mime-version:', 'from ')):
        message = email.message_from_string(text.lstrip())
        leaves = [p for p in message.walk() if not p.is_multipart()]
    else:
        leaves = [text]
    for number, leaf in enumerate(leaves, 1):
        kind, name = 'text/plain', None
        if isinstance(leaf, str):
            body = leaf
        else:
            kind, name = leaf.get_content_type(), leaf.get_filename()
            body = leaf.get_payload(decode=True) or b''
            if body[:2] == b'\x1f\x8b':
                body = gzip.decompress(body)
            body = body.decode('utf-8', 'replace')
        if kind in UNTYPED:
            for start, found in BY_FIRST_LINE:
                if body.lstrip().startswith(start):
                    kind = found
                    break
        yield number, kind, name, body


def run(name, command):
    """One script, within what is left of the boot's time."""
    say('running %s' % name)
    process = subprocess.Popen(
        [*CONFINED, *command], env=ENVIRONMENT, cwd='/',
        stdin=subprocess.DEVNULL)
    try:
        status = process.wait(max(0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        say('%s took too long' % name)
        status = 124
    status = status if status >= 0 else 128 - status
    say('%s ended with %d' % (name, status))
    if status:
        failures.append(status)
    return status


def save(path, text, mode=0o700):
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    data = text if isinstance(text, bytes) else text.encode()
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
              'wb') as file:
        file.write(data)
    path.chmod(mode)


def write_file(entry):
    content = entry.get('content', '')
    content = content if isinstance(content, bytes) else str(content).encode()
    encoding = str(entry.get('encoding', '')).lower()
    if 'b64' in encoding or 'base64' in encoding:
        content = base64.b64decode(content)
    if encoding.startswith('gz'):
        content = gzip.decompress(content)
    mode = entry.get('permissions', 0o644)
    mode = mode if isinstance(mode, int) else int(str(mode), 8)
    path = entry['path']
    if entry.get('append') and os.path.exists(path):
        content = pathlib.Path(path).read_bytes() + content
    save(path, content, mode)
    if entry.get('owner'):
        subprocess.run(['chown', entry['owner'], path])


def commands(entries):
    """runcmd and bootcmd: a list is one command with its arguments, a string
    is a line of shell."""
    lines = ['#!/bin/sh']
    for entry in entries:
        if isinstance(entry, (list, tuple)):
            entry = ' '.join("'%s'" % str(word).replace("'", "'\\''")
                             for word in entry)
        lines.append(str(entry))
    return '\n'.join(lines) + '\n'


def merge(config, more):
    """cloud-init's own default is that a later part replaces a key. Heat's
    parts commonly say otherwise; lists are joined here."""
    for key, value in (more or {}).items():
        if isinstance(value, list) and isinstance(config.get(key), list):
            config[key] = config[key] + value
        else:
            config[key] = value


def boot(data):
    socket.sethostname(SERVER['name'][:63])
    save('/etc/hostname', SERVER['name'] + '\n', 0o644)
    save('/var/lib/cloud/data/instance-id', SERVER['id'] + '\n', 0o644)
    save('/var/lib/cloud/instance/user-data.txt', data, 0o600)
    save('/run/cloud-init/instance-data.json', json.dumps({'v1': {
        'instance_id': SERVER['id'], 'local_hostname': SERVER['name'],
        'cloud_name': 'openstack', 'platform': 'openstack'}, 'ds': {
            'meta_data': {'uuid': SERVER['id'], 'name': SERVER['name'],
                          'project_id': SERVER['project_id'],
                          'meta': SERVER['metadata'],
                          'addresses': SERVER['addresses']}}}), 0o644)
    config, scripts = {}, []
    for number, kind, name, body in parts(data):
        if kind == 'text/x-shellscript':
            path = SCRIPTS / (os.path.basename(name) if name
                              else 'part-%03d' % number)
            save(path, body)
            scripts.append(path)
        elif kind == 'text/cloud-config':
            try:
                loaded = yaml.safe_load(body)
            except yaml.YAMLError as error:
                say('part %d is not YAML: %s' % (number, error))
                failures.append(1)
                continue
            merge(config, loaded)
        elif kind == 'text/cloud-boothook':
            path = pathlib.Path('/var/lib/cloud/instance/boothooks/part-%03d'
                                % number)
            save(path, body)
            run(path.name, [path])
        elif body.strip():
            say('part %d, %s: ignored' % (number, kind))
    if config.get('bootcmd'):
        save('/var/lib/cloud/instance/bootcmd', commands(config['bootcmd']))
        run('bootcmd', ['/var/lib/cloud/instance/bootcmd'])
    for entry in config.get('write_files') or ():
        write_file(entry)
    if config.get('runcmd'):
        path = SCRIPTS / 'runcmd'
        save(path, commands(config['runcmd']))
        scripts.append(path)
    # cloud-init runs the directory's files by name, each whatever became of
    # the one before.
    for path in sorted(set(scripts)):
        if run(path.name, [path]) == 124 and time.monotonic() >= deadline:
            os.kill(-1, signal.SIGKILL)
            break
    say('finished')


def wait_for(oneshots):
    """A boot is over when what the scripts left to systemd is."""
    if not oneshots.ended(deadline):
        say('%s took too long' % ', '.join(oneshots.left()))
        failures.append(124)
        os.kill(-1, signal.SIGKILL)
    failures.extend(oneshots.failures)


def main():
    os.umask(0o022)
    data = (DIRECTORY / 'user-data').read_bytes()
    root = make_root()
    # Opened before the root changes: the directory is not in the new one.
    outside = os.open(DIRECTORY, os.O_RDONLY | os.O_DIRECTORY)
    os.chroot(root)
    os.chdir('/')
    oneshots = units.Units(CONFINED, {
        'LANG': 'C.UTF-8', 'PATH': ENVIRONMENT['PATH']}, say)
    try:
        boot(data)
        wait_for(oneshots)
    except Exception as error:   # a broken boot is a result too
        say('%s: %s' % (type(error).__name__, error))
        failures.append(1)
    # Whole at once, since a test polls for it.
    with open(os.open('exit.new', os.O_WRONLY | os.O_CREAT, 0o644,
                      dir_fd=outside), 'w') as file:
        file.write('%d\n' % (failures[0] if failures else 0))
    os.rename('exit.new', 'exit', src_dir_fd=outside, dst_dir_fd=outside)
    # What a script left running lives as long as the server, or as it wants.
    oneshots.reap()


if __name__ == '__main__':
    main()
