//! OpenStack clients of openstack-magnum, and a cloud that is not there.

#[cfg(feature = "sim")]
pub mod sim;
