#!/bin/sh
# Lay out what is published where azd takes it, with the host.json of the durable backend that is provisioned.
set -eu

python3 scripts/package --folder dist/app --durable "${DURABLE_BACKEND:-storage}"
