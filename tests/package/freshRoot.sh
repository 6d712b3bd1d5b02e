#!/bin/bash
# `npm run test:package`: the package as somebody meets it for the first time, on a Debian that has nothing. Makes the root with
# debootstrap, boots it with its own systemd (systemd-nspawn), installs, configures, changes a password from outside, breaks it, upgrades,
# goes back, removes, and lists what is left. Needs root, Debian, and: debootstrap systemd-container curl.
#   tests/package/freshRoot.sh [--suite bookworm] [--work FOLDER] [--keep]
set -euo pipefail
cd "$(dirname "$0")/../.."
suite=bookworm
work=''
keep=no
while [ $# -gt 0 ]; do
  case $1 in
    --suite) suite=$2; shift ;;
    --work) work=$2; shift ;;
    --keep) keep=yes ;;
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
files() { in_root find / -xdev \( -path /proc -o -path /sys -o -path /run -o -path /dev -o -path /tmp -o -path /var/log -o -path /root/package \) -prune -o -printf '%p %y\n' | sort; }

step "a fresh $suite"
if [ ! -e "$root/bin/sh" ]; then
  # shellcheck disable=SC2016
  mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep -v security | head -n 1)
  debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus "$suite" "$root" "$mirror" >"$work/debootstrap.log" 2>&1
fi

step 'packages: 0.1.0 and 0.2.0 with Node, 0.1.0 without'
if [ -e "$work/out/mailbox-password-0.2.0-linux-x64-node.tar.gz" ]; then
  step "as they are in $work/out"
else
  npm run --silent build >/dev/null
  node server/package/buildPackage.mjs --no-build --out "$work/out" --release 0.1.0 >/dev/null
  node server/package/buildPackage.mjs --no-build --out "$work/out" --release 0.1.0 --with-node | tail -n 1
  node server/package/buildPackage.mjs --no-build --out "$work/out" --release 0.2.0 --with-node >/dev/null
fi

systemd-nspawn --quiet --register=no --keep-unit --console=passive --directory "$root" --boot >"$work/console" 2>&1 </dev/null &
nspawn=$!
for _ in $(seq 100); do
  leader=$(pgrep --parent "$nspawn" | head -n 1 || true)
  [ -n "$leader" ] && in_root systemctl is-system-running 2>/dev/null | grep -Eq 'running|degraded' && break
  sleep 0.3
done
same 'systemd is process 1' "$(in_root cat /proc/1/comm)" systemd
in_root mkdir -p /root/package
cp "$work"/out/*.tar.gz "$root/root/package/"
before=$(files)

trial=$SECONDS
# -- As docs/install.md has it ------------------------------------------------------------------------------------------------
in_root sh -c 'cd /root/package && tar -xzf mailbox-password-0.1.0-linux-x64.tar.gz'
answer=$(in_root /root/package/mailbox-password-0.1.0/install.sh 2>&1 || true)
has 'without Node: what is missing, and three ways out' "$answer" 'Node 20.19 or later is needed, and there is no Node on this machine'
same 'and nothing was written' "$(files)" "$before"
in_root sh -c 'cd /root/package && rm -r mailbox-password-0.1.0 && tar -xzf mailbox-password-0.1.0-linux-x64-node.tar.gz'
answer=$(in_root /root/package/mailbox-password-0.1.0/install.sh 2>&1)
has 'installed, with what comes next' "$answer" 'systemctl enable --now mailbox-password'
answer=$(unit start 2>&1 || true)
has 'without a configuration it does not start' "$(unit show --property AssertResult)$answer" 'AssertResult=no'
port=$(node -e 'const s=require("net").createServer().listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})')
in_root sh -c "cat > /root/answers.yaml" <<YAML
server: { port: $port, publicUrl: null, trustProxy: ["127.0.0.1"] }
dataDir: /var/lib/mailbox-password
YAML
printf 'Correct-horse-9\n' | in_root mailbox-password init -o /etc/mailbox-password/config.yaml --answers /root/answers.yaml --administrator admin --password-stdin >/dev/null
same 'the configuration is for the service and root alone' "$(in_root stat -c '%a %U:%G' /etc/mailbox-password/config.yaml)" '640 root:mailbox-password'
has 'config check' "$(in_root mailbox-password config check 2>&1 && echo good)" good
unit enable --quiet
unit start
same 'the service is active when systemctl start returns' "$(unit is-active)" active
same 'and answers at once' "$(curl --silent --output /dev/null --write-out '%{http_code}' "http://127.0.0.1:$port/readyz")" 200
step "from the tarball to the first answer: $((SECONDS - trial)) s"

# -- A change, from outside ----------------------------------------------------------------------------------------------------
api=http://127.0.0.1:$port/mailbox-password/panel/api/v1
jar=$work/cookies
post() { curl --silent --cookie "$jar" --cookie-jar "$jar" --header 'content-type: application/json' "${@:2}" "$api/$1"; }
token() { sed -n 's/.*"csrfToken":"\([^"]*\)".*/\1/p'; }
answer=$(post login --data '{"address":"alice@example.test","password":"Wonder-land-7"}')
csrf=$(token <<<"$answer")
answer=$(post password --header "x-csrf-token: $csrf" --data '{"currentPassword":"Wonder-land-7","newPassword":"Fresh!Harvest42"}')
has 'a password is changed from outside' "$answer" '"revocation":"done"'
has 'the old one is refused' "$(post login --data '{"address":"alice@example.test","password":"Wonder-land-7"}')" CREDENTIALS_WRONG
has 'the new one works' "$(post login --data '{"address":"alice@example.test","password":"Fresh!Harvest42"}')" csrfToken
journal=$(in_root journalctl --unit mailbox-password.service --output cat --no-pager)
has 'the journal has the change' "$journal" '"msg":"password change"'
# (The demonstration prints the passwords that its mailboxes start with.)
! grep -Eq 'Fresh!Harvest42|Correct-horse-9' <<<"$journal" || fail 'a password is in the journal'
ok 'no password is in the journal'
has 'and the command line the history' "$(in_root mailbox-password audit list 2>&1 || true)" 'alice@example.test'
same 'a command of root leaves no file of root behind' "$(in_root find /var/lib/mailbox-password ! -user mailbox-password)" ''

