# How programs on this server reach the cloud under the cluster's trust.

auth_url='__AUTH_URL__'
openstack_ca='__OPENSTACK_CA__'
region='__REGION__'
trustee_id='__TRUSTEE_ID__'
trustee_password='__TRUSTEE_PASSWORD__'
trust_id='__TRUST_ID__'

cloud_ca={{cloud_ca}}

# write_cloud_ca: by which they verify it, where that is not the system's.
write_cloud_ca() {
    [[ -n $openstack_ca ]] || return 0
    base64 --decode <<<"$openstack_ca" >"$scratch/openstack-ca" ||
        fail 'the certificate authority of the cloud is not base64'
    put_file 644 "$cloud_ca" <"$scratch/openstack-ca"
}
