#!/usr/bin/env bash
# Installs the system packages, the virtual environment and the servers' programs.
# It skips each step that is done. With nothing to do it ends within a second.
# Arguments name programs that only one make target needs. Debian packages them under the same name.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

readonly LOG=.local/log/setup.log
readonly NEEDED_KIB=$((3 * 1024 * 1024))
readonly LOCK=requirements/dev.txt
export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"  # an ordinary user's PATH leaves sbin out, where mariadbd is

fail() { printf 'error: %s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

last_words() { grep -aE '^(E:|ERROR|Error|error)' "$LOG" | tail -n 1 | grep . || tail -n 1 "$LOG"; }

# step TITLE COMMAND...: one line with its time. A long step shows its running time. Output goes to the log.
step() {
  local title=$1 begun=$SECONDS; shift
  printf '$ %s\n' "$*" >>"$LOG"
  "$@" >>"$LOG" 2>&1 </dev/null &
  local job=$! every=10
  [[ -t 1 ]] && every=1
  while kill -0 "$job" 2>/dev/null; do
    local passed=$((SECONDS - begun))
    if ((passed >= 2 && passed % every == 0)); then
      if [[ -t 1 ]]; then printf '\r  %s … %d s' "$title" "$passed"; else printf '  %s … %d s\n' "$title" "$passed"; fi
      sleep 0.6
    fi
    sleep 0.4
  done
  [[ -t 1 ]] && printf '\r\033[K'
  wait "$job" || fail "$title failed: $(last_words) (log: $LOG)"
  printf '  %s (%d s)\n' "$title" $((SECONDS - begun))
}

find_python() {  # the first interpreter that is new enough
  local name
  for name in python3 python3.14 python3.13 python3.12 python3.11; do
    if have "$name" && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then printf '%s' "$name"; return; fi
  done
}

has_headers() { "$1" -c 'import os, sys, sysconfig; sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))'; }
has_library() { ldconfig -p | grep -q "$1"; }

missing_packages() {  # Debian's names of the missing packages
  local python; python=$(find_python)
  if [[ -z $python ]]; then
    have python3 && fail "Python 3.11 or newer is needed, and $(python3 --version) is installed"
    printf '%s\n' python3 python3-venv python3-dev
  else
    "$python" -c 'import ensurepip, venv' 2>/dev/null || printf '%s\n' python3-venv
    has_headers "$python" || printf '%s\n' python3-dev
  fi
  { have mariadbd && have mariadb-install-db; } || have mysqld || printf '%s\n' mariadb-server-core mariadb-client-core
  { have pkg-config && { pkg-config --exists libmariadb || pkg-config --exists mysqlclient; }; } || printf '%s\n' libmariadb-dev pkg-config
  { have gcc && have make; } || printf '%s\n' build-essential
  have java || printf '%s\n' default-jre-headless
  have mvn || printf '%s\n' maven
  have mongod || has_library libcurl.so.4 || printf '%s\n' libcurl4
}

install_packages() {
  local missing=("$@") root=()
  have apt-get || fail "these packages are missing, and there is no apt-get to install them: ${missing[*]}"
  if ((EUID != 0)); then
    have sudo || fail "these packages are missing, and there is no sudo to install them: ${missing[*]}"
    sudo -n true 2>/dev/null || { [[ -t 0 ]] && sudo -v; } || fail "sudo is refused; these packages are missing: ${missing[*]}"
    root=(sudo -n)
  fi
  step 'reading the package lists' "${root[@]}" apt-get -q update
  step "installing ${missing[*]}" "${root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get -q -y -o DPkg::Lock::Timeout=120 install --no-install-recommends "${missing[@]}"
}

check_machine() {
  [[ $(uname -m) == x86_64 ]] || have mongod || fail "this machine is $(uname -m): the MongoDB that is downloaded needs x86-64. Install mongod instead"
  local free; free=$(df -Pk . | awk 'NR == 2 {print $4}')
  ((free >= NEEDED_KIB)) || fail "$((free / 1024)) MiB are free in $PWD: 3 GiB are needed"
}

make_venv() {
  local python=$1
  .venv/bin/python -c 'import pip' 2>/dev/null || step 'making the virtual environment' "$python" -m venv --clear .venv
  # The lock is complete. Without --no-deps an older pip resolves `pydantic[email]` again and fails on a release newer than the lock.
  step 'installing Python packages' .venv/bin/python -m pip install --disable-pip-version-check --require-hashes --no-deps -r "$LOCK"
}

keep_stopped() {  # Debian's package would start its server on all addresses, now and at each boot
  [[ -d /run/systemd/system ]] || return 0
  if ((EUID == 0)); then systemctl mask "$1"; else sudo systemctl mask "$1"; fi >>"$LOG" 2>&1
}

need() {  # a program by its Debian name; a browser with another name is accepted
  local name names=("$1")
  [[ $1 != chromium ]] || names+=(google-chrome google-chrome-stable chromium-browser)
  for name in "${names[@]}"; do have "$name" && return; done
  # apt-get has it on Debian; on Ubuntu it would install a snap, which not every machine can run
  [[ $1 != chromium ]] || ! grep -qs '^ID=ubuntu' /etc/os-release ||
    fail "a browser is needed, and Ubuntu's apt-get has none: install one of ${names[*]}"
  [[ $1 != prometheus* ]] || keep_stopped "$1"
  install_packages "$1"
}

main() {
  local stamp=.venv/installed wanted missing
  wanted=$(cat "$LOCK" deploy/install/bootstrap.sh | sha256sum)
  mkdir -p .local/log
  if [[ ! -f $stamp || $(<"$stamp") != "$wanted" ]] || ! have java || ! .venv/bin/python -c ''; then
    : >"$LOG"
    check_machine
    missing=$(missing_packages)
    # shellcheck disable=SC2086 # one word a package
    [[ -z $missing ]] || install_packages $missing
    make_venv "$(find_python)"
    printf '%s' "$wanted" >"$stamp"
  fi
  .venv/bin/python -m deploy.install.download
  for wanted in "$@"; do need "$wanted"; done
}

main "$@"
