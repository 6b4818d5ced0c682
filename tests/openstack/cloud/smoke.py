#!/usr/bin/python3
"""smoke.py STATE - does the cloud do what its tests build on?

A cluster in small: a user makes a stack with a password token, the node
stand-in boots its server, the server's script signals; a trust to a user of
domain magnum updates and deletes it. The user and the project are the smoke
check's own, with demo's roles, so that other tests may run meanwhile. Prints
a line for each claim.
"""
import json
import pathlib
import subprocess
import sys
import time
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.dont_write_bytecode = True
import api     # noqa: E402
import tokens  # noqa: E402

STATE = sys.argv[1]
RUN = uuid.uuid4().hex[:8]
PROJECT = 'smoke-' + RUN
HEAT = 'orchestration'

SCRIPT = r"""#!/bin/bash -ex
mkdir -p /etc/smoke
install -m 600 /dev/null /etc/smoke/secret
hostname > /etc/smoke/name
failed() { $SIGNAL --data-binary '{"status": "FAILURE", "reason": "no package"}'; exit 1; }
apt-get install -y docker.io || failed
systemctl enable --now docker
systemctl is-active docker
docker info
cat > /etc/systemd/system/disk.service <<'UNIT'
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'until ls /dev/disk/by-id/virtio-*; do sleep 0.2; done > /etc/smoke/disk'
UNIT
systemctl start --no-block disk
$SIGNAL --data-binary '{"status": "SUCCESS", "data": "booted"}'
"""
TEMPLATE = {
    'heat_template_version': '2018-08-31',
    'parameters': {'name': {'type': 'string'}, 'rule': {
        'type': 'number', 'default': 22}},
    'resources': {
        'net': {'type': 'OS::Neutron::Net'},
        'subnet': {'type': 'OS::Neutron::Subnet', 'properties': {
            'network': {'get_resource': 'net'}, 'cidr': '10.0.0.0/24'}},
        'router': {'type': 'OS::Neutron::Router', 'properties': {
            'external_gateway_info': {'network': 'public'}}},
        'interface': {
            'type': 'OS::Neutron::RouterInterface', 'properties': {
                'router': {'get_resource': 'router'},
                'subnet': {'get_resource': 'subnet'}}},
        'group': {'type': 'OS::Neutron::SecurityGroup', 'properties': {
            'rules': [{'protocol': 'tcp',
                       'port_range_min': {'get_param': 'rule'},
                       'port_range_max': {'get_param': 'rule'}}]}},
        'port': {'type': 'OS::Neutron::Port', 'properties': {
            'network': {'get_resource': 'net'},
            'security_groups': [{'get_resource': 'group'}],
            'fixed_ips': [{'subnet': {'get_resource': 'subnet'}}]}},
        'address': {
            'type': 'OS::Neutron::FloatingIP', 'depends_on': 'interface',
            'properties': {'floating_network': 'public',
                           'port_id': {'get_resource': 'port'}}},
        'handle': {'type': 'OS::Heat::WaitConditionHandle'},
        'server': {'type': 'OS::Nova::Server', 'properties': {
            'name': {'get_param': 'name'}, 'image': 'ubuntu',
            'flavor': 'm1.small', 'key_name': 'testkey',
            'networks': [{'port': {'get_resource': 'port'}}],
            'user_data_format': 'RAW', 'user_data': {'str_replace': {
                'template': SCRIPT, 'params': {
                    '$SIGNAL': {'get_attr': ['handle', 'curl_cli']}}}}}},
        'volume': {'type': 'OS::Cinder::Volume', 'properties': {'size': 1}},
        'attachment': {
            'type': 'OS::Cinder::VolumeAttachment', 'properties': {
                'volume_id': {'get_resource': 'volume'},
                'instance_uuid': {'get_resource': 'server'}}},
        'balancer': {'type': 'OS::Octavia::LoadBalancer', 'properties': {
            'vip_subnet': {'get_resource': 'subnet'}}},
        'listener': {'type': 'OS::Octavia::Listener', 'properties': {
            'loadbalancer': {'get_resource': 'balancer'},
            'protocol': 'TCP', 'protocol_port': 6443}},
        'pool': {'type': 'OS::Octavia::Pool', 'properties': {
            'listener': {'get_resource': 'listener'},
            'lb_algorithm': 'ROUND_ROBIN', 'protocol': 'TCP'}},
        'monitor': {'type': 'OS::Octavia::HealthMonitor', 'properties': {
            'pool': {'get_resource': 'pool'}, 'type': 'TCP',
            'delay': 5, 'timeout': 5, 'max_retries': 5}},
        'member': {'type': 'OS::Octavia::PoolMember', 'properties': {
            'pool': {'get_resource': 'pool'},
            'subnet': {'get_resource': 'subnet'}, 'protocol_port': 6443,
            'address': {'get_attr': ['server', 'first_address']}}},
        'wait': {
            'type': 'OS::Heat::WaitCondition', 'depends_on': 'server',
            'properties': {'handle': {'get_resource': 'handle'},
                           'timeout': 60}}},
    'outputs': {
        'address': {'value': {
            'get_attr': ['address', 'floating_ip_address']}},
        'data': {'value': {'get_attr': ['wait', 'data']}},
        'server': {'value': {'get_resource': 'server'}},
        'volume': {'value': {'get_resource': 'volume'}},
        'balancer': {'value': {'get_attr': [
            'balancer', 'show', 'provisioning_status']}}}}


