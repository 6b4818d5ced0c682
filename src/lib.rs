//! openstack-magnum
