import { hash } from 'node:crypto';
import type { ProblemExplanation } from './problem-explanation.js';

const STYLE = `
:root { color-scheme: light dark; }
body { font: 1rem/1.6 system-ui, sans-serif; max-width: 46rem; margin: 3rem auto; padding: 0 1rem; }
h1 { line-height: 1.2; }
dt { font-weight: 600; margin-top: 1rem; }
dd { margin: 0; }
code { font-family: ui-monospace, monospace; background: #8882; padding: 0.1em 0.3em; border-radius: 0.2em; white-space: nowrap; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 0.4rem 1rem 0.4rem 0; border-bottom: 1px solid #8884; }
`;

/** Nothing but the page's own style, by its hash. */
export const CONTENT_SECURITY_POLICY = `default-src 'none'; style-src 'sha256-${hash('sha256', STYLE, 'base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/** The page that a problem's `type` leads to. */
export function problemPage({ code, title, status, retry, meaning, advice, retryMeaning }: ProblemExplanation): string {
  return page(
    title,
    `<p><a href="/problems">All problems</a></p>
<h1>${escape(title)}</h1>
<p><code>${escape(code)}</code>, HTTP status ${status}</p>
<dl>
<dt>What it means</dt><dd>${words(meaning)}</dd>
<dt>What to do</dt><dd>${words(advice)}</dd>
<dt>Retry: <code>${escape(retry)}</code></dt><dd>${words(retryMeaning)}</dd>
</dl>`,
  );
}

/** The page with all of them. */
export function problemListPage(problems: ProblemExplanation[]): string {
  const rows = problems.map(
    ({ type, code, title, status, retry }) =>
      `<tr><td>${status}</td><td><a href="${escape(type)}"><code>${escape(code)}</code></a></td><td>${escape(title)}</td><td><code>${escape(retry)}</code></td></tr>`,
  );
  return page(
    'Problems',
    `<h1>Problems</h1>
<p>Every error of this service is one of these, as <code>application/problem+json</code> (RFC 9457).</p>
<table>
<thead><tr><th>Status</th><th>Code</th><th>Title</th><th>Retry</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table>`,
  );
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)} · Holdfast</title>
<style>${STYLE}</style>
</head>
<body>
${body}
</body>
</html>
`;
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}

/** Escaped, with code between backticks as the table writes it. */
function words(text: string): string {
  return escape(text).replace(/`([^`]+)`/g, '<code>$1</code>');
}
