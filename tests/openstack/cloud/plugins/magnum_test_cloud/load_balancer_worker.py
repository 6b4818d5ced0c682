"""Octavia's worker in one process.

Octavia's own program forks twice, for the versions of its amphora provider;
the first has nobody who asks it.
"""
import pathlib
import signal
import sys

from oslo_config import cfg

from magnum_test_cloud import vip_ports
from octavia.common import service
from octavia.controller.queue.v2 import consumer


def main():
    service.prepare_service(sys.argv)
    vip_ports.VipPortDriver.amphorae = True
    worker = consumer.ConsumerService(0, cfg.CONF)
    worker.run()
    # The working directory is the cloud's state.
    pathlib.Path('octavia/listens').touch()
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    worker.terminate()


if __name__ == '__main__':
    # Before there are threads, which inherit it.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    main()
