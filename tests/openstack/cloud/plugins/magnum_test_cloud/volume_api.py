"""Cinder's API as uwsgi wants it; Debian ships this file in cinder-common."""
from cinder.wsgi.wsgi import initialize_application

application = initialize_application()
