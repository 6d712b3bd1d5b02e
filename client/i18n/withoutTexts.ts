/** The only words that are not in `locales/`: said where no text of any language could be fetched. */
const SENTENCE = 'This page could not be loaded completely. Check your connection, then try again.';
const AGAIN = 'Try again';

/** Draws them, with a button that loads the page anew. English, and marked as such for whoever has it read out. */
export function withoutTexts(place: HTMLElement, className: string): void {
  const main = document.createElement('main');
  const heading = document.createElement('h1');
  const says = document.createElement('div');
  const sentence = document.createElement('p');
  const again = document.createElement('button');
  Object.assign(main, { className, lang: 'en', dir: 'ltr' });
  heading.textContent = document.title;
  says.role = 'alert';
  sentence.textContent = SENTENCE;
  again.type = 'button';
  again.className = 'plain';
  again.textContent = AGAIN;
  again.addEventListener('click', () => { location.reload(); });
  says.append(sentence, again);
  main.append(heading, says);
  place.replaceChildren(main);
}
