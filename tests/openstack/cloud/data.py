#!/usr/bin/python3
"""data.py identity|resources STATE - what the cloud holds before any test.

Repeating it adds what is missing. The service users and the catalog come
from the environment, because the files in services/ name them.
"""
import os
import pathlib
import subprocess
import sys

import api

STATE = pathlib.Path(sys.argv[2])
PASSWORD = api.password(STATE)
ROLES = ('service', 'creator', 'observer', 'audit', 'heat_stack_owner',
         'heat_stack_user', 'key-manager:service-admin',
         'load-balancer_member', 'load-balancer_admin')
IMAGES = {'ubuntu': 'ubuntu', 'fedora-atomic': 'fedora-atomic',
          'fedora-coreos': 'fedora-coreos', 'coreos': 'coreos',
          'fedora': 'fedora', 'ubuntu-mesos': 'ubuntu', 'no-distro': None}
FLAVORS = {'m1.tiny': (512, 1, 1), 'm1.small': (2048, 1, 20),
           'm1.medium': (4096, 2, 40)}


def identity():
    admin = api.connect('admin', STATE)

    def named(kind, query=''):
        found = admin.get('identity', '/%s%s' % (kind, query))[kind]
        return {thing.get('name'): thing['id'] for thing in found}

    def create(kind, **body):
        one = kind[:-1]
        return admin.post('identity', '/' + kind, {one: body})[one]['id']

    def ensure(kind, names, query='', **body):
        have = named(kind, query)
        return {name: have.get(name) or create(kind, name=name, **body)
                for name in names}

    domains = ensure('domains', ('heat', 'magnum'))
    default = named('domains')['Default']
    ensure('roles', ROLES)
    roles = named('roles')
    projects = ensure('projects', ('admin', 'service', 'demo', 'other'),
                      '?domain_id=' + default, domain_id=default)

    def ensure_user(name, domain):
        have = named('users', '?domain_id=%s&name=%s' % (domain, name))
        return have.get(name) or create(
            'users', name=name, domain_id=domain, password=PASSWORD)

    def grant(where, user, *names):
        for name in names:
            admin.call('PUT', 'identity', '/%s/users/%s/roles/%s' % (
                where, user, roles[name]))

    service = 'projects/' + projects['service']
    for name in os.environ['MAGNUM_CLOUD_SERVICE_USERS'].split():
        grant(service, ensure_user(name, default), 'admin', 'service')
    # Magnum needs no more than this of the cloud it runs on: it validates
    # tokens and keeps secrets.
    grant(service, ensure_user('magnum', default), 'service', 'creator',
          'member')
    for name in ('demo', 'other'):
        grant('projects/' + projects[name], ensure_user(name, default),
              *api.USER_ROLES)
    for name in ('admin', 'demo', 'other'):
        grant('projects/' + projects[name], ensure_user('admin', default),
              'admin')
    for domain, user in (('heat', 'heat_domain_admin'),
                         ('magnum', 'magnum_domain_admin')):
        grant('domains/' + domains[domain],
              ensure_user(user, domains[domain]), 'admin')

    services = {s['type']: s['id']
                for s in admin.get('identity', '/services')['services']}
    have = {(e['service_id'], e['interface'])
            for e in admin.get('identity', '/endpoints')['endpoints']}
    for line in os.environ['MAGNUM_CLOUD_ENDPOINTS'].splitlines():
        name, kind, url = line.split()
        service_id = services.get(kind) or create(
            'services', name=name, type=kind)
        for interface in ('public', 'internal', 'admin'):
            if (service_id, interface) not in have:
                create('endpoints', service_id=service_id, url=url,
                       interface=interface, region_id='RegionOne')


def resources():
    admin = api.connect('admin', STATE)
    have = {i['name'] for i in admin.get('image', '/v2/images')['images']}
    for name, distro in IMAGES.items():
        if name not in have:
            body = {'name': name, 'container_format': 'bare',
                    'disk_format': 'raw', 'visibility': 'public'}
            if distro:
                body['os_distro'] = distro
            image = admin.post('image', '/v2/images', body)['id']
            admin.call('PUT', 'image', '/v2/images/%s/file' % image,
                       b'\0' * 1024,
                       {'Content-Type': 'application/octet-stream'})
    flavors = admin.get('compute', '/flavors')['flavors']
    for name, (ram, vcpus, disk) in FLAVORS.items():
        if name not in {f['name'] for f in flavors}:
            admin.post('compute', '/flavors', {'flavor': {
                'name': name, 'ram': ram, 'vcpus': vcpus, 'disk': disk}})
    found = admin.get('network', '/v2.0/networks?name=public')['networks']
    public = found[0] if found else admin.post(
        'network', '/v2.0/networks', {'network': {
            'name': 'public', 'router:external': True,
            'provider:network_type': 'flat',
            'provider:physical_network': 'public'}})['network']
    if not public['subnets']:
        # Loopback addresses: what connects to a floating IP stays on this
        # machine. Neutron allows them while DHCP is off.
        admin.post('network', '/v2.0/subnets', {'subnet': {
            'name': 'public-subnet', 'network_id': public['id'],
            'ip_version': 4, 'cidr': '127.77.0.0/16', 'enable_dhcp': False,
            'gateway_ip': '127.77.0.1', 'allocation_pools': [
                {'start': '127.77.1.0', 'end': '127.77.255.250'}]}})
    key = STATE / 'testkey'
    if not key.exists():
        subprocess.run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '',
                        '-C', 'testkey', '-f', key], check=True)
    public_key = key.with_suffix('.pub').read_text().strip()
    for entry in ('demo', 'other'):
        user = api.connect(entry, STATE)
        pairs = user.get('compute', '/os-keypairs')['keypairs']
        if 'testkey' not in {p['keypair']['name'] for p in pairs}:
            user.post('compute', '/os-keypairs', {'keypair': {
                'name': 'testkey', 'public_key': public_key}})


def clouds_yaml():
    lines = ['clouds:']
    for entry, (user, scope, domain) in api.LOGINS.items():
        lines += ['  %s:' % entry,
                  '    auth_type: password',
                  '    auth:',
                  '      auth_url: ' + api.AUTH_URL,
                  '      username: ' + user,
                  '      password: "%s"' % PASSWORD,
                  '      user_domain_name: ' + domain]
        if 'project' in scope:
            lines += ['      project_name: ' + scope['project']['name'],
                      '      project_domain_name: Default']
        else:
            lines += ['      domain_name: ' + scope['domain']['name']]
        lines += ['    region_name: RegionOne',
                  '    identity_api_version: "3"',
                  '    interface: public']
    path = STATE / 'clouds.yaml'
    path.touch(mode=0o600)
    path.write_text('\n'.join(lines) + '\n')


if __name__ == '__main__':
    {'identity': identity, 'resources': resources}[sys.argv[1]]()
    clouds_yaml()
