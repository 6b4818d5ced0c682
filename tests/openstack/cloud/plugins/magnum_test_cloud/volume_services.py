"""Cinder's scheduler and its volume service in one process.

Each has a program of its own in Debian; one process starts sooner and takes
half the memory.
"""
import sys

import eventlet
eventlet.monkey_patch()
import __original_module_threading as first_threading  # noqa: E402
import threading  # noqa: E402
# What eventlet replaced still has a table of threads of its own.
first_threading.current_thread.__globals__['_active'] = threading._active

from oslo_config import cfg  # noqa: E402
from oslo_log import log  # noqa: E402
from oslo_service import service as processes  # noqa: E402

from cinder.common import config, constants  # noqa: E402,F401
from cinder import i18n  # noqa: E402
i18n.enable_lazy()
from cinder import objects, service, utils, version  # noqa: E402

CONF = cfg.CONF
BACKEND = 'records'


class Service(service.Service):
    def report_state(self):
        # Cinder keeps the id of the process's one service in the class.
        service.Service.service_id = self.origin_service_id
        super().report_state()


def main():
    objects.register_all()
    CONF(sys.argv[1:], project='cinder', version=version.version_string())
    log.setup(CONF, 'cinder')
    utils.monkey_patch()
    launcher = processes.ServiceLauncher(CONF, restart_method='mutate')
    launcher.launch_service(Service.create(
        binary=constants.SCHEDULER_BINARY))
    launcher.launch_service(Service.create(
        binary=constants.VOLUME_BINARY, host='%s@%s' % (CONF.host, BACKEND),
        service_name=BACKEND, coordination=True))
    launcher.wait()


if __name__ == '__main__':
    main()