# -- What the unit allows --------------------------------------------------------------------------------------------------------
has 'exposure, as the running systemd counts it' "$(in_root systemd-analyze security --no-pager mailbox-password.service | tail -n 1)" 'exposure level for mailbox-password.service: (0|1\.[0-5])'
step "$(in_root systemd-analyze security --no-pager mailbox-password.service | tail -n 1)"
main=$(pid)
status=$(in_root cat "/proc/$main/status")
has 'no capability, no new privileges, a system call filter' "$(grep -E '^(CapBnd|CapEff|NoNewPrivs|Seccomp):' <<<"$status" | tr -s '\t\n' ' ')" 'CapEff: 0+ CapBnd: 0+ NoNewPrivs: 1 Seccomp: 2'
inside() { in_root nsenter --target "$main" --mount -- "$@" 2>&1 || true; }
has 'the system is read-only for it' "$(inside sh -c 'echo x > /usr/x')$(inside sh -c 'echo x > /etc/x')" 'Read-only file system.*Read-only file system|Read-only'
has 'its state is not' "$(inside sh -c 'test -w /var/lib/mailbox-password && echo writable')" writable
has 'no home folders' "$(inside ls -ld /root /home)" 'd--------- |d[-r][-w][-x]------ .* 0 '

# -- It breaks -----------------------------------------------------------------------------------------------------------------------
in_root sh -c "kill -KILL $main"
for _ in $(seq 100); do [ "$(unit is-active)" = active ] && [ "$(pid)" != "$main" ] && [ "$(pid)" != 0 ] && break; sleep 0.3; done
same 'killed, it is back' "$(unit is-active)" active
has 'with what it knew' "$(post login --data '{"address":"alice@example.test","password":"Fresh!Harvest42"}')" csrfToken
main=$(pid)
same 'a reload comes back with 0' "$(unit reload >/dev/null 2>&1; echo $?)" 0
has 'after the new configuration was put to work' "$(unit show --property StatusText)" 'StatusText=Serving at .*; configuration read 20'
same 'and keeps the process' "$(pid)" "$main"
in_root sh -c "cp -p /etc/mailbox-password/config.yaml /root/good.yaml && printf 'colour: red\n' >> /etc/mailbox-password/config.yaml"
has 'a refused reload fails' "$(unit reload 2>&1; echo "exit code $?")" 'exit code 1'
has 'systemctl status says why' "$(unit status --no-pager --lines 0)" 'Status: "Serving with the configuration before: the new one was REFUSED .*colour'
same 'and the old one goes on' "$(pid) $(unit is-active) $(curl --silent --output /dev/null --write-out '%{http_code}' "http://127.0.0.1:$port/readyz")" "$main active 200"
in_root cp -p /root/good.yaml /etc/mailbox-password/config.yaml
unit reload
has 'mended, it is read' "$(unit show --property StatusText)" 'StatusText=Serving at .*; configuration read 20'
same 'and the answers' "$(curl --silent --output /dev/null --write-out '%{http_code}' "http://127.0.0.1:$port/readyz")" 200
in_root sh -c "kill -STOP $main"
for _ in $(seq 200); do [ "$(unit is-active)" = active ] && [ "$(pid)" != "$main" ] && [ "$(pid)" != 0 ] && break; sleep 0.3; done
has 'stuck, the watchdog restarts it' "$(in_root journalctl --unit mailbox-password.service --no-pager)" 'Watchdog timeout'
same 'and it is active' "$(unit is-active)" active
in_root sh -c "cp -p /etc/mailbox-password/config.yaml /root/good.yaml && printf 'colour: red\n' >> /etc/mailbox-password/config.yaml"
unit restart 2>/dev/null || true
has 'exit status' "$(unit show --property ExecMainStatus)" '=78'
has 'the journal names what is wrong' "$(in_root journalctl --unit mailbox-password.service --output cat --no-pager --lines 20)" colour

