/** What a server of docs/account-api.openapi.yaml must hold to, tried from outside, over HTTP alone. */
export interface ProbeAccount { readonly address: string; readonly password: string }

export interface ProbeTarget {
  /** Where the API answers, without a slash at the end. */
  readonly url: string;
  readonly key: string;
  /** Two mailboxes of one domain, made for this; their passwords are changed many times and set back at the end. */
  readonly first: ProbeAccount;
  readonly second: ProbeAccount;
  /** A mailbox that exists and may not log in. */
  readonly locked?: ProbeAccount | undefined;
}

export interface ProbeResult {
  readonly sentence: string;
  readonly outcome: 'holds' | 'fails' | 'not offered';
  /** Where it fails: what came instead. Holds no password. */
  readonly detail?: string;
}

interface Answer { readonly status: number; readonly body: Readonly<Record<string, unknown>>; readonly type: string; readonly text: string }

class Violation extends Error {}
class NotOffered extends Error {}

const NOBODY = 'nobody-of-that-name@example.invalid';
const STATUS: Readonly<Record<string, number>> = {
  AUTHENTICATION_REQUIRED: 401, REQUEST_MALFORMED: 400, REQUEST_INVALID: 422, ACCOUNT_NOT_FOUND: 404, ACCOUNT_AMBIGUOUS: 409, ACCOUNT_LOCKED: 423,
  ACCOUNT_CHANGED_MEANWHILE: 409, ACCOUNT_NOT_CHANGEABLE: 409, CURRENT_PASSWORD_WRONG: 422, PASSWORD_REJECTED_BY_SERVER: 422,
  PASSWORD_TOO_LONG_FOR_SCHEME: 422, PASSWORD_IN_HISTORY: 422, PASSWORD_CHANGE_TOO_SOON: 422, OPERATION_NOT_SUPPORTED: 501,
};

function must(condition: boolean, said: string): asserts condition {
  if (!condition) throw new Violation(said);
}

const code = ({ body }: Answer): string => (typeof body['code'] === 'string' ? body['code'] : 'none');
const shown = (answer: Answer): string => `${String(answer.status)} with code ${code(answer)}`;

