/** Kept here and nowhere else: it is gone with the page, and never stands in an address. */
let apiKey: string | null = null;
const changes = new EventTarget();

export function currentKey(): string | null {
  return apiKey;
}

/** Whether what is done with the key is done for real. */
export function isLive(): boolean {
  return apiKey?.startsWith('hf_live_') ?? false;
}

/** What may be shown of the key: its id and mode, never the secret. */
export function shownKey(): string {
  const [, mode = '', id = ''] = apiKey?.split('_') ?? [];
  return `key_${id.slice(0, 6)}…${id.slice(-4)} (${mode})`;
}

export function useKey(key: string): void {
  apiKey = key;
  changes.dispatchEvent(new Event('change'));
}

export function forgetKey(): void {
  apiKey = null;
  changes.dispatchEvent(new Event('change'));
}

/** Calls back now and whenever there is another key, or none. */
export function onKeyChange(hear: () => void): void {
  changes.addEventListener('change', hear);
  hear();
}

// A page that was left can come back from the browser's cache with all its memory.
addEventListener('pagehide', forgetKey);
