#!/bin/sh
# Sets up what the command center needs on a Debian-like machine.
#   setup.sh base    virtual environment with the locked dependencies
#   setup.sh tools   what the tests drive beside: Chromium, Chinese fonts, PostgreSQL, coturn
set -eu
cd "$(dirname "$0")/.."

stop() {
    echo "$1" >&2
    exit 7
}

# Installs Debian packages where that is possible without asking; says plainly where it isn't.
install_packages() {
    command -v apt-get >/dev/null || stop "Missing $*: install with this system's package manager, then run this again."
    if [ "$(id -u)" = 0 ]; then as_root=""; else as_root="sudo -n"; fi
    echo "installing $* …"
    export DEBIAN_FRONTEND=noninteractive
    $as_root apt-get update -q >/dev/null 2>&1 || true
    $as_root apt-get install -y -q --no-install-recommends "$@" >/dev/null 2>&1 ||
        stop "Missing $*: as root, run: apt-get install $*"
}

base() {
    python=${PYTHON:-}
    for candidate in $python python3.13 python3.12 python3.11 python3; do
        if command -v "$candidate" >/dev/null &&
            "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            python=$candidate
            break
        fi
        python=""
    done
    if [ -z "$python" ]; then
        install_packages python3 python3-venv
        python=python3
        "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
            stop "Python 3.11 or newer is needed; this machine has only $("$python" -V)."
    fi
    "$python" -c 'import venv, ensurepip' 2>/dev/null || install_packages python3-venv
    echo "setting up the virtual environment (once, about a minute) …"
    "$python" -m venv .venv
    install --require-hashes -r requirements.lock ||
        stop "The locked dependencies could not be installed: see the lines above; is a package index reachable?"
    # The media node's loops are in C; where no compiler can be had they run in Python, at twice the price.
    command -v cc >/dev/null || (install_packages gcc libc6-dev) || true
    install --no-deps --no-build-isolation -e . ||
        stop "The command center could not be installed into .venv: see the lines above."
    # Chinese text in the demonstration's films; without it they carry English alone.
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null && ! has_chinese_font; then
        install_packages fonts-noto-cjk
    fi
}

# Runs pip, and shows what it said only where it failed.
install() {
    .venv/bin/python -m pip install --disable-pip-version-check "$@" >.venv/install.log 2>&1 || {
        tail -n 15 .venv/install.log >&2
        return 1
    }
}

has_chinese_font() {
    for font in /usr/share/fonts/opentype/noto/NotoSansCJK* /usr/share/fonts/truetype/noto/NotoSansCJK*; do
        [ -e "$font" ] && return 0
    done
    return 1
}

tools() {
    missing=""
    command -v chromium >/dev/null || missing="$missing chromium"
    has_chinese_font || missing="$missing fonts-noto-cjk"
    ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql"
    command -v turnserver >/dev/null || missing="$missing coturn"
    command -v ip >/dev/null || missing="$missing iproute2"
    # The browser's driver is a program of its own, and wants this library of Debian's smallest systems.
    .venv/bin/playwright --version >/dev/null 2>&1 || missing="$missing libatomic1"
    # shellcheck disable=SC2086 - one word a package
    [ -z "$missing" ] || install_packages $missing
    # Debian makes a service of the relay; the tests start one of their own, and this machine shall offer none.
    case " $missing " in *" coturn "*) $as_root systemctl disable -q --now coturn >/dev/null 2>&1 || true ;; esac
}

case "${1:-}" in
base | tools) "$1" ;;
*) stop "usage: deploy/setup.sh base|tools" ;;
esac