/** One result after the other. The API is left with the passwords that it had. */
export async function* probeAccountApi({ url, key, first, second, locked }: ProbeTarget): AsyncGenerator<ProbeResult> {
  const current = new Map([[first.address, first.password], [second.address, second.password]]);
  let serial = 0;
  const fresh = (): string => `Probe-Pass/${String((serial += 1))}-${String(Math.floor(performance.now()))}`;
  const domain = first.address.slice(first.address.lastIndexOf('@') + 1);

  async function ask(method: 'GET' | 'POST', path: string, body?: unknown, authorization: string | null = `Bearer ${key}`): Promise<Answer> {
    const response = await fetch(`${url}${path}`, {
      method, redirect: 'manual', signal: AbortSignal.timeout(20_000),
      headers: { accept: 'application/json', ...(authorization !== null && { authorization }), ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const passwords = [...current.values()];
    must(!passwords.some((password) => password !== '' && text.includes(password)), 'an answer repeats a password');
    must(!/\$(argon2|2[aby]|6|5)\$|\{[A-Z0-9-]*(CRYPT|SHA|ARGON)/u.test(text), 'an answer holds a password hash');
    let parsed: unknown;
    try {
      parsed = JSON.parse(text);
    } catch {
      parsed = null;
    }
    const answer: Answer = { status: response.status, type: response.headers.get('content-type') ?? '', text, body: (typeof parsed === 'object' && parsed !== null ? parsed : {}) as Answer['body'] };
    must(answer.status < 300 || answer.status >= 400, `a redirect (${String(answer.status)})`);
    if (answer.status === 501) throw new NotOffered(path);
    return answer;
  }
  const path = (address: string, action = ''): string => `/accounts/${encodeURIComponent(address)}${action}`;
  function refused(answer: Answer, ...codes: string[]): void {
    must(codes.includes(code(answer)), `${shown(answer)} instead of ${codes.join(' or ')}`);
    must(answer.status === STATUS[code(answer)], `${shown(answer)}, whose status is ${String(STATUS[code(answer)])}`);
  }
  async function verify(address: string, password: string): Promise<boolean> {
    const answer = await ask('POST', path(address, '/verify'), { password });
    must(answer.status === 200 && typeof answer.body['verified'] === 'boolean', `verify answers ${shown(answer)} instead of 200 {"verified": true or false}`);
    return answer.body['verified'];
  }
  const change = (address: string, currentPassword: string, newPassword: string): Promise<Answer> => ask('POST', path(address, '/change'), { currentPassword, newPassword });
  const set = (address: string, newPassword: string): Promise<Answer> => ask('POST', path(address, '/set'), { newPassword });
  /** With what is offered; `change` first. */
  async function renew(address: string, next: string): Promise<Answer> {
    const answer = await change(address, current.get(address) ?? '', next).catch((error: unknown) => {
      if (error instanceof NotOffered) return set(address, next);
      throw error;
    });
    if (answer.status === 200) current.set(address, next);
    return answer;
  }
  function isChanged(answer: Answer): void {
    must(answer.status === 200 && answer.body['changed'] === true, `${shown(answer)} instead of 200 {"changed": true}`);
    const at = answer.body['changedAt'];
    must(at === undefined || at === null || (Number.isSafeInteger(at) && Math.abs((at as number) - Date.now()) < 60_000), 'changedAt is not the time now, in milliseconds');
  }
  function isAccount(value: unknown): asserts value is { address: string; enabled: boolean; passwordVersion?: unknown } {
    must(typeof value === 'object' && value !== null, 'no account');
    const { address, enabled, passwordChangedAt = null, displayName = null, passwordVersion = null } = value as Record<string, unknown>;
    must(typeof address === 'string' && typeof enabled === 'boolean', 'an account needs address (text) and enabled (boolean)');
    must(passwordChangedAt === null || (Number.isSafeInteger(passwordChangedAt) && (passwordChangedAt as number) > 1e12), 'passwordChangedAt is neither null nor milliseconds since 1970');
    must(displayName === null || typeof displayName === 'string', 'displayName is neither null nor a text');
    must(!('changeRequired' in value) || typeof value.changeRequired === 'boolean', 'changeRequired is no boolean');
    must(passwordVersion === null || (typeof passwordVersion === 'string' && passwordVersion.length <= 255), 'passwordVersion is neither null nor a text of at most 255 characters');
  }
  async function stillCurrent(): Promise<void> {
    for (const [address, password] of current) must(await verify(address, password), 'the password was changed all the same');
  }

  const checks: readonly (readonly [sentence: string, run: () => Promise<void>])[] = [
    ['A request without the key, or with another one, is 401', async () => {
      for (const authorization of [null, 'Bearer wrong', `Bearer ${key}x`, `Basic ${key}`]) {
        for (const [method, at, body] of [['GET', path(first.address), undefined], ['POST', path(first.address, '/verify'), { password: 'x' }], ['POST', path(first.address, '/change'), { currentPassword: 'x', newPassword: 'y' }],
          ['POST', path(first.address, '/set'), { newPassword: 'Taken-Over-1' }], ['GET', '/domains', undefined], ['GET', `/mailboxes?domain=${domain}`, undefined]] as const) {
          const answer = await ask(method, at, body, authorization);
          must(answer.status === 401, `${method} ${at.split('/').at(-1) ?? ''}: ${String(answer.status)} instead of 401`);
        }
      }
    }],
    ['A mailbox is found, with its address and whether it may log in', async () => {
      for (const address of [first.address, first.address.toUpperCase()]) {
        const answer = await ask('GET', path(address));
        must(answer.status === 200, `${shown(answer)} instead of 200`);
        must(answer.type.startsWith('application/json'), `content type ${answer.type}`);
        isAccount(answer.body);
        must(answer.body.address.toLowerCase() === first.address.toLowerCase() && answer.body.enabled, 'another mailbox, or not enabled');
      }
      if (locked !== undefined) must((await ask('GET', path(locked.address))).body['enabled'] === false, 'the locked mailbox is told as enabled');
    }],
    ['An unknown mailbox is 404 ACCOUNT_NOT_FOUND; a wrong path has another code', async () => {
      refused(await ask('GET', path(NOBODY)), 'ACCOUNT_NOT_FOUND');
      const answer = await ask('GET', '/no-such-path');
      must(answer.status === 404 && code(answer) !== 'ACCOUNT_NOT_FOUND', `a wrong path answers ${shown(answer)}`);
    }],
    ['Names made to break things are nobody\'s', async () => {
      for (const name of ['*', `*@${domain}`, '%', `%@${domain}`, `_@${domain}`, "' OR '1'='1", `${first.address}\0`, `${first.address}\n`, `${first.address} `, ` ${first.address}`, `x/../${first.address}`,
        `../accounts/${first.address}`, `${first.address})(uid=*`, encodeURIComponent(first.address), `${first.address},${second.address}`, 'all', `${'a'.repeat(3000)}@${domain}`]) {
        const found = await ask('GET', path(name));
        must([400, 404, 414, 422].includes(found.status), `a name of ${String(name.length)} characters (${JSON.stringify(name.slice(0, 20))}) answers ${shown(found)}`);
        const taken = await set(name, 'Taken-Over-1').catch((error: unknown) => { if (error instanceof NotOffered) return null; throw error; });
        must(taken === null || [400, 404, 414, 422].includes(taken.status), `set for ${JSON.stringify(name.slice(0, 20))} answers ${String(taken?.status)}`);
      }
      await stillCurrent();
    }],
    ['The right password is verified and no other; an unknown or locked mailbox is false', async () => {
      const right = current.get(first.address) ?? '';
      must(await verify(first.address, right), 'the right password is refused');
      for (const wrong of ['', ' ', 'wrong', `${right} `, ` ${right}`, right.slice(0, -1), right.toUpperCase(), current.get(second.address) ?? '', '0', `${right}\0`])
        must(!(await verify(first.address, wrong)), `a wrong password of ${String(wrong.length)} characters is verified`);
      must(!(await verify(NOBODY, right)), 'an unknown mailbox is verified');
      if (locked !== undefined) must(!(await verify(locked.address, locked.password)), 'a locked mailbox is verified');
    }],
    ['Unknown mailbox and wrong password take the same time (median of nine each in turns, within a factor of two and 15 ms)', async () => {
      const median = (times: readonly number[]): number => [...times].sort((left, right) => left - right)[4] ?? 0;
      // In turns, so that other work of the machine meets both; and what a busy machine did once does not come back, what a provider does stays.
      const compare = async (): Promise<string | null> => {
        const times: Record<'wrong' | 'unknown', number[]> = { wrong: [], unknown: [] };
        for (let round = 0; round < 9; round += 1) for (const [kind, address] of [['wrong', first.address], ['unknown', NOBODY]] as const) {
          const start = performance.now();
          await verify(address, 'wrong');
          times[kind].push(performance.now() - start);
        }
        const [wrong, unknown] = [median(times.wrong), median(times.unknown)];
        return Math.abs(wrong - unknown) < 15 || Math.max(wrong, unknown) < 2 * Math.min(wrong, unknown) ? null : `${wrong.toFixed(0)} ms and ${unknown.toFixed(0)} ms`;
      };
      await verify(NOBODY, 'wrong');
      let difference = await compare();
      for (let again = 0; difference !== null && again < 2; again += 1) difference = await compare();
      must(difference === null, difference ?? '');
    }],
    ['A change with a wrong current password, or of an unknown mailbox, is refused and changes nothing', async () => {
      for (const wrong of ['', 'wrong', `${current.get(first.address) ?? ''}x`]) refused(await change(first.address, wrong, fresh()), 'CURRENT_PASSWORD_WRONG');
      refused(await change(NOBODY, 'x', fresh()), 'CURRENT_PASSWORD_WRONG', 'ACCOUNT_NOT_FOUND');
      if (locked !== undefined) refused(await change(locked.address, locked.password, fresh()), 'ACCOUNT_LOCKED', 'CURRENT_PASSWORD_WRONG');
      await stillCurrent();
    }],
    ['A change counts at once: the new password is right, the old one wrong, another mailbox is untouched', async () => {
      const old = current.get(first.address) ?? '';
      const next = fresh();
      const answer = await change(first.address, old, next);
      isChanged(answer);
      current.set(first.address, next);
      must(!(await verify(first.address, old)), 'the old password is still right');
      await stillCurrent();
    }],
    ['Of six changes at once with the same current password one is done, and the others are told', async () => {
      const was = current.get(first.address) ?? '';
      const wanted = Array.from({ length: 6 }, fresh);
      const answers = await Promise.all(wanted.map((next) => change(first.address, was, next)));
      const winners = wanted.filter((_, index) => answers[index]?.status === 200);
      if (winners[0] !== undefined) current.set(first.address, winners[0]);
      must(winners.length === 1, `${String(winners.length)} were answered with 200`);
      for (const answer of answers) if (answer.status !== 200) refused(answer, 'CURRENT_PASSWORD_WRONG', 'ACCOUNT_CHANGED_MEANWHILE');
      for (const next of wanted) must((await verify(first.address, next)) === (next === winners[0]), 'the one that was answered with 200 is not the one that counts');
    }],
    ['An administrator sets without the current password; an unknown mailbox is 404', async () => {
      const next = fresh();
      isChanged(await set(second.address, next));
      const old = current.get(second.address) ?? '';
      current.set(second.address, next);
      must(!(await verify(second.address, old)), 'the old password is still right');
      await stillCurrent();
      refused(await set(NOBODY, fresh()), 'ACCOUNT_NOT_FOUND');
      refused(await ask('GET', path(NOBODY)), 'ACCOUNT_NOT_FOUND');
    }],
    ['passwordVersion is another one after a change, and the same between', async () => {
      const version = async (): Promise<unknown> => (await ask('GET', path(first.address))).body['passwordVersion'] ?? null;
      const before = await version();
      if (before === null) throw new NotOffered('passwordVersion');
      must((await version()) === before, 'it differs without a change');
      isChanged(await renew(first.address, fresh()));
      const after = await version();
      must(after !== before && after !== null, 'it is the same after a change');
    }],
    ['A new password can be asked for at the next log-in; a change, or a set without the mark, takes that away (1.1)', async () => {
      const marked = async (address: string): Promise<unknown> => (await ask('GET', path(address))).body['changeRequired'];
      const mark = (address: string, changeRequired: unknown) => ask('POST', path(address, '/require-change'), { changeRequired });
      if ((await marked(first.address)) === undefined) throw new NotOffered('changeRequired');
      for (const wanted of [true, true, false, true]) {
        const answer = await mark(first.address, wanted);
        must(answer.status === 200 && answer.body['changeRequired'] === wanted, `${shown(answer)} instead of 200 {"changeRequired": ${String(wanted)}}`);
        must((await marked(first.address)) === wanted && (await marked(second.address)) === false, 'the mark is not told as it was made, or at another mailbox');
      }
      await stillCurrent();
      isChanged(await renew(first.address, fresh()));
      must((await marked(first.address)) === false, 'a change leaves the mark');
      for (const changeRequired of [true, true, false]) {
        const next = fresh();
        isChanged(await ask('POST', path(first.address, '/set'), { newPassword: next, changeRequired }));
        current.set(first.address, next);
        must((await marked(first.address)) === changeRequired, `a set with changeRequired ${String(changeRequired)} is told as the contrary`);
      }
      await mark(first.address, true);
      isChanged(await set(first.address, current.get(first.address) ?? ''));
      must((await marked(first.address)) === false, 'a set that says nothing of the mark leaves it');
      refused(await mark(NOBODY, true), 'ACCOUNT_NOT_FOUND');
      for (const wrong of [undefined, null, 'true', 1]) refused(await mark(first.address, wrong), 'REQUEST_INVALID', 'REQUEST_MALFORMED');
    }],
    ['A set that names a passwordVersion is done only while that is the version, of two at once by one (1.1)', async () => {
      const { body } = await ask('GET', path(first.address));
      const version = body['passwordVersion'] ?? null;
      if (body['changeRequired'] === undefined || version === null) throw new NotOffered('passwordVersion in set');
      const wanted = [fresh(), fresh()];
      const setAt = (newPassword: string, passwordVersion: unknown) => ask('POST', path(first.address, '/set'), { newPassword, passwordVersion });
      const answers = await Promise.all(wanted.map((next) => setAt(next, version)));
      const winner = wanted.filter((_, index) => answers[index]?.status === 200);
      if (winner[0] !== undefined) current.set(first.address, winner[0]);
      must(winner.length === 1, `${String(winner.length)} of two were answered with 200`);
      for (const answer of answers) if (answer.status !== 200) refused(answer, 'ACCOUNT_CHANGED_MEANWHILE');
      refused(await setAt(fresh(), version), 'ACCOUNT_CHANGED_MEANWHILE');
      await stillCurrent();
      const next = fresh();
      isChanged(await setAt(next, null));
      current.set(first.address, next);
      await stillCurrent();
    }],
    ['Every password is taken as it comes, or refused with a code: never trimmed, cut or read as something else', async () => {
      for (const next of ['  Padded Pass-1  ', `Q'"\\\`;--/*Pass-1`, '{PLAIN}a:B:c:1', '%s%d%u-Pass1', 'Pass-\u{1F600}\u{1F469}\u200d\u{1F4BB}-1', 'Пароль-密码-1Aa', `Aa1!${'x'.repeat(68)}y`, `Aa1!${'x'.repeat(124)}`, 'Nul-\0-Pass1']) {
        const answer = await renew(second.address, next);
        if (answer.status !== 200) refused(answer, 'PASSWORD_REJECTED_BY_SERVER', 'PASSWORD_TOO_LONG_FOR_SCHEME');
        else {
          isChanged(answer);
          for (const other of [next.slice(0, -1), next.trim(), next.replace('{PLAIN}', ''), next.split('\0')[0] ?? ''])
            must(other === next || !(await verify(second.address, other)), `of a password of ${String(Buffer.byteLength(next))} bytes a part is enough`);
        }
        await stillCurrent();
      }
    }],
    ['A body that is no JSON object, or a field that is missing or no text, is refused and changes nothing', async () => {
      const [address, password] = [first.address, current.get(first.address) ?? ''];
      for (const action of ['/verify', '/change', '/set']) {
        for (const body of ['', 'null', '[]', '"x"', '{"newPassword":', '{}', '{"password":null,"newPassword":null}', `{"currentPassword":${JSON.stringify(password)},"newPassword":["Taken-Over-1"],"password":["x"]}`,
          `{"currentPassword":${JSON.stringify(password)},"newPassword":12345678,"password":1}`, `{"currentPassword":${JSON.stringify(password)}}`, '{"currentPassword":true,"newPassword":{"a":1},"password":true}']) {
          const answer = await ask('POST', path(address, action), body).catch((error: unknown) => { if (error instanceof NotOffered) return null; throw error; });
          must(answer === null || answer.status === 400 || answer.status === 422, `${action} with a body of ${String(body.length)} characters answers ${String(answer?.status)}`);
        }
      }
      await stillCurrent();
    }],
    ['Domains are listed and searched; no character is a wildcard', async () => {
      const list = async (search: string): Promise<unknown[]> => {
        const { body } = await ask('GET', `/domains?search=${encodeURIComponent(search)}`);
        must(Array.isArray(body['domains']) && body['domains'].every((name) => typeof name === 'string'), 'no list of texts under "domains"');
        return (body['domains']).map((name) => name.toLowerCase());
      };
      must((await list('')).includes(domain.toLowerCase()) && (await list(domain.slice(1, 5).toUpperCase())).includes(domain.toLowerCase()), 'the domain of the two mailboxes is missing');
      for (const search of ['no-such-domain-of-that-name', '%', '_', '*']) must((await list(search)).length === 0, `a search for ${search} finds something`);
    }],
    ['Mailboxes of a domain come page by page, each once, and are searched', async () => {
      const list = async (query: Readonly<Record<string, string>>) => {
        const { body } = await ask('GET', `/mailboxes?${new URLSearchParams(query).toString()}`);
        const { mailboxes, nextCursor } = body;
        must(Array.isArray(mailboxes), 'no list under "mailboxes"');
        must(nextCursor === null || (typeof nextCursor === 'string' && nextCursor !== ''), 'nextCursor is neither null nor a text');
        return { nextCursor, addresses: (mailboxes as unknown[]).map((mailbox) => { isAccount(mailbox); return mailbox.address.toLowerCase(); }) };
      };
      const seen: string[] = [];
      let cursor: string | null = '';
      while (cursor !== null && seen.length < 500) {
        const page: Awaited<ReturnType<typeof list>> = await list({ domain, cursor, limit: '1' });
        must(page.addresses.length <= 1, 'more came than the limit');
        seen.push(...page.addresses);
        cursor = page.nextCursor;
      }
      must(new Set(seen).size === seen.length, 'a mailbox came twice');
      must(seen.every((address) => address.endsWith(`@${domain.toLowerCase()}`)), 'a mailbox of another domain came');
      if (cursor === null) for (const { address } of [first, second]) must(seen.includes(address.toLowerCase()), 'one of the two mailboxes did not come');
      must((await list({ domain, search: first.address.split('@')[0]?.toUpperCase() ?? '' })).addresses.includes(first.address.toLowerCase()), 'a search for its name does not find it');
      for (const search of ['%', '_', '*']) must((await list({ domain, search })).addresses.length === 0, `a search for ${search} finds something`);
      must((await list({ domain: 'no-such-domain.invalid' })).addresses.length === 0, 'an unknown domain has mailboxes');
    }],
    ['The passwords were set back', async () => {
      for (const { address, password } of [first, second]) if (current.get(address) !== password) isChanged(await renew(address, password));
    }],
  ];

  for (const [sentence, run] of checks) {
    yield await run().then((): ProbeResult => ({ sentence, outcome: 'holds' }), (error: unknown): ProbeResult => {
      if (error instanceof NotOffered) return { sentence, outcome: 'not offered', detail: error.message };
      const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : '';
      return { sentence, outcome: 'fails', detail: error instanceof Error ? `${error.message}${cause}` : 'unknown' };
    });
  }
}
