#!/bin/bash
# `npm run test:package`: the package as somebody meets it for the first time, on a Debian that has nothing. Makes the root with
# debootstrap, boots it with its own systemd (systemd-nspawn), installs, configures, changes a password from outside, breaks it, upgrades,
# goes back, removes, and lists what is left. Needs root, Debian, and: debootstrap systemd-container curl.
#   tests/package/freshRoot.sh [--suite bookworm] [--small] [--work FOLDER] [--keep]
# --small: with the tarball that brings no Node, and Debian's own (which is new enough from trixie on).
# shellcheck disable=SC2119
# shellcheck source=tests/package/debianRoot.sh
source "$(dirname "$0")/debianRoot.sh"

fresh_root fail2ban python3-systemd
step 'packages: 0.1.0 and 0.2.0 with Node, 0.1.0 without'
[ -e "$work/out" ] || npm run --silent build >/dev/null
package 0.1.0
[ "$small" = yes ] || package 0.1.0 --with-node
if [ "$small" = yes ]; then package 0.2.0; else package 0.2.0 --with-node; fi

boot_root
# It would go on making files of its own: it has its turn below.
in_root systemctl stop fail2ban.service 2>/dev/null || true
in_root mkdir -p /root/package
cp "$work"/out/*.tar.gz "$root/root/package/"
before=$(files)

trial=$SECONDS
# -- As docs/install.md has it ------------------------------------------------------------------------------------------------
in_root sh -c 'cd /root/package && tar -xzf mailbox-password-0.1.0-linux-x64.tar.gz'
answer=$(in_root /root/package/mailbox-password-0.1.0/install.sh 2>&1 || true)
has 'without Node: what is missing, and three ways out' "$answer" 'Node 20.19 or later is needed, and there is no Node on this machine'
same 'and nothing was written' "$(diff <(printf '%s\n' "$before") <(files) || true)" ''
if [ "$small" = yes ]; then
  in_root sh -c 'apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends nodejs' >"$work/nodejs.log" 2>&1 || fail "no nodejs: see $work/nodejs.log"
  step "Debian's Node $(in_root node --version)"
  before=$(files)
  flavour=''
else
  flavour=-node
fi
in_root sh -c "cd /root/package && rm -r mailbox-password-0.1.0 && tar -xzf mailbox-password-0.1.0-linux-x64$flavour.tar.gz"
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

in_root sh -c 'groupadd --system mailfiles && usermod --append --groups mailfiles mailbox-password'
become='import { becomeUser } from "/opt/mailbox-password/current/dist/server/cli/becomeUser.js"; becomeUser(...process.argv.slice(1).map(Number)); console.log([...new Set(process.getgroups())].sort().join());'
# shellcheck disable=SC2016
same 'and has the groups of the service, none of root' \
  "$(in_root sh -c 'node=/opt/mailbox-password/current/node/bin/node; [ -x "$node" ] || node=node; UV_USE_IO_URING=0 "$node" --input-type=module -e "$1" "$(id -u mailbox-password)" "$(id -g mailbox-password)"' sh "$become")" \
  "$(in_root id -G mailbox-password | tr ' ' '\n' | sort | paste -sd ,)"
in_root groupdel mailfiles

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

# -- fail2ban over the journal, as docs/install.md has it ---------------------------------------------------------------------------
in_root sh -c 'cp -r /opt/mailbox-password/current/deploy/fail2ban/. /etc/fail2ban/ && printf "[sshd]\nbackend = systemd\n" > /etc/fail2ban/jail.d/sshd.local'
# No firewall of this machine is touched: what would be banned is written down.
in_root sh -c 'printf "[Definition]\nactionban = echo \"<ip> <failures>\" >> /run/banned\nactionunban = true\n" > /etc/fail2ban/action.d/write-down.conf
printf "[mailbox-password]\naction = write-down\n" > /etc/fail2ban/jail.d/zz-trial.local'
in_root systemctl restart fail2ban.service
for _ in $(seq 100); do in_root fail2ban-client status mailbox-password >/dev/null 2>&1 && break; sleep 0.5; done
has 'fail2ban reads the journal of the unit' "$(in_root fail2ban-client status mailbox-password 2>&1 || true)" '_SYSTEMD_UNIT=mailbox-password.service'
guess() { post login --header "x-forwarded-for: $1" --data "{\"address\":\"$2@example.test\",\"password\":\"Guess-number-1\"}" >/dev/null; }
for n in $(seq 15); do guess 203.0.113.66 "nobody$n"; done
for n in $(seq 14); do guess 203.0.113.77 "nobody$n"; done
guess 203.0.113.88 carol
for _ in $(seq 60); do in_root test -s /run/banned && break; sleep 0.5; done
for _ in $(seq 60); do in_root fail2ban-client status mailbox-password | grep -Eq 'Total failed:[[:space:]]+30' && break; sleep 0.5; done
has 'every refusal was counted' "$(in_root fail2ban-client status mailbox-password)" 'Total failed:\s+30'
same 'who went on is banned, with the number of the jail; nobody else is' "$(in_root cat /run/banned)" '203.0.113.66 15'
in_root systemctl stop fail2ban.service
in_root rm -f /run/banned /etc/fail2ban/jail.d/zz-trial.local /etc/fail2ban/jail.d/sshd.local /etc/fail2ban/action.d/write-down.conf /etc/fail2ban/filter.d/mailbox-password.conf /etc/fail2ban/jail.d/mailbox-password.conf

# -- A secret that only systemd reads ----------------------------------------------------------------------------------------------------
metrics=$(node -e 'const s=require("net").createServer().listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})')
scrape() { curl --silent --output /dev/null --write-out '%{http_code}' --header "authorization: Bearer $1" "http://127.0.0.1:$metrics/metrics"; }
in_root cp -p /etc/mailbox-password/config.yaml /root/good.yaml
in_root sh -c "cat >> /etc/mailbox-password/config.yaml" <<YAML

metrics: { port: $metrics, tokens: [{ file: /run/credentials/mailbox-password.service/metrics.token }] }
YAML
in_root sh -c 'umask 077; mkdir -p /root/credstore /etc/systemd/system/mailbox-password.service.d && printf plain-token-0123456789 > /root/credstore/metrics.token
printf "[Service]\nLoadCredential=metrics.token:/root/credstore/metrics.token\n" > /etc/systemd/system/mailbox-password.service.d/credentials.conf && systemctl daemon-reload'
unit restart
same 'a secret from LoadCredential' "$(scrape plain-token-0123456789) $(scrape another)" '200 401'
has 'whose file the service itself cannot read' "$(in_root runuser -u mailbox-password -- cat /root/credstore/metrics.token 2>&1 || true)" 'Permission denied'
same 'a reload still finds it' "$(unit reload >/dev/null 2>&1; echo $?) $(scrape plain-token-0123456789)" '0 200'
has 'and so does the command line of root, while the service runs' "$(in_root mailbox-password config check 2>&1 && echo good)" good
in_root sh -c 'rm /root/credstore/metrics.token && mkdir -p /root/credstore.encrypted && printf sealed-token-0123456789 | systemd-creds encrypt --with-key=host --name=metrics.token - /root/credstore.encrypted/metrics.token 2>/dev/null
printf "[Service]\nLoadCredentialEncrypted=metrics.token:/root/credstore.encrypted/metrics.token\n" > /etc/systemd/system/mailbox-password.service.d/credentials.conf && systemctl daemon-reload'
unit restart
same 'and from LoadCredentialEncrypted, which is no text on the disk' "$(scrape sealed-token-0123456789) $(in_root grep -c sealed /root/credstore.encrypted/metrics.token || true)" '200 0'
in_root sh -c 'rm -rf /etc/systemd/system/mailbox-password.service.d /root/credstore/metrics.token /root/credstore.encrypted/metrics.token; rmdir --ignore-fail-on-non-empty /root/credstore /root/credstore.encrypted; systemctl daemon-reload'
in_root cp -p /root/good.yaml /etc/mailbox-password/config.yaml
unit restart
main=$(pid)

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
in_root sh -c "cd /root/package && tar -xzf mailbox-password-0.2.0-linux-x64$flavour.tar.gz"
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
in_root sh -c 'cd /root/package && mkdir broken && tar -xzf mailbox-password-0.2.0-linux-x64'$flavour'.tar.gz -C broken && cd broken/mailbox-password-0.2.0 && sed -i "s/\"version\": \"0.2.0\"/\"version\": \"0.3.0\"/" package.json && sed -i "2i if (process.argv.includes(\"serve\")) process.exit(1);" dist/server/cli/main.js && find . -type f ! -name SHA256SUMS -exec sha256sum {} + > SHA256SUMS'
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
