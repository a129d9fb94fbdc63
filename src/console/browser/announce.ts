/** Says a sentence to those who listen to the page, without moving anything on it. */
export function announce(sentence: string): void {
  const announcer = document.getElementById('announcer');
  if (announcer && announcer.textContent !== sentence) announcer.textContent = sentence;
}
