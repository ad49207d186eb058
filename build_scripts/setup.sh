#!/bin/sh
# Sets up what a make target needs, once: setup.sh book | test.
# Everything lands in .venv/ and node_modules/; a stamp keyed by the lock files makes the second run free.
set -eu
want=${1:?usage: setup.sh book|test}
cd "$(dirname "$0")/.."

die() { printf '\nset-up stopped: %s\n' "$1" >&2; exit 1; }

# --- tools, named with the remedy ------------------------------------------------------------
python=${PYTHON:-}
if [ -z "$python" ]; then
  for candidate in python3.11 python3.12 python3.13 python3; do
    if command -v "$candidate" >/dev/null 2>&1; then python=$candidate; break; fi
  done
fi
[ -n "$python" ] && command -v "$python" >/dev/null 2>&1 ||
  die "no Python found. Install Python 3.11 or newer (Debian: apt-get install python3 python3-venv), or name one: make PYTHON=/path/to/python3."
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  die "$("$python" --version 2>&1) at $(command -v "$python") is too old; 3.11 or newer is needed. Name a newer one: make PYTHON=python3.11."
"$python" -c 'import venv, ensurepip' 2>/dev/null ||
  die "$python has no venv module. Debian: apt-get install python3-venv."
command -v node >/dev/null 2>&1 ||
  die "Node.js is missing; 20 or newer is needed to build the player and to compile the browser's Python. Debian 13: apt-get install nodejs npm; elsewhere: nvm install 20, or nodejs.org."
node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 20 ? 1 : 0)' ||
  die "Node.js $(node --version) at $(command -v node) is too old; 20 or newer is needed. Get it with nvm install 20, or from nodejs.org, and put it first in PATH."
command -v npm >/dev/null 2>&1 ||
  die "npm is missing (Node.js is here). Debian: apt-get install npm."

case $want in
  book) extras=book ;;
  test) extras=book,data,test ;;
  *) die "unknown set '$want'; there are book and test." ;;
esac

# --- Chromium, for the tests: from another server, so beside the packages -----------------------
chromium=
if [ "$want" = test ] && ! command -v chromium >/dev/null 2>&1 && [ -z "${CHROMIUM:-}" ]; then
  command -v apt-get >/dev/null 2>&1 ||
    die "Chromium is missing and there is no apt-get to install it. Install it, or name it: make test CHROMIUM=/path/to/chromium."
  sudo=
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null 2>&1 || die "Chromium is missing. As root: apt-get install chromium."
    sudo=sudo
  fi
  echo "set-up: installing Chromium from Debian's packages"
  { $sudo apt-get -qq update && $sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y chromium >/dev/null; } &
  chromium=$!
  trap wait EXIT  # whatever fails, none is left at work
fi

# --- Python packages --------------------------------------------------------------------------
key() { cat "$@" | cksum | cut -d ' ' -f 1; }
locked=$(key pyproject.toml constraints.txt)
stamp=.venv/.set-up-$want-$locked
# What the tests need holds what the book needs.
if [ ! -e "$stamp" ] && [ ! -e ".venv/.set-up-test-$locked" ]; then
  # A virtual environment knows its own address: one that was moved or half made is made anew.
  if ! .venv/bin/python -c 'import sys, os; sys.exit(os.path.realpath(sys.prefix) != os.path.realpath(".venv"))' 2>/dev/null; then
    echo "set-up: creating .venv with $("$python" --version 2>&1)"
    rm -rf .venv
    "$python" -m venv .venv
  fi
  echo "set-up: installing the Python packages of '$extras' (a few minutes the first time)"
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-compile -c constraints.txt -e ".[$extras]" ||
    die "pip could not install the packages; the lines above say which. Check the connection and run the same command again."
  # By all cores, where pip takes one, and without the packages' own tests. What is written for another Python
  # than this stays as it is.
  .venv/bin/python -m compileall -q -j 0 -x '/tests?/' .venv/lib >/dev/null 2>&1 || true
  # Bare `mkdocs` finds the book's plugin too, which is no part of the engine's package.
  .venv/bin/python -c 'import os, pathlib, sysconfig; pathlib.Path(sysconfig.get_path("purelib"), "book.pth").write_text(os.getcwd() + "\n")'
  rm -f .venv/.set-up-"$want"-*
  touch "$stamp"
fi

# --- npm packages -----------------------------------------------------------------------------
stamp=node_modules/.set-up-$(key package.json package-lock.json)
if [ ! -e "$stamp" ]; then
  echo "set-up: installing the npm packages"
  npm ci --no-audit --no-fund --loglevel=error ||
    die "npm could not install the packages; the lines above say which. Check the connection and run the same command again."
  touch "$stamp"
fi

[ -z "$chromium" ] || wait "$chromium" || die "apt-get could not install chromium; the lines above say why."
