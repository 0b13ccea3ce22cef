#!/bin/sh
# Sets up what `make demo` and `make test` need, and says what it does. A second run takes a moment.
set -eu
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

command -v npm >/dev/null 2>&1 || fail "npm is missing. Install Node.js 20 or later (it brings npm); Node 24 itself comes with the dependencies."

stamp=node_modules/.agentic-setup
lock=$(cksum package-lock.json package.json)
if [ "$(cat $stamp 2>/dev/null)" != "$lock" ]; then
  say "1/3 dependencies: npm install (about 650 MB; half a minute)"
  # Not npm ci: it refuses a lock file that lacks other platforms' optional packages, which partial mirrors do not have.
  # The versions are those of the lock file all the same.
  npm install --no-save --no-fund --no-audit --loglevel=error
  printf '%s' "$lock" >$stamp
else
  say "1/3 dependencies: up to date"
fi
[ -x node_modules/.bin/node ] || fail "the npm package 'node' left no binary: run 'npm rebuild node'"
say "    node $(node_modules/.bin/node --version)"

# $1: what for, $2: Debian's package, the rest: commands that would do.
need() {
  step=$1 package=$2
  shift 2
  for command in "$@"; do
    if command -v "$command" >/dev/null 2>&1; then
      say "$step: $(command -v "$command")"
      return
    fi
  done
  if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    say "$step: apt-get install $package (a minute)"
    log=$(mktemp)
    if ! { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package"; } >"$log" 2>&1; then
      tail -n 20 "$log" >&2
      fail "apt-get could not install $package; its last lines are above"
    fi
    rm -f "$log"
  else
    fail "$1 is missing: install one of '$*' with your package manager (Debian: apt-get install $package) and run this again"
  fi
}
need "2/3 browser" chromium ${CHROME:-} chromium chromium-browser google-chrome google-chrome-stable
need "3/3 redis" redis-server redis-server valkey-server
need "    openssl, for tests" openssl openssl
