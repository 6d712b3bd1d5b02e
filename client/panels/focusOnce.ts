/** As a `ref` of what a page begins with: when the page has just been drawn, who cannot see it is there too. */
export const focusOnce = (element: HTMLElement | null): void => { element?.focus({ preventScroll: true }); };
