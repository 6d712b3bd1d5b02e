import { intlLanguage } from '../../module/texts/intlLanguage.ts';
import type { HostBridge } from '../host/hostBridge.ts';
import { createTranslator, type MessageKey } from '../i18n/translator.ts';
import { wishes } from '../i18n/wishes.ts';
import { withoutTexts } from '../i18n/withoutTexts.ts';
import './shell.css';

interface Manifest { readonly slots: readonly { readonly slot: string; readonly entry: string }[] }
interface HostSession {
  readonly address: string;
  readonly displayName: string;
  readonly csrfToken: string;
  readonly sessions: readonly { readonly id: string; readonly client: string | null; readonly remoteAddress: string | null; readonly lastSeenAt: number; readonly current: boolean }[];
}

const app = document.getElementById('app') as HTMLElement;
const base = app.dataset['base'] ?? '';
const LANGUAGE = 'webmail-language';
let translator = createTranslator({});
const t = (key: MessageKey): string => translator.t(key);

function make<Name extends keyof HTMLElementTagNameMap>(name: Name, props: Partial<HTMLElementTagNameMap[Name]> = {}, ...children: (Node | string)[]): HTMLElementTagNameMap[Name] {
  const element = Object.assign(document.createElement(name), props);
  element.append(...children);
  return element;
}

function leave(reason: 'changed' | 'ended' | 'out'): void {
  location.assign(`/login${reason === 'out' ? '' : `?reason=${reason}`}`);
}

async function ask<T>(path: string): Promise<T | null> {
  const answer = await fetch(path, { headers: { accept: 'application/json' } });
  if (answer.status === 401) {
    leave('ended');
    return null;
  }
  return (await answer.json()) as T;
}

/** Never a blank page: words and a way on. */
function broken(place: HTMLElement): void {
  const again = make('button', { type: 'button', textContent: t('section.retry') });
  again.addEventListener('click', () => { location.reload(); });
  place.replaceChildren(make('div', { role: 'alert' }, make('p', { className: 'warn', textContent: t('state.broken') }), again));
}

async function languageChoice(): Promise<HTMLElement> {
  const languages = (await (await fetch(`${base}/languages.json`)).json()) as { tag: string; name: string }[];
  const names = languages.map(({ tag, name }) => make('option', { value: tag, lang: tag, textContent: name, selected: tag === translator.language }));
  const choice = make('select', {}, ...names);
  choice.addEventListener('change', () => {
    localStorage.setItem(LANGUAGE, choice.value);
    location.reload();
  });
  return make('label', {}, t('shell.language'), ' ', choice);
}

async function loginPage(): Promise<void> {
  const reason = new URLSearchParams(location.search).get('reason');
  const warning = make('p', { className: 'warn', role: 'alert' });
  const address = make('input', { type: 'email', autocomplete: 'username', required: true, name: 'address' });
  const password = make('input', { type: 'password', autocomplete: 'current-password', required: true, name: 'password' });
  const form = make('form', { className: 'login' },
    make('h1', { textContent: t('shell.appName') }),
    ...(reason === 'changed' || reason === 'ended' ? [make('p', { role: 'status', textContent: t(`shell.${reason}`) })] : []),
    make('label', {}, t('shell.address'), address),
    make('label', {}, t('field.new'), password),
    warning,
    make('button', { type: 'submit', textContent: t('shell.logIn') }),
    make('p', { className: 'note', textContent: t('shell.demo') }));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void fetch('/host/login', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ address: address.value, password: password.value }) })
      .then(async (answer) => {
        if (answer.ok) {
          location.assign(location.search.includes('account') ? '/?account' : '/');
          return;
        }
        const { code } = (await answer.json()) as { code: string };
        warning.textContent = translator.code('error', code);
      }, () => { warning.textContent = t('state.offline'); });
  });
  form.append(await languageChoice());
  const panels = make('p', { className: 'note panels' });
  form.append(panels);
  for (const [path, key] of [['panel', 'shell.userPanel'], ['admin', 'shell.adminPanel']] as const) {
    // An operator may have switched a panel off.
    const there = await fetch(`${base}/${path}/`, { method: 'HEAD' }).then(({ ok }) => ok, () => false);
    if (there) panels.append(make('a', { href: `${base}/${path}/`, textContent: t(key) }), ' ');
  }
  app.replaceChildren(make('main', {}, form));
  const demo = await ask<{ accounts: { address: string; password: string }[] }>('/host/demo');
  form.append(make('ul', { className: 'note' }, ...(demo?.accounts ?? []).map((entry) => make('li', { textContent: `${entry.address}  ${entry.password}` }))));
}

