#!/usr/bin/python3
"""tokens.py STATE NAME [SECONDS] - print a token for an entry of clouds.yaml.

With SECONDS, one that expires so soon. Keystone offers no such thing to a
client, but a Fernet token carries its own expiry and the signing keys are in
the state directory: the issued token is opened, its expiry moved, and it is
sealed again.
"""
import pathlib
import sys
import time

import api


def expiring(token, state, seconds):
    import msgpack
    from cryptography.fernet import Fernet, MultiFernet
    directory = pathlib.Path(state, 'keystone', 'tokens')
    names = sorted((p.name for p in directory.iterdir() if p.name.isdigit()),
                   key=int, reverse=True)   # the highest signs
    keys = MultiFernet([Fernet((directory / name).read_bytes())
                        for name in names])
    # Keystone cuts the padding, which base64 wants back.
    payload = msgpack.unpackb(
        keys.decrypt((token + '=' * (-len(token) % 4)).encode()), raw=True)
    # The fields differ with the kind of token; only the expiry is a float.
    payload = [time.time() + seconds if isinstance(field, float) else field
               for field in payload]
    sealed = keys.encrypt(msgpack.packb(payload, use_bin_type=True))
    return sealed.decode().rstrip('=')


if __name__ == '__main__':
    state, entry = sys.argv[1:3]
    if entry not in api.LOGINS:
        sys.exit('one of: ' + ' '.join(api.LOGINS))
    token = api.connect(entry, state).token
    if len(sys.argv) > 3:
        token = expiring(token, state, float(sys.argv[3]))
    print(token)
