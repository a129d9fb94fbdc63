/** A text without any of these words needs no closer look. */
const SUSPICIOUS = /\b(?:begin|start|commit|end|rollback|abort|prepare)\b/i;

/** What a semicolon or a word means nothing in: strings, quoted names, comments (PostgreSQL manual, section 4.1). */
const OPAQUE = /\be'(?:[^'\\]|\\[^]|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(\w*)\$[^]*?\$\1\$|--[^\n]*|\/\*[^]*?\*\//gi;

/** Statements that begin or end a transaction. ROLLBACK TO a savepoint does neither; PREPARE without TRANSACTION prepares a statement. */
const CONTROL =
  /^\s*(?:begin|start\s+transaction|commit|end|abort|rollback(?!(?:\s+(?:work|transaction))?\s+to\b)|prepare\s+transaction)\b/i;

/**
 * Whether the text has a statement that begins or ends a transaction. It doesn't know of comments inside comments, nor of
 * `standard_conforming_strings = off`: whoever ends a transaction that way is noticed when the engine is about to commit.
 */
export function controlsTransaction(text: string): boolean {
  if (!SUSPICIOUS.test(text)) return false;
  return text
    .replace(OPAQUE, ' ')
    .split(';')
    .some((statement) => CONTROL.test(statement));
}
