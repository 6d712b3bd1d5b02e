#!/bin/sh
# mailbox-password: finds its own Node and the configuration of this machine, then becomes the program.
set -eu
here=$(readlink -f -- "$0")
here=${here%/bin/mailbox-password}
: "${MAILBOX_PASSWORD_CONFIG=/etc/mailbox-password/config.yaml}"
export MAILBOX_PASSWORD_CONFIG
# Root becomes the service's user in some commands: nothing may be under way in the kernel then that began as root.
: "${UV_USE_IO_URING=0}"
export UV_USE_IO_URING
# Node brings a list of authorities of its own; what this machine trusts besides (update-ca-certificates, update-ca-trust) is trusted too.
if [ -z "${NODE_EXTRA_CA_CERTS+set}" ]; then
  for bundle in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/ca-bundle.pem; do
    if [ -r "$bundle" ]; then
      export NODE_EXTRA_CA_CERTS="$bundle"
      break
    fi
  done
fi
# In the package, else the one that the installation was told of, else the system's.
for node in "$here/node/bin/node" "$here/../../node"; do
  [ -x "$node" ] && exec "$node" "$here/dist/server/cli/main.js" "$@"
done
node=$(command -v node || command -v nodejs) || {
  echo "mailbox-password: Node 20.19 or later is needed and no node is on the PATH" >&2
  exit 69
}
exec "$node" "$here/dist/server/cli/main.js" "$@"
