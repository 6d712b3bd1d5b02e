import type { HostBridge } from './host/hostBridge.ts';

/** Mounts the Password section; everything heavy is fetched now, not before. Returns the way to unmount. */
export function mount(element: HTMLElement, bridge: HostBridge): () => void {
  let unmount: (() => void) | undefined;
  let left = false;
  import(/* webpackChunkName: "account-section" */ './surfaces/mountAccountSection.tsx').then(
    ({ mountAccountSection }) => { if (!left) unmount = mountAccountSection(element, bridge); },
    (error: unknown) => { element.dispatchEvent(new CustomEvent('mailbox-password-error', { detail: error, bubbles: true })); },
  );
  return () => {
    left = true;
    unmount?.();
  };
}

/** `<mailbox-password-account>`: set its `bridge` property, then attach it. */
class MailboxPasswordAccount extends HTMLElement {
  bridge: HostBridge | undefined;
  #unmount: (() => void) | undefined;

  connectedCallback(): void {
    if (this.bridge !== undefined) this.#unmount = mount(this, this.bridge);
  }

  disconnectedCallback(): void {
    this.#unmount?.();
  }
}

if (customElements.get('mailbox-password-account') === undefined) customElements.define('mailbox-password-account', MailboxPasswordAccount);
