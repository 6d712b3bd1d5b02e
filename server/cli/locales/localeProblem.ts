/** Raised with a sentence for the person at the terminal. */
export class LocaleProblem extends Error {
  override readonly name = 'LocaleProblem';
}
