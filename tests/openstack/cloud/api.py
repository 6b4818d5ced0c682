"""Keystone logins and plain calls to the services, with the standard library
alone. Used by the scripts beside it."""
import http.client
import json
import pathlib
import urllib.parse

AUTH_URL = 'http://127.0.0.1:5000/v3'
STATE = '/var/lib/magnum-test-cloud'
# What a user needs for a cluster; Octavia has a role of its own.
USER_ROLES = ('member', 'heat_stack_owner', 'creator', 'load-balancer_member')


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self):
        return self.body.decode(errors='replace')

    def json(self):
        return json.loads(self.body)


class Refused(Exception):
    def __init__(self, method, url, answer):
        super().__init__('%s %s: %s %s' % (
            method, url, answer.status, answer.text[:600]))
        self.status = answer.status


def request(method, url, token=None, body=None, headers=None, timeout=60):
    """One request; any status is an answer. A dict or list goes as JSON."""
    headers = dict(headers or {})
    headers.setdefault('Accept', 'application/json')
    if token:
        headers['X-Auth-Token'] = token
    if body is not None and not isinstance(body, (bytes, str)):
        body = json.dumps(body)
        headers['Content-Type'] = 'application/json'
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(
        parts.hostname, parts.port, timeout=timeout)
    try:
        path = parts.path + ('?' + parts.query if parts.query else '')
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())
    finally:
        connection.close()


class Session:
    """A login with a token and the catalog's endpoints."""

    def __init__(self, user, password, scope=None, domain='Default'):
        who = {'password': password}
        if isinstance(user, dict):
            who.update(user)
        else:
            who.update(name=user, domain={'name': domain})
        self.body = {'auth': {'identity': {
            'methods': ['password'], 'password': {'user': who}}}}
        if scope:
            self.body['auth']['scope'] = scope
        self.login()

    def login(self):
        url = AUTH_URL + '/auth/tokens'
        answer = request('POST', url, body=self.body)
        if answer.status != 201:
            raise Refused('POST', url, answer)
        self.token = answer.headers['X-Subject-Token']
        self.info = answer.json()['token']
        self.user_id = self.info['user']['id']
        self.project_id = self.info.get('project', {}).get('id')
        self.endpoints = {
            service['type']: endpoint['url'].rstrip('/')
            for service in self.info.get('catalog', ())
            for endpoint in service['endpoints']
            if endpoint['interface'] == 'public'}

    def raw(self, method, service, path, body=None, headers=None):
        """The answer whatever its status; one more login if it is a 401."""
        base = AUTH_URL if service == 'identity' else self.endpoints[service]
        for attempt in (1, 2):
            answer = request(method, base + path, self.token, body, headers)
            if answer.status != 401 or attempt == 2:
                return answer
            self.login()

    def call(self, method, service, path, body=None, headers=None):
        """The decoded body of a success."""
        answer = self.raw(method, service, path, body, headers)
        if answer.status >= 300:
            raise Refused(method, service + path, answer)
        return answer.json() if answer.body[:1] in (b'{', b'[') else None

    def get(self, service, path, headers=None):
        return self.call('GET', service, path, headers=headers)

    def post(self, service, path, body, headers=None):
        return self.call('POST', service, path, body, headers)


def project(name):
    return {'project': {'name': name, 'domain': {'name': 'Default'}}}


# Entry of clouds.yaml -> user, scope, domain of the user.
LOGINS = {
    'demo': ('demo', project('demo'), 'Default'),
    'other': ('other', project('other'), 'Default'),
    'admin': ('admin', project('admin'), 'Default'),
    'magnum-service': ('magnum', project('service'), 'Default'),
    'magnum-domain-admin': (
        'magnum_domain_admin', {'domain': {'name': 'magnum'}}, 'magnum'),
}


def password(state=STATE):
    return pathlib.Path(state, 'password').read_text().strip()


def connect(entry, state=STATE):
    user, scope, domain = LOGINS[entry]
    return Session(user, password(state), scope, domain)
