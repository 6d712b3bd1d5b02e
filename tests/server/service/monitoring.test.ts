import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { createPromMetrics } from '../../../server/metrics/promMetrics.ts';
import { tempFolder } from '../../fixtures/service.ts';

jest.setTimeout(120_000);

interface Rule { alert: string; expr: string; annotations: Record<string, string> }
interface Rules { groups: { rules: Rule[] }[] }

const root = join(__dirname, '..', '..', '..');
const file = (name: string): string => join(root, 'server', 'package', 'monitoring', name);
const page = readFileSync(join(root, 'docs', 'monitoring.md'), 'utf8');
const rules = (): Rules => parse(readFileSync(file('mailbox-password.rules.yml'), 'utf8')) as Rules;
const alerts = rules().groups.flatMap((group) => group.rules);
const promtool = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8' });
  return { status, said: stdout + stderr };
};

/** Every metric of our own, as the registry has it. */
async function metrics(): Promise<string[]> {
  const text = await createPromMetrics('0.0.0').text({ outbox: { rows: {}, oldestSeconds: 0 }, notices: { count: 0, oldestSeconds: 0 }, certificates: {}, up: {}, readOnly: false });
  return [...text.matchAll(/^# TYPE (mailbox_password_\w+) /gm)].map(([, name]) => String(name)).sort();
}

test('promtool takes the rules and every unit test of them', () => {
  expect(promtool('check', 'rules', file('mailbox-password.rules.yml'))).toMatchObject({ status: 0 });
  expect(promtool('test', 'rules', file('mailbox-password.test.yml'))).toMatchObject({ status: 0 });
});

test.each(alerts.map(({ alert }) => alert))('%s: its unit test fails where it never fires, and where it always does', (alert) => {
  const folder = tempFolder();
  // Those of the other alerts say nothing here, and take their time.
  const own = parse(readFileSync(file('mailbox-password.test.yml'), 'utf8')) as { tests: unknown[] };
  writeFileSync(join(folder, 'mailbox-password.test.yml'), stringify({ ...own, tests: own.tests.filter((one) => JSON.stringify(one).includes(`\\"${alert}\\"`)) }));
  for (const expr of ['vector(1) == 2', 'label_replace(vector(1), "job", "other-platform", "", "") or label_replace(label_replace(vector(1), "job", "mailbox-password", "", ""), "instance", "node2", "", "")']) {
    const broken = rules();
    for (const rule of broken.groups.flatMap((group) => group.rules)) if (rule.alert === alert) rule.expr = expr;
    writeFileSync(join(folder, 'mailbox-password.rules.yml'), stringify(broken));
    expect([expr, promtool('test', 'rules', join(folder, 'mailbox-password.test.yml')).status]).toEqual([expr, 1]);
  }
});

test('every alert has a section that says what to do, and every section an alert', () => {
  expect([...page.matchAll(/^### (\w+)$/gm)].map(([, name]) => name).sort()).toEqual(alerts.map(({ alert }) => alert).sort());
  for (const { alert, annotations } of alerts) expect([alert, annotations['runbook']]).toEqual([alert, `docs/monitoring.md#${alert.toLowerCase()}`]);
});

test('every metric is in the documents, and every metric of the documents, the rules and the dashboard is there', async () => {
  const known = await metrics();
  expect([...page.matchAll(/^\| `(mailbox_password_\w+)` \|/gm)].map(([, name]) => name).sort()).toEqual(known);
  for (const name of ['mailbox-password.rules.yml', 'mailbox-password.dashboard.json']) {
    const used = [...readFileSync(file(name), 'utf8').matchAll(/\bmailbox_password_\w+/g)].map(([used_]) => used_.replace(/_(bucket|count|sum)$/, ''));
    expect(used.filter((one) => !known.includes(one))).toEqual([]);
    expect(used.length).toBeGreaterThan(8);
  }
});

test('the dashboard shows every metric but those that say something once, or that another one shows better', async () => {
  const shown = readFileSync(file('mailbox-password.dashboard.json'), 'utf8');
  const hidden = (await metrics()).filter((name) => !new RegExp(`\\b${name}(_bucket)?\\b`).test(shown));
  expect(hidden).toEqual(['mailbox_password_build_info', 'mailbox_password_config_reloads_total', 'mailbox_password_http_request_duration_seconds']);
});

test('the dashboard is JSON that Grafana takes: a title, panels with a query each, ids of their own', () => {
  const dashboard = JSON.parse(readFileSync(file('mailbox-password.dashboard.json'), 'utf8')) as { title: string; uid: string; panels: { id: number; title: string; targets: { expr: string }[] }[] };
  expect(dashboard.title).toBe('Mailbox Password');
  expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
  for (const { title, targets } of dashboard.panels) for (const { expr } of targets) {
    // promtool has no "check expression": a rule with it does the same.
    const folder = tempFolder();
    writeFileSync(join(folder, 'x.yml'), stringify({ groups: [{ name: 'x', rules: [{ record: 'x', expr: expr.replaceAll('$__rate_interval', '5m') }] }] }));
    expect([title, promtool('check', 'rules', join(folder, 'x.yml')).status]).toEqual([title, 0]);
  }
});
