#!/bin/sh
# Installs, upgrades, takes back and removes Mailbox Password. See docs/install.md.
set -eu
umask 022

usage() {
  cat <<'END'
install.sh [options]            install, or upgrade what is installed; configuration and state are kept. Run it again where it was
                                interrupted: the version that was there goes on until the new one is complete
install.sh --rollback           go back to the version that was there before
install.sh --uninstall          remove the programs; configuration, state and user are kept
install.sh --purge              remove the programs, configuration, state and user

  --node FILE     the Node to use (20.19 or later), where the one on the PATH is older
  --no-restart    do not restart a running service
  --force         switch even if the new version refuses the present configuration
  --root DIR      work below DIR instead of /; services are not touched (also: DESTDIR=DIR)
END
}

name=mailbox-password
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
root=${DESTDIR:-}
action=install
node_given=''
restart=yes
force=no

say() { printf '%s\n' "$*"; }
die() {
  printf 'install.sh: %s\n' "$*" >&2
  exit 1
}

paths() {
  root=${root%/}
  opt=$root/opt/$name
  etc=$root/etc/$name
  state=$root/var/lib/$name
  link=$root/usr/local/bin/$name
  units=$root/usr/local/lib/systemd/system
  unit=$units/$name.service
}

# Is there a systemd that would hear us?
systemd() { [ -z "$root" ] && [ -d /run/systemd/system ] && command -v systemctl >/dev/null; }
running() { systemd && systemctl is-active --quiet "$name.service"; }

version_of() { sed -n 's/^  "version": "\([^"]*\)",*$/\1/p' "$1/package.json" | head -n 1; }

# "20.19" is the oldest: the first of the two in order has to be it.
node_is_new_enough() {
  found=$("$1" -p process.versions.node 2>/dev/null) || return 1
  [ "$(printf '%s\n20.19.0\n' "$found" | sort -V | head -n 1)" = 20.19.0 ]
}

check_node() {
  [ -x "$here/node/bin/node" ] && { node=$here/node/bin/node; node_is_new_enough "$node" || die "the Node of this package does not run here: $("$node" --version 2>&1 || true)"; return; }
  if [ -n "$node_given" ]; then
    node=$(command -v "$node_given") || die "--node $node_given: no such program"
    node=$(readlink -f -- "$node")
  elif [ -x "$opt/node" ]; then
    node=$opt/node
  else
    node=$(command -v node || command -v nodejs || true)
  fi
  if [ -n "$node" ]; then
    node_is_new_enough "$node" && return
    old="Node $("$node" -p process.versions.node 2>/dev/null || echo '?') at $node is too old"
  else
    old='there is no Node on this machine'
  fi
  die "Node 20.19 or later is needed, and $old. One of:
  - take the package whose name ends in -node: it brings its own;
  - install one: Debian 13 has it (apt-get install nodejs), for Debian 12 and others see https://nodejs.org/en/download;
  - name one that is somewhere else: install.sh --node /path/to/node"
}

check_machine() {
  wanted=$(cat "$here/PLATFORM")
  case $(uname -s)-$(uname -m) in
    Linux-x86_64) machine=linux-x64 ;;
    Linux-aarch64) machine=linux-arm64 ;;
    *) machine=$(uname -s)-$(uname -m) ;;
  esac
  [ "$machine" = "$wanted" ] || die "this package is for $wanted, this machine is $machine. Take the package whose name has $machine; nothing was done."
  ! ldd --version 2>&1 | grep -qi musl || die 'this package is for glibc (Debian, Ubuntu, Fedora and their kin), this system has musl'
  command -v sha256sum >/dev/null || die 'sha256sum (coreutils) is needed'
  (cd "$here" && sha256sum --check --quiet --strict SHA256SUMS) || die 'files of the package are damaged or were edited (see above); unpack it again'
}

in_root() {
  if [ -n "$root" ]; then
    tool=$1
    shift
    "$tool" --prefix "$root" "$@"
  else
    "$@"
  fi
}

# Somebody else's user would get our configuration and its secrets.
check_user() {
  existing=$(grep "^$name:" "$root/etc/passwd" 2>/dev/null) || return 0
  case $existing in
    "$name":*:0:*) die "the user $name has the id 0: the service must not run as root. Nothing was done." ;;
    *:/usr/sbin/nologin | *:/sbin/nologin | *:/bin/false | *:/usr/bin/false) ;;
    *) die "there is a user $name who can log in (${existing##*:}). The service needs a user of its own: rename that one, or take its shell away (usermod --shell /usr/sbin/nologin $name). Nothing was done." ;;
  esac
}

# Only what this script has made: a user who was there before stays.
made_by_us() { grep -q "^$name:[^:]*:[0-9]*:[0-9]*:Mailbox Password:/var/lib/$name:" "$root/etc/passwd" 2>/dev/null; }

