/** What people say -> what the file is called, where no rule of Intl leads there. */
const ALIASES: Readonly<Record<string, string>> = { no: 'nb', nn: 'nb', iw: 'he', in: 'id', cn: 'zh-CN', mo: 'ro' };
/** Regions that write as Britain does (CLDR: en-001); Portuguese outside Brazil is that of Portugal (CLDR: parent pt-PT). */
const PARENTS: Readonly<Record<string, string>> = { 'en-IE': 'en-GB', 'en-IN': 'en-GB', 'en-NZ': 'en-AU', 'en-ZA': 'en-GB' };

function locale(tag: string): Intl.Locale | null {
  try {
    return new Intl.Locale(tag.replaceAll('_', '-'));
  } catch {
    return null;
  }
}

/** False only where both scripts are known and differ: Serbian in Latin letters, Chinese in traditional ones. */
function sameScript(left: string, right: string): boolean {
  const [one, other] = [locale(left)?.maximize().script, locale(right)?.maximize().script];
  return one === undefined || other === undefined || one === other;
}

/**
 * The file for what somebody wants: the tag itself, then its language, then the same language in the same script (zh-HK ->
 * zh-TW, pt -> pt-BR, pt-AO -> pt-PT). Never another script. Null where there is none. `there` are tags of files.
 */
export function matchLanguage(wanted: string, there: readonly string[]): string | null {
  const own = locale(wanted);
  if (own === null) return null;
  const { language, region } = own;
  const named = [own.baseName, PARENTS[own.baseName], ALIASES[own.baseName], region === undefined ? language : `${language}-${region}`, language, ALIASES[language]];
  const exact = named.find((tag) => tag !== undefined && there.includes(tag) && sameScript(wanted.replaceAll('_', '-'), tag));
  if (exact !== undefined) return exact;
  const full = own.maximize();
  const alike = there.filter((tag) => {
    const other = locale(tag)?.maximize();
    return other !== undefined && other.language === full.language && other.script === full.script;
  });
  const preferred = language === 'pt' && full.region !== 'BR' ? 'pt-PT' : `${full.language}-${full.region ?? ''}`;
  return alike.includes(preferred) ? preferred : (alike[0] ?? null);
}

/** The language whose differences alone a regional file holds: `en` of `en-GB`; null for a file that stands for itself, as `sr-Latn` beside `sr`. */
export function regionOf(tag: string, there: readonly string[]): string | null {
  const parts = tag.split('-');
  const wider = parts.slice(1).map((_, at) => parts.slice(0, parts.length - 1 - at).join('-'));
  return wider.find((each) => there.includes(each) && sameScript(tag, each)) ?? null;
}

/** Whose texts show through where a language has none of its own: `en` of `en-GB`, `pt-PT` of `pt-AO`, `nb` of `nn`; null = English alone. */
export const behind = (tag: string, there: readonly string[]): string | null =>
  (tag.includes('-') || tag in ALIASES ? matchLanguage(tag, there.filter((other) => other !== tag)) : null);

/** The first language of the list that there is; English where there is none of them. */
export function chooseLanguage(wanted: readonly string[], there: readonly string[]): string {
  for (const tag of wanted) {
    const match = matchLanguage(tag, there);
    if (match !== null) return match;
  }
  return 'en';
}
