# Machinery of the trials in this folder: a Debian made by debootstrap, booted with its own systemd, and words for what is expected. To be sourced.
# Options: [--suite bookworm] [--small] [--work FOLDER] [--keep]; sets $small, $suite, $work, $root (its folder) and $leader (its first process).
# shellcheck shell=bash
# shellcheck disable=SC2034 # whoever sources it reads them
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
suite=bookworm
work=''
keep=no
small=no
while [ $# -gt 0 ]; do
  case $1 in
    --suite) suite=$2; shift ;;
    --work) work=$2; shift ;;
    --keep) keep=yes ;;
    --small) small=yes ;;
    *) echo "what is $1?" >&2; exit 2 ;;
  esac
  shift
done
[ "$(id -u)" = 0 ] || { echo 'run it as root' >&2; exit 2; }
for program in debootstrap systemd-nspawn curl nsenter; do
  command -v "$program" >/dev/null || { echo "$program is missing: apt-get install debootstrap systemd-container curl util-linux" >&2; exit 2; }
done
work=${work:-$(mktemp -d /var/tmp/mailbox-password-fresh.XXXXXX)}
mkdir -p "$work"
root=$work/root
nspawn=''
passed=0

end() {
  status=$?
  if [ -n "$nspawn" ] && kill -0 "$nspawn" 2>/dev/null; then kill -TERM "$nspawn"; wait "$nspawn" 2>/dev/null || true; fi
  if [ "$keep" = no ]; then rm -rf "$root" "$work/out"; fi
  [ "$status" = 0 ] && echo "$passed passed, 0 failed" || echo "$passed passed, 1 failed (see above; folder $work)"
  exit "$status"
}
trap end EXIT

started=$SECONDS
step() { printf '%4ss  %s\n' "$((SECONDS - started))" "$*"; }
ok() { passed=$((passed + 1)); step "ok    $*"; }
fail() { step "FAILED $*"; exit 1; }
# has WHAT TEXT PATTERN
has() { grep -Eq -- "$3" <<<"$2" || { printf '%s\n' "$2" | tail -n 30; fail "$1: no /$3/"; }; ok "$1"; }
same() { [ "$2" = "$3" ] || fail "$1: '$2' is not '$3'"; ok "$1"; }
in_root() { nsenter --target "$leader" --mount --uts --ipc --pid --cgroup -- /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 "$@"; }
unit() { in_root systemctl "$@" mailbox-password.service; }
pid() { unit show --property MainPID --value; }
files() { in_root find / -xdev \( -path /proc -o -path /sys -o -path /run -o -path /dev -o -path /tmp -o -path /var/log -o -path /var/lib/fail2ban -o -path /root/package \) -prune -o -printf '%p %y\n' | sort; }


# fresh_root [PACKAGE...]: the root, with these besides the least.
fresh_root() {
  step "a fresh $suite"
  [ ! -e "$root/bin/sh" ] || return 0
  # shellcheck disable=SC2016
  mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep -v security | head -n 1)
  debootstrap --variant=minbase --include="$(IFS=,; echo "systemd,systemd-sysv,dbus${*:+,$*}")" "$suite" "$root" "$mirror" >"$work/debootstrap.log" 2>&1
  # Every Debian that was installed has it, and fail2ban before 1.1 knows by it which addresses are its own.
  printf '127.0.0.1\tlocalhost\n::1\tlocalhost\n' >"$root/etc/hosts"
}

# boot_root [OPTION OF SYSTEMD-NSPAWN...]
boot_root() {
  systemd-nspawn --quiet --register=no --keep-unit --console=passive "$@" --directory "$root" --boot >"$work/console" 2>&1 </dev/null &
  nspawn=$!
  for _ in $(seq 100); do
    leader=$(pgrep --parent "$nspawn" | head -n 1 || true)
    [ -n "$leader" ] && in_root systemctl is-system-running 2>/dev/null | grep -Eq 'running|degraded' && break
    sleep 0.3
  done
  same 'systemd is process 1' "$(in_root cat /proc/1/comm)" systemd
}

# package VERSION [OPTION OF NPM RUN PACKAGE...]: into $work/out, where it is not there.
package() {
  local version=$1 flavour=''
  shift
  [ "${1:-}" != --with-node ] || flavour=-node
  [ -e "$work/out/mailbox-password-$version-linux-x64$flavour.tar.gz" ] || node server/package/buildPackage.mjs --no-build --out "$work/out" --release "$version" "$@" | tail -n 1
}
