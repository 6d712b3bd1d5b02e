import { Component, type ReactNode } from 'react';
import { TranslatorContext } from '../i18n/context.ts';
import type { Translator } from '../i18n/translator.ts';

interface ErrorBoundaryProps {
  readonly children: ReactNode;
  /** Loads anew what it was drawn from; then it is drawn once more. */
  readonly onReload: () => Promise<void> | void;
}

/** Where drawing breaks off by a fault of ours there are words and a way on, never a blank page. React offers this to classes only. */
export class ErrorBoundary extends Component<ErrorBoundaryProps, { readonly broken: boolean }> {
  static override contextType = TranslatorContext;
  declare context: Translator;
  override state = { broken: false };

  static getDerivedStateFromError(): { broken: boolean } {
    return { broken: true };
  }

  override render(): ReactNode {
    if (!this.state.broken) return this.props.children;
    const { t } = this.context;
    const reload = (): void => {
      void Promise.resolve(this.props.onReload()).finally(() => { this.setState({ broken: false }); });
    };
    return (
      <div role="alert" className="login">
        <p className="warning">{t('state.broken')}</p>
        <button type="button" className="plain" onClick={reload}>{t('section.retry')}</button>
      </div>
    );
  }
}