# -- Upgrade, back, away ---------------------------------------------------------------------------------------------------------------
in_root sh -c 'cd /root/package && tar -xzf mailbox-password-0.2.0-linux-x64-node.tar.gz'
answer=$(in_root /root/package/mailbox-password-0.2.0/install.sh 2>&1 || true)
has 'an upgrade stops at a configuration that the new version refuses' "$answer" 'Nothing was switched; 0.1.0'
in_root cp -p /root/good.yaml /etc/mailbox-password/config.yaml
unit reset-failed
unit start
# A session store that is away: its log-out is owed while the version changes.
hook=$(node -e 'const s=require("net").createServer().listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})')
in_root sh -c "cat >> /etc/mailbox-password/config.yaml" <<YAML

sessions:
  - { driver: embedded, name: web }
  - { driver: webhook, name: hook, url: "http://127.0.0.1:$hook/", secret: whsec_$(printf '%032d' 7 | base64), channels: [activesync] }
YAML
unit restart
csrf=$(post login --data '{"address":"bob@example.test","password":"Builder-can-8"}' | token)
has 'a log-out is owed' "$(post password --header "x-csrf-token: $csrf" --data '{"currentPassword":"Builder-can-8","newPassword":"Fresh!Harvest42"}')" '"revocation":"pending"'
answer=$(in_root /root/package/mailbox-password-0.2.0/install.sh 2>&1)
has 'upgraded, running' "$answer" 'Version 0.2.0 runs'
has 'still owed' "$(in_root mailbox-password outbox list 2>&1 || true)" 'bob@example.test'
node -e 'const s=require("http").createServer((q,r)=>{q.resume();q.on("end",()=>r.end("{}"))});s.listen(+process.argv[1],"127.0.0.1");setTimeout(()=>process.exit(),120000)' "$hook" &
hookpid=$!
# (It ends with 1 as long as anything is owed.)
for _ in $(seq 100); do in_root mailbox-password outbox list >/dev/null 2>&1 && break; sleep 0.5; done
has 'and delivered by the new version' "$(in_root mailbox-password outbox list 2>&1; echo "exit code $?")" 'exit code 0'
kill "$hookpid"
has 'the state is kept' "$(post login --data '{"address":"alice@example.test","password":"Fresh!Harvest42"}')" csrfToken
# A version that does not start: the switch is taken back by itself.
in_root sh -c 'cd /root/package && mkdir broken && tar -xzf mailbox-password-0.2.0-linux-x64-node.tar.gz -C broken && cd broken/mailbox-password-0.2.0 && sed -i "s/\"version\": \"0.2.0\"/\"version\": \"0.3.0\"/" package.json && sed -i "2i if (process.argv.includes(\"serve\")) process.exit(1);" dist/server/cli/main.js && find . -type f ! -name SHA256SUMS -exec sha256sum {} + > SHA256SUMS'
answer=$(in_root /root/package/broken/mailbox-password-0.2.0/install.sh 2>&1 || true)
has 'a version that does not start is taken back' "$answer" 'the upgrade to 0.3.0 was taken back'
same 'and the one before runs' "$(unit is-active) $(in_root readlink /opt/mailbox-password/current)" 'active versions/0.2.0'
in_root /opt/mailbox-password/current/install.sh --rollback >/dev/null
same 'rolled back' "$(unit is-active) $(in_root readlink /opt/mailbox-password/current)" 'active versions/0.1.0'
has 'the older version reads the state' "$(post login --data '{"address":"alice@example.test","password":"Fresh!Harvest42"}')" csrfToken
main=$(pid)
begin=$(date +%s%N)
unit stop
step "stopped in $((($(date +%s%N) - begin) / 1000000)) ms"
unit start
in_root rm -f /root/answers.yaml /root/good.yaml
in_root /opt/mailbox-password/current/install.sh --uninstall >/dev/null
answer=$(diff <(printf '%s\n' "$before") <(files) | grep '^[<>]' || true)
[ -z "$answer" ] || printf '            %s\n' "${answer//$'\n'/$'\n            '}"
same 'removed: what is left is configuration, state, user' "$(grep -Ev '/etc/mailbox-password|/var/lib/mailbox-password|/etc/(passwd|group|shadow|gshadow|subuid|subgid)-? |/etc/\.pwd\.lock|/var/cache/ldconfig|/var/lib/systemd|/root/' <<<"$answer" | tr -d '\n')" ''
in_root /root/package/mailbox-password-0.2.0/install.sh --purge >/dev/null
answer=$(diff <(printf '%s\n' "$before") <(files) | grep '^[<>]' || true)
[ -z "$answer" ] || printf '            %s\n' "${answer//$'\n'/$'\n            '}"
same 'purged: nothing is left but copies that useradd makes' "$(grep -Ev '/etc/(passwd|group|shadow|gshadow|subuid|subgid)-? |/etc/\.pwd\.lock|/var/lib/systemd|/root/' <<<"$answer" | tr -d '\n')" ''
same 'and no user' "$(in_root getent passwd mailbox-password || true)" ''
step "the whole trial: $((SECONDS - trial)) s"
