/**
 * True when a client would rather have JSON than HTML (RFC 9110, section 12.5.1). Whoever doesn't say gets HTML: the
 * address stands in errors, and those who follow it are mostly people.
 */
export function prefersJson(accept: string | undefined): boolean {
  const ranges = (accept ?? '*/*').split(',').map(parseRange);
  return qualityOf('application/json', ranges) > qualityOf('text/html', ranges);
}

interface MediaRange {
  type: string;
  quality: number;
}

function parseRange(text: string): MediaRange {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const weight = parameters.find((parameter) => parameter.startsWith('q='));
  const quality = weight === undefined ? 1 : Number(weight.slice(2));
  return { type, quality: quality >= 0 && quality <= 1 ? quality : 0 };
}

/** The most specific range decides. */
function qualityOf(type: string, ranges: MediaRange[]): number {
  const family = `${type.split('/', 1)[0]}/*`;
  for (const range of [type, family, '*/*']) {
    const match = ranges.find((candidate) => candidate.type === range);
    if (match) return match.quality;
  }
  return 0;
}