make_user() {
  grep -q "^$name:" "$root/etc/group" 2>/dev/null || in_root groupadd --system "$name"
  grep -q "^$name:" "$root/etc/passwd" 2>/dev/null || in_root useradd --system --gid "$name" --no-create-home --home-dir "/var/lib/$name" --shell /usr/sbin/nologin --comment 'Mailbox Password' "$name"
  uid=$(sed -n "s/^$name:[^:]*:\([0-9]*\):.*/\1/p" "$root/etc/passwd")
  gid=$(sed -n "s/^$name:[^:]*:\([0-9]*\):.*/\1/p" "$root/etc/group")
}

make_folders() {
  # Of a folder that is there already nothing is changed: the operator may have reasons.
  [ -d "$etc" ] || { mkdir -p "$etc" && chown "0:$gid" "$etc" && chmod 0750 "$etc"; }
  [ -d "$state" ] || { mkdir -p "$state" && chown "$uid:$gid" "$state" && chmod 0700 "$state"; }
}

# One link is switched by one rename: there is no moment without a version.
point() {
  # Of a run that was interrupted.
  rm -f "$opt/.$1.new"
  ln -s "$2" "$opt/.$1.new"
  mv -T "$opt/.$1.new" "$opt/$1"
}

current() { [ ! -L "$opt/$1" ] || readlink -- "$opt/$1"; }

# For one more copy: what is there stays until the new one is complete.
check_space() {
  mkdir -p "$opt"
  needed=$(du -sk "$here" | cut -f 1)
  free=$(df -Pk "$opt" | sed -n '2s/^[^ ]* *[0-9]* *[0-9]* *\([0-9]*\).*/\1/p')
  [ "$free" -gt "$needed" ] && return
  rmdir --ignore-fail-on-non-empty "$opt"
  die "$opt has room for $((free / 1024)) MB and $((needed / 1024 + 1)) MB are needed. Nothing was done."
}

# A run that is interrupted or fails leaves no half version behind.
# shellcheck disable=SC2317 # the trap calls it
tidy_up() { rm -rf "$opt/versions/.new" "$opt/.current.new" "$opt/.previous.new" "$opt/.node.new"; }

same_files() { cmp -s "$here/SHA256SUMS" "$target/SHA256SUMS" && (cd "$target" && sha256sum --check --quiet --strict SHA256SUMS) >/dev/null 2>&1; }

put_files() {
  target=$opt/versions/$version
  # Interrupted between the two renames below: what was there comes back first.
  if [ ! -e "$target" ] && [ -e "$opt/versions/.old" ] && [ "$(version_of "$opt/versions/.old")" = "$version" ]; then mv -T "$opt/versions/.old" "$target"; fi
  rm -rf "$opt/versions/.new" "$opt/versions/.old"
  ! same_files || return 0
  mkdir -p "$opt/versions/.new"
  (cd "$here" && tar -cf - .) | (cd "$opt/versions/.new" && tar -xf - --no-same-owner --no-same-permissions)
  # A full disk, or an unpacked tarball that changed meanwhile: the pipe above tells only of its second half.
  (cd "$opt/versions/.new" && sha256sum --check --quiet --strict SHA256SUMS) || die "the files could not be copied whole to $opt. The version before is as it was."
  [ "$(id -u)" != 0 ] || chown -R 0:0 "$opt/versions/.new"
  # Whoever unpacked it may have had another umask: the service's user has to read, and nobody but root to write.
  chmod -R u+rwX,go+rX,go-w "$opt/versions/.new"
  [ ! -e "$target" ] || mv -T "$target" "$opt/versions/.old"
  mv -T "$opt/versions/.new" "$target"
  rm -rf "$opt/versions/.old"
}

check_config() {
  [ -e "$etc/config.yaml" ] || return 0
  "$node" "$target/dist/server/cli/main.js" config check --config "$etc/config.yaml" >&2 && return
  [ "$force" = no ] || { say 'The configuration is refused; going on because of --force.'; return; }
  [ "$(current current)" = "versions/$version" ] || rm -rf "$target"
  die "version $version does not accept $etc/config.yaml (see above). Nothing was switched${1:+; $1 goes on running}."
}

put_unit() {
  mkdir -p "$units" "$(dirname -- "$link")"
  cp "$opt/current/deploy/$name.service" "$unit"
  chmod 0644 "$unit"
  rm -f "$link"
  ln -s "/opt/$name/current/bin/$name" "$link"
  ! systemd || systemctl daemon-reload
}

# Type=notify: this returns when the service listens, or has failed.
restart_service() { systemctl restart "$name.service" && systemctl is-active --quiet "$name.service"; }

tidy_versions() {
  for folder in "$opt"/versions/*; do
    case versions/${folder##*/} in
      "$(current current)" | "$(current previous)") ;;
      *) rm -rf "$folder" ;;
    esac
  done
}

# As it was before: also what --rollback would go back to.
take_back() {
  [ -n "$before" ] || return 0
  point current "$before"
  if [ -n "$earlier" ]; then point previous "$earlier"; else rm -f "$opt/previous"; fi
  [ "$before" = "versions/$version" ] || rm -rf "$target"
  put_unit
  restart_service
}

one_at_a_time() {
  command -v flock >/dev/null || return 0
  exec 9>"$opt/.lock"
  flock -n 9 || die 'another install.sh is at work'
}

