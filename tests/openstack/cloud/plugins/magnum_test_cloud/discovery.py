"""What Python Magnum asks of an etcd discovery service, as a WSGI application.

/new?size=N answers with an address, which says how many masters it is for
when asked for its size. It keeps nothing: the size is in the address.
"""
import json
import urllib.parse
import uuid


def application(environ, start_response):
    path = environ['PATH_INFO'].strip('/').split('/')
    status, body = '200 OK', ''
    if path == ['new']:
        query = urllib.parse.parse_qs(environ.get('QUERY_STRING', ''))
        body = 'http://%s/%s-%s' % (environ['HTTP_HOST'], uuid.uuid4().hex,
                                    query.get('size', ['3'])[0])
    elif path[1:] == ['_config', 'size']:
        body = json.dumps({'action': 'get', 'node': {
            'key': '/' + '/'.join(path), 'value': path[0].rsplit('-', 1)[-1]}})
    elif path != ['']:
        status = '404 Not Found'
    start_response(status, [('Content-Type', 'text/plain')])
    return [body.encode()]