def check(condition, *what):
    if not condition:
        raise AssertionError(' '.join(str(w) for w in what))


def claim(text):
    print('%6.1fs  %s' % (time.monotonic() - START, text), flush=True)


def leftovers():
    """What is left of this run: all that its project holds, and what carries
    its name elsewhere."""
    out = subprocess.run(
        ['/usr/bin/python3', pathlib.Path(__file__).with_name('leftovers'),
         PROJECT], env={'MAGNUM_CLOUD_STATE': STATE}, check=True,
        capture_output=True)
    shared = ('magnum_users', 'heat_users', 'heat_projects',
              'service_secrets', 'service_containers')
    found = {kind: [t for t in things
                    if kind not in shared or RUN in t['name']]
             for kind, things in json.loads(out.stdout).items()}
    return {kind: things for kind, things in found.items() if things}


def newcomer(admin):
    """A project and a user of this run's own, and what removes them."""
    roles = {r['name']: r['id']
             for r in admin.get('identity', '/roles')['roles']}
    project = admin.post('identity', '/projects', {'project': {
        'name': PROJECT, 'domain_id': 'default'}})['project']['id']
    user = admin.post('identity', '/users', {'user': {
        'name': PROJECT, 'domain_id': 'default',
        'password': RUN}})['user']['id']
    for who, names in ((user, api.USER_ROLES),
                       (admin.user_id, ('admin',))):
        for name in names:
            admin.call('PUT', 'identity', '/projects/%s/users/%s/roles/%s' % (
                project, who, roles[name]))
    key = pathlib.Path(STATE, 'testkey.pub').read_text().strip()
    session = api.Session(PROJECT, RUN, api.project(PROJECT))
    session.post('compute', '/os-keypairs', {'keypair': {
        'name': 'testkey', 'public_key': key}})
    return session, ['/users/' + user, '/projects/' + project]


def create(session, name):
    return session.post(HEAT, '/stacks', {
        'stack_name': name, 'template': TEMPLATE, 'timeout_mins': 5,
        'parameters': {'name': name}})['stack']['id']


def ended(session, name, stack, seconds=120):
    """The stack when nothing goes on in it any more."""
    end = time.monotonic() + seconds
    while True:
        found = session.get(HEAT, '/stacks/%s/%s' % (name, stack))['stack']
        if not found['stack_status'].endswith('IN_PROGRESS'):
            return found
        check(time.monotonic() < end, name, 'is', found['stack_status'])
        time.sleep(0.5)


def discard(session, name, stack):
    session.raw('DELETE', HEAT, '/stacks/%s/%s' % (name, stack))
    return ended(session, name, stack)


def trusted(user, admin):
    """A trustee with a trust of the user, and its session."""
    domain = admin.info['user']['domain']['id']
    trustee = admin.post('identity', '/users', {'user': {
        'name': 'trustee-' + RUN, 'password': RUN, 'domain_id': domain}})
    trustee_id = trustee['user']['id']
    trust = user.post('identity', '/OS-TRUST/trusts', {'trust': {
        'trustor_user_id': user.user_id, 'trustee_user_id': trustee_id,
        'project_id': user.project_id, 'impersonation': True,
        'allow_redelegation': False, 'roles': [
            {'name': n} for n in api.USER_ROLES]}})
    return trustee_id, api.Session(
        {'id': trustee_id}, RUN,
        {'OS-TRUST:trust': {'id': trust['trust']['id']}})


