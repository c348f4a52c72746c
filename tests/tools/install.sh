#!/bin/sh
# Installs what the tests drive for real: Chromium, Mosquitto, PostgreSQL. Does nothing where they are present.
set -eu
have() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ]; }

missing=""
have chromium || have chromium-browser || have google-chrome || missing="$missing chromium"
have mosquitto || missing="$missing mosquitto"
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || have initdb || missing="$missing postgresql"
[ -z "$missing" ] && exit 0

if [ "$(id -u)" = 0 ] && have apt-get; then
    echo "• installing$missing"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    # shellcheck disable=SC2086
    apt-get install -y -qq --no-install-recommends $missing >/dev/null
else
    echo "ecumene: the tests need$missing; on Debian or Ubuntu: sudo apt-get install$missing" >&2
    [ "${CI:-}" = true ] && exit 1
    exit 0
fi
