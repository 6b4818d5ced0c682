# shellcheck shell=bash disable=SC2034,SC2154
# Identity. The other services log in here, so it is migrated and filled first.
PACKAGES+=(keystone)
DATABASES+=(keystone)
EARLY+=(keystone)
PROBE[keystone]=$AUTH_URL

configure_keystone() {
  install -d -m 700 "$STATE/keystone/tokens" "$STATE/keystone/credentials"
  cat > "$ETC/keystone.conf" <<TEXT
[DEFAULT]
use_stderr = true
max_token_size = 512
$(messaging)
$(database keystone)
[identity]
# the least bcrypt allows: quick logins
password_hash_rounds = 4
[token]
provider = fernet
expiration = 3600
[fernet_tokens]
key_repository = $STATE/keystone/tokens
[credential]
key_repository = $STATE/keystone/credentials
[cache]
enabled = true
backend = dogpile.cache.memcached
memcache_servers = $HOST:$CACHE_PORT
[trust]
allow_redelegation = true
max_redelegation_count = 3
[oslo_policy]
enforce_scope = false
policy_file = $ETC/keystone-policy.yaml
TEXT
  # Python Magnum asks whether there is a load balancer service, elsewhere as an
  # administrator; here its user, whose secrets an adopter inherits, is none.
  echo '"identity:list_services": "rule:admin_required or role:service"' > "$ETC/keystone-policy.yaml"
}

# Not one of MIGRATIONS: the installation runs it before them.
migrate_keystone() {
  local manage=(keystone-manage --config-file "$ETC/keystone.conf")
  if [ ! -e "$STATE/keystone/tokens/0" ]; then
    logged keystone-manage "${manage[@]}" fernet_setup --keystone-user root --keystone-group root
    logged keystone-manage "${manage[@]}" credential_setup --keystone-user root --keystone-group root
  fi
  logged keystone-manage "${manage[@]}" db_sync
  logged keystone-manage env OS_BOOTSTRAP_PASSWORD="$PASSWORD" "${manage[@]}" bootstrap \
    --bootstrap-username admin --bootstrap-project-name admin --bootstrap-role-name admin \
    --bootstrap-service-name keystone --bootstrap-region-id "$REGION" \
    --bootstrap-admin-url "$AUTH_URL" --bootstrap-internal-url "$AUTH_URL" \
    --bootstrap-public-url "$AUTH_URL"
}

command_keystone() {
  ENVIRONMENT=(OS_KEYSTONE_CONFIG_FILES="$ETC/keystone.conf")
  wsgi "$KEYSTONE_PORT" /usr/bin/keystone-wsgi-public
}