install() {
  case $here/ in "$opt"/*) die "this is the installed copy; unpack the tarball somewhere else and run the install.sh in it" ;; esac
  version=$(version_of "$here")
  [ -n "$version" ] || die "$here/package.json names no version"
  check_machine
  check_node
  check_user
  check_space
  one_at_a_time
  trap tidy_up EXIT
  trap 'exit 130' HUP INT TERM
  before=$(current current)
  earlier=$(current previous)
  make_user
  make_folders
  put_files
  check_config "${before#versions/}"
  if [ -n "$node_given" ] && [ ! -x "$here/node/bin/node" ]; then point node "$node"; fi
  # The same version over itself leaves the one before it as it is.
  [ -z "$before" ] || [ "$before" = "versions/$version" ] || point previous "$before"
  point current "versions/$version"
  put_unit
  if running && [ "$restart" = yes ]; then
    if ! restart_service; then
      say "Version $version did not start; going back to ${before#versions/}. Its last words:"
      journalctl --unit "$name.service" --no-pager --lines 20 --output cat || true
      take_back || true
      die "the upgrade to $version was taken back"
    fi
    say "Version $version runs${before:+ (before: ${before#versions/}; install.sh --rollback goes back)}."
  else
    say "Version $version is installed in $opt/versions/$version."
  fi
  tidy_versions
  [ -n "$before" ] || next_steps
}

next_steps() {
  if [ ! -e "$etc/config.yaml" ]; then
    say "Next: sudo $name init        (a few questions, writes /etc/$name/config.yaml)"
    say "      sudo $name doctor      (is everything behind it as it should be?)"
  fi
  if systemd; then
    say "Then: sudo systemctl enable --now $name"
  else
    say "There is no systemd here. By hand: setpriv --reuid=$name --regid=$name --init-groups /usr/local/bin/$name serve"
  fi
  say "Web server, fail2ban, upgrade, removal: /opt/$name/current/docs/install.md"
}

rollback() {
  old=$(current previous)
  if [ -z "$old" ] || [ ! -d "$opt/$old" ]; then die 'there is no version to go back to'; fi
  now=$(current current)
  [ "$old" != "$now" ] || die 'there is no version to go back to'
  node=$opt/$old/node/bin/node
  [ -x "$node" ] || { node=$opt/node; [ -x "$node" ] || node=$(command -v node || command -v nodejs) || die 'the version before needs a Node on the PATH'; }
  target=$opt/$old
  version=${old#versions/}
  if [ -e "$etc/config.yaml" ] && [ "$force" = no ]; then
    "$node" "$target/dist/server/cli/main.js" config check --config "$etc/config.yaml" >&2 || die "version $version refuses $etc/config.yaml (see above): take out what is newer, or --force. Nothing was switched."
  fi
  point current "$old"
  point previous "$now"
  put_unit
  if running && [ "$restart" = yes ]; then restart_service || die "version $version did not start: journalctl -u $name"; fi
  say "Version $version is current again (before: ${now#versions/})."
}

uninstall() {
  if systemd && [ -e "$unit" ]; then systemctl disable --now --quiet "$name.service" || true; fi
  rm -f "$root/etc/systemd/system/multi-user.target.wants/$name.service" "$unit" "$link"
  rm -rf "$opt"
  for folder in "$units" "$root/usr/local/lib/systemd"; do
    [ ! -d "$folder" ] || rmdir --ignore-fail-on-non-empty "$folder"
  done
  if systemd; then
    systemctl daemon-reload
    systemctl reset-failed "$name.service" 2>/dev/null || true
  fi
  [ "$1" = purge ] || { say "Removed. Kept: $etc, $state and the user $name (install.sh --purge, from the tarball, removes them too)."; return; }
  rm -rf "$etc" "$state" "$root/etc/systemd/system/$name.service.d" "$root/run/$name"
  if made_by_us; then
    in_root userdel "$name"
    ! grep -q "^$name:" "$root/etc/group" 2>/dev/null || in_root groupdel "$name"
    say 'Removed, with configuration, state and user.'
  elif grep -q "^$name:" "$root/etc/passwd" 2>/dev/null; then
    say "Removed, with configuration and state. The user $name was there before, and stays."
  else
    say 'Removed, with configuration and state.'
  fi
}

main() {
  while [ $# -gt 0 ]; do
    case $1 in
      --root) root=${2:?--root needs a folder}; shift ;;
      --root=*) root=${1#--root=} ;;
      --node) node_given=${2:?--node needs a file}; shift ;;
      --node=*) node_given=${1#--node=} ;;
      --no-restart) restart=no ;;
      --force) force=yes ;;
      --rollback | --uninstall | --purge) action=${1#--} ;;
      --help | -h) usage; exit ;;
      *) usage >&2; exit 2 ;;
    esac
    shift
  done
  [ -z "$root" ] || root=$(CDPATH='' cd -- "$root" && pwd -P) || die 'the folder of --root is not there'
  paths
  [ "$(id -u)" = 0 ] || die 'run it as root (sudo)'
  case $action in
    install) install ;;
    rollback) rollback ;;
    *) uninstall "$action" ;;
  esac
}

# All of it is read before the first line runs: the installed copy may remove itself.
main "$@"
exit