async function openAccount(): Promise<void> {
  const session = await ask<HostSession>('/host/session');
  const manifest = await ask<Manifest>(`${base}/manifest.json`);
  if (session === null || manifest === null) return;
  const entry = manifest.slots.find(({ slot }) => slot === 'account.section')?.entry ?? '';
  const place = make('div');
  const when = new Intl.DateTimeFormat(intlLanguage(translator.language) ?? 'sv', { dateStyle: 'medium', timeStyle: 'short' });
  const fieldset = (title: string, ...children: (Node | string)[]) => make('fieldset', {}, make('legend', { textContent: title }), ...children);
  const clients = fieldset(t('shell.clients'), make('table', {}, make('tbody', {}, ...session.sessions.map((row) => make('tr', {},
    make('td', { textContent: `${row.client ?? ''}${row.current ? ` (${t('shell.thisOne')})` : ''}` }),
    make('td', { textContent: row.remoteAddress ?? '' }),
    make('td', { textContent: when.format(row.lastSeenAt) }))))));
  const bridge: HostBridge = {
    baseUrl: base, csrfToken: () => session.csrfToken, locale: translator.language, theme: 'auto', onSignedOut: leave,
    // They are logged out, and this list would say otherwise right below.
    onChanged: ({ pending }) => { if (!pending.includes('web')) clients.remove(); },
  };
  const close = make('button', { type: 'button', className: 'close', textContent: '✕', ariaLabel: t('shell.close') });
  const dialog = make('dialog', { ariaLabel: t('shell.myAccount') },
    make('h2', {}, t('shell.myAccount'), close),
    make('div', { className: 'panes' },
      make('nav', {}, make('button', { type: 'button', textContent: t('shell.account'), ariaCurrent: 'page' })),
      make('div', {},
        fieldset(t('shell.user'), make('div', { className: 'user' }, make('label', {}, t('shell.address'), make('input', { value: session.address, disabled: true })))),
        fieldset(t('section.title'), place),
        clients)));
  app.append(dialog);
  dialog.showModal();
  let unmount = (): void => undefined;
  try {
    const { mount } = (await import(/* webpackIgnore: true */ `${base}/assets/${entry}`)) as { mount: (element: HTMLElement, host: HostBridge) => () => void };
    unmount = mount(place, bridge);
  } catch {
    broken(place);
  }
  close.addEventListener('click', () => { dialog.close(); });
  dialog.addEventListener('close', () => {
    unmount();
    dialog.remove();
  });
}

async function webmailPage(): Promise<void> {
  const session = await ask<HostSession>('/host/session');
  if (session === null) return;
  const list = make('ul');
  const show = async (folder: string): Promise<void> => {
    const mail = await ask<{ messages: { from: string; subject: string }[] }>(`/host/messages?folder=${folder}`);
    list.replaceChildren(...(mail?.messages ?? []).map(({ from, subject }) => make('li', {}, make('strong', { textContent: from }), ` ${subject}`)));
  };
  const menu = make('div', { className: 'menu', hidden: true });
  const avatar = make('button', { type: 'button', className: 'avatar', textContent: session.displayName.slice(0, 1), title: session.displayName, ariaLabel: t('shell.userMenu'), ariaExpanded: 'false' });
  const toggle = (open: boolean): void => {
    menu.hidden = !open;
    menu.style.display = open ? 'grid' : 'none';
    avatar.ariaExpanded = String(open);
  };
  avatar.addEventListener('click', () => { toggle(menu.hidden === true); });
  const item = (label: string, act: () => void) => {
    const button = make('button', { type: 'button', textContent: label });
    button.addEventListener('click', () => { toggle(false); act(); });
    return button;
  };
  menu.append(item(t('shell.myAccount'), () => { void openAccount().catch(() => { broken(app); }); }), item(t('shell.logOut'), () => {
    void fetch('/host/logout', { method: 'POST', headers: { 'x-csrf-token': session.csrfToken } }).then(() => { leave('out'); });
  }));
  const folder = (label: string, name: string) => item(label, () => { void show(name); });
  app.replaceChildren(
    make('header', {}, make('h1', { textContent: t('shell.appName') }), avatar), menu,
    make('main', { className: 'mail' }, make('nav', {}, folder(t('shell.inbox'), 'inbox'), folder(t('shell.sent'), 'sent')), list));
  toggle(false);
  await show('inbox');
  if (location.search.includes('account')) await openAccount();
}

async function start(): Promise<void> {
  let texts = false;
  try {
    translator = createTranslator((await (await fetch(`${base}/locales/webmail/${wishes(localStorage.getItem(LANGUAGE))}.short.json`)).json()) as Record<string, string>);
    texts = true;
    const { language, direction } = translator;
    document.documentElement.lang = language;
    document.documentElement.dir = direction;
    document.title = t('shell.appName');
    await (app.dataset['page'] === 'login' ? loginPage() : webmailPage());
  } catch {
    if (texts) broken(app);
    else withoutTexts(app, 'login');
  }
}

/** `npm run dev`: a new build reloads the page. Left out of the production bundle. */
async function reloadOnBuild(): Promise<void> {
  const look = async (): Promise<string> => (await fetch(`${base}/assets/assets.json`)).text();
  const first = await look();
  setInterval(() => { void look().then((now) => { if (now !== first) location.reload(); }, () => undefined); }, 1000);
}

if (process.env['NODE_ENV'] === 'development') void reloadOnBuild();
void start();