def refused_tokens(user):
    stacks = user.endpoints[HEAT] + '/stacks'
    short = tokens.expiring(user.token, STATE, 2)
    check(api.request('GET', stacks, short).status == 200, 'short token')
    time.sleep(2.5)
    check(api.request('GET', stacks, short).status == 401, 'expired token')
    token = api.Session(PROJECT, RUN, api.project(PROJECT)).token
    check(api.request('GET', stacks, token).status == 200)
    api.request('DELETE', api.AUTH_URL + '/auth/tokens', token,
                headers={'X-Subject-Token': token})
    for url in (stacks, user.endpoints['network'] + '/v2.0/networks',
                user.endpoints['key-manager'] + '/v1/secrets',
                api.AUTH_URL + '/users/' + user.user_id):
        status = api.request('GET', url, token).status
        check(status == 401, url, 'takes a revoked token:', status)
    claim('expired and revoked tokens are refused at once')


def life(user, trustee):
    name = 'smoke-' + RUN
    stack = create(user, name)
    try:
        booted(ended(user, name, stack), name)
        claim('a stack with a load balancer and a volume is created, its server '
              'booted, its script signals, its disk appears')
        path = '/stacks/%s/%s' % (name, stack)
        trustee.call('PATCH', HEAT, path, {'parameters': {'rule': 6443}})
        found = ended(user, name, stack)
        check(found['stack_status'] == 'UPDATE_COMPLETE', found)
    finally:
        found = discard(trustee, name, stack)
    check(found['stack_status'] == 'DELETE_COMPLETE', found)
    claim('its trustee updates and deletes it')


def booted(found, name):
    check(found['stack_status'] == 'CREATE_COMPLETE', found['stack_status'],
          found['stack_status_reason'])
    outputs = {o['output_key']: o['output_value'] for o in found['outputs']}
    check(outputs['address'].startswith('127.77.'), outputs)
    check(outputs['data'] == '{"1": "booted"}', outputs)
    node = pathlib.Path(STATE, 'nodes', outputs['server'])
    written = node / 'root/etc/smoke'
    check((written / 'name').read_text().strip() == name)
    check((written / 'secret').stat().st_mode & 0o777 == 0o600)
    commands = (node / 'record/commands.log').read_text()
    check('apt-get install -y docker.io\n' in commands, commands)
    check(outputs['balancer'] == 'ACTIVE', outputs)
    end = time.monotonic() + 20
    while not (node / 'exit').exists():
        check(time.monotonic() < end, 'the unit still runs')
        time.sleep(0.2)
    disk = (written / 'disk').read_text().strip()
    check(disk.endswith('/virtio-' + outputs['volume'][:20]), disk)


def failing_script(user):
    name = 'smokefail-' + RUN
    fault = pathlib.Path(STATE, 'nodes/faults.d', name + '.json')
    fault.write_text(json.dumps(
        {'name-prefix': name, 'fail': {'apt-get install': 100}}))
    stack = create(user, name)
    try:
        found = ended(user, name, stack)
        check(found['stack_status'] == 'CREATE_FAILED' and
              'no package' in found['stack_status_reason'], found)
    finally:
        fault.unlink()
        discard(user, name, stack)
    claim('a script that fails on request fails its stack, with its reason')


def main():
    admin = api.connect('admin', STATE)
    domain_admin = api.connect('magnum-domain-admin', STATE)
    user, mess = newcomer(admin)
    try:
        claim('password logins')
        trustee_id, trustee = trusted(user, domain_admin)
        mess.append('/users/' + trustee_id)
        check(trustee.user_id == user.user_id, 'impersonation')
        claim('a trust to a user of domain magnum')
        refused_tokens(user)
        life(user, trustee)
        failing_script(user)
        domain_admin.call('DELETE', 'identity', mess.pop())
        end = time.monotonic() + 20
        while left := leftovers():
            check(time.monotonic() < end, 'left behind:', json.dumps(left))
            time.sleep(1)
        claim('nothing is left')
    finally:
        # Its default security group would outlive the project.
        for group in user.get('network', '/v2.0/security-groups?project_id='
                              + user.project_id)['security_groups']:
            admin.raw('DELETE', 'network',
                      '/v2.0/security-groups/' + group['id'])
        for path in mess:
            admin.raw('DELETE', 'identity', path)


START = time.monotonic()
if __name__ == '__main__':
    try:
        main()
    except AssertionError as error:
        sys.exit('smoke: ' + str(error))
