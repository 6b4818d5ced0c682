"""An Octavia network driver in which the address of a load balancer is a real
Neutron port, and everything about amphorae is Octavia's own no-op.

The port is what others notice: it takes an address, a floating IP can point
to it, and its subnet cannot be deleted.
"""
from neutronclient.common import exceptions
from octavia.network import base
from octavia.network.drivers.neutron import allowed_address_pairs as neutron
from octavia.network.drivers.noop_driver import driver as noop


class VipPortDriver(noop.NoopNetworkDriver):

    # In the worker: what Neutron does not know is an amphora's, and made up.
    # The API must say that it does not exist.
    amphorae = False
    _neutron = None

    @property
    def neutron(self):
        # One login and one look at Neutron's extensions for all requests.
        if VipPortDriver._neutron is None:
            VipPortDriver._neutron = neutron.AllowedAddressPairsDriver()
        return VipPortDriver._neutron

    def allocate_vip(self, loadbalancer):
        return self.neutron.allocate_vip(loadbalancer)

    def deallocate_vip(self, vip):
        try:
            port = self.neutron.get_port(vip.port_id)
            if port.device_owner == neutron.OCTAVIA_OWNER:
                self.neutron.neutron_client.delete_port(vip.port_id)
        except (base.PortNotFound, exceptions.NotFound):
            pass

    def get_network(self, network_id, context=None):
        return self._known('network', network_id, context)

    def get_subnet(self, subnet_id, context=None):
        return self._known('subnet', subnet_id, context)

    def get_port(self, port_id, context=None):
        return self._known('port', port_id, context)

    def _known(self, kind, wanted, context):
        if wanted in noop._NOOP_MANAGER_VARS[kind + 's']:
            return getattr(self.driver, 'get_' + kind)(wanted)
        try:
            return getattr(self.neutron, 'get_' + kind)(wanted, context)
        except base.NetworkException:
            if not self.amphorae:
                raise
        return getattr(self.driver, 'get_' + kind)(wanted)
