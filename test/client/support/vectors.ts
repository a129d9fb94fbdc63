import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const DIRECTORY = join(__dirname, '../../../client/vectors');

/** A file of vectors: what it says of itself, and its cases. */
interface Vectors<Case> {
  $schema: string;
  title: string;
  description: string;
  cases: (Case & { name: string })[];
}

/** A field value, and the key that it stands for. */
interface KeyCase {
  header: string;
  key: string | null;
}

/** A message as a receiver got it. */
interface SignatureCase {
  secrets: string[];
  headers: Record<string, string>;
  body?: string;
  now: number;
  refusal: string | null;
}

/** Bounds, and the longest pause behind an attempt. */
interface BackOffCase {
  baseMs: number;
  capMs: number;
  attempt: number;
  mostMs: number;
}

/** A field value of Retry-After, and the pause that it asks for. */
interface RetryAfterCase {
  value: string;
  now: string;
  ms: number | null;
}

/** An answer, and what it means for its key. */
interface VerdictCase {
  inDoubt: boolean;
  status: number;
  headers: Record<string, string>;
  body: unknown;
  judgement: string;
}

/** The files, by their names without the ending. */
interface VectorFiles {
  'key-syntax': Vectors<KeyCase>;
  'back-off': Vectors<BackOffCase>;
  'retry-after': Vectors<RetryAfterCase>;
  verdicts: Vectors<VerdictCase>;
  /** With what its cases share. */
  signatures: Vectors<SignatureCase> & { toleranceSeconds: number; body: string };
}

type VectorFile = keyof VectorFiles;

/** All files that there are. */
export const VECTOR_FILES = readdirSync(DIRECTORY)
  .filter((name) => name.endsWith('.json'))
  .map((name) => name.slice(0, -'.json'.length) as VectorFile);

export const readVectors = <Name extends VectorFile>(name: Name): VectorFiles[Name] => readJson(`${name}.json`) as VectorFiles[Name];

/** The schema of a file. */
export const readSchema = (name: VectorFile): object => readJson(`schemas/${name}.json`) as object;

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(join(DIRECTORY, path), 'utf8'));
}
