#!/bin/sh
# install.sh VENV LOCK...: make the virtual environment if there is none that works, then install
# exactly what the locks say. Older packages are replaced; nothing is removed.
set -eu
venv=$1
shift
works='import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))'

if ! "$venv/bin/python" -c "$works" 2>/dev/null; then
    for python in python3.13 python3.12 python3.11 python3; do
        "$python" -c "$works" 2>/dev/null && break
        python=
    done
    if [ -z "$python" ]; then
        echo "error: no Python 3.11 or newer that can make virtual environments was found;" \
            "install one (on Debian and Ubuntu: apt install python3 python3-venv)" >&2
        exit 1
    fi
    echo "making $venv with $("$python" --version)"
    "$python" -m venv --clear "$venv"
fi

echo "installing $* (about two minutes)"
pip() { "$venv/bin/python" -m pip "$@" -qq --no-input --disable-pip-version-check; }
# crafter comes as source and is built with the pinned setuptools.
pip install "$(cat "$@" | grep '^setuptools==' | head -n 1)"
for lock in "$@"; do set -- "$@" -r "$lock"; shift; done
pip install --no-build-isolation "$@"
