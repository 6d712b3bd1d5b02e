import { useTranslator } from '../i18n/context.ts';

const WORDS = ['strength.0', 'strength.1', 'strength.2', 'strength.3', 'strength.4'] as const;

/** zxcvbn's score as a bar and as a word. */
export function StrengthMeter({ score }: { readonly score: number | undefined }) {
  const { t } = useTranslator();
  const word = score === undefined ? undefined : WORDS[score];
  if (score === undefined || word === undefined) return null;
  return (
    <div className="strength">
      <span>{t('strength.label')}</span>
      <meter aria-label={t('strength.label')} min={0} max={4} low={2} high={3} optimum={4} value={score} />
      <span>{t(word)}</span>
    </div>
  );
}
