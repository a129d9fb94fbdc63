import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parse } from 'yaml';

/** The members of a compose file that the tests look at. */
export interface Service {
  image: string;
  profiles?: string[];
  build?: string;
  command?: string[];
  environment?: Record<string, string | number>;
  ports?: string[];
  volumes?: string[];
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { disable?: boolean; test?: string[] };
  restart?: string;
  init?: boolean;
  stop_grace_period?: string;
}

export interface Compose {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
}

const VARIABLE = /\$\{([A-Z][A-Z0-9_]*)(?::-([^}]*))?\}/g;

/** A file of the repository. */
export function readRepositoryFile(path: string): string {
  return readFileSync(resolve(__dirname, '../..', path), 'utf8');
}

/** docker-compose.yml as it is written, its merge keys applied. */
export function readCompose(): Compose {
  return parse(readRepositoryFile('docker-compose.yml'), { merge: true }) as Compose;
}

/** The names of the variables that a compose file takes from outside. */
export function variablesOf(text: string): { name: string; fallback: string | undefined }[] {
  return [...text.matchAll(VARIABLE)].map(([, name = '', fallback]) => ({ name, fallback }));
}

/** What a service's process gets, as compose fills it in; `outside` is the environment of `docker compose`. */
export function environmentOf(service: Service, outside: Record<string, string> = {}): Record<string, string> {
  const filled = (text: string): string => text.replace(VARIABLE, (_, name: string, fallback = '') => outside[name] || fallback);
  return Object.fromEntries(Object.entries(service.environment ?? {}).map(([name, value]) => [name, filled(String(value))]));
}
