#!/bin/sh
# What pyamp needs beyond pip: a C++20 compiler, git and Python >= 3.11 with venv and headers.
# Missing Debian packages are installed where that is allowed, and named in one line where it is not.
python=$1
missing=""
command -v g++ >/dev/null || command -v c++ >/dev/null || missing="$missing g++"
command -v git >/dev/null || missing="$missing git"
if [ -z "$python" ]; then
    missing="$missing python3 python3-venv python3-dev"
else
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
        echo "make: $python is $("$python" -V), Python >= 3.11 expected; set PYTHON=python3.11" >&2; exit 2; }
    "$python" -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3-venv"
    "$python" -c 'import sysconfig, os, sys; sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))' ||
        missing="$missing python3-dev"
fi
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq && exec apt-get install -y -qq $missing
fi
echo "make: these system packages are missing:$missing (Debian names); install them, then run make again" >&2
exit 2
