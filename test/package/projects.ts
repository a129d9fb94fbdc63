/** A foreign project that the packed core is installed into. */
export interface ForeignProject {
  platform: 'Express' | 'Fastify';
  modules: 'CommonJS' | 'ESM';
  /** The major version of Node that runs it, which comes from npm; the one that runs the tests where it isn't given. */
  node?: '22' | '24';
  /** Exact versions: what docs/lifting.md lists is what ran. */
  packages: { nest: string; nestTypeorm: string; typeorm: string; pg: string };
}

const NEST_11 = { nest: '11.1.6', nestTypeorm: '11.0.0' };
const NEST_11_LAST = { nest: '11.2.8', nestTypeorm: '11.0.3' };
const NEST_12 = { nest: '12.5.0', nestTypeorm: '12.0.2' };

/** The two of every run: the oldest of everything, and the newest. */
export const PROJECTS: ForeignProject[] = [
  { platform: 'Express', modules: 'CommonJS', packages: { ...NEST_11, typeorm: '0.3.17', pg: '8.16.0' } },
  { platform: 'Fastify', modules: 'ESM', packages: { ...NEST_12, typeorm: '1.1.1', pg: '8.23.1' } },
];

/** Those that `npm run test:matrix` adds. */
export const MATRIX: ForeignProject[] = [
  { platform: 'Fastify', modules: 'CommonJS', node: '22', packages: { ...NEST_11, typeorm: '0.3.20', pg: '8.20.0' } },
  { platform: 'Express', modules: 'ESM', node: '24', packages: { ...NEST_11_LAST, typeorm: '0.3.28', pg: '8.16.3' } },
  { platform: 'Fastify', modules: 'CommonJS', node: '24', packages: { ...NEST_11_LAST, typeorm: '1.1.1', pg: '8.23.1' } },
  { platform: 'Express', modules: 'ESM', node: '22', packages: { ...NEST_12, typeorm: '0.3.28', pg: '8.21.0' } },
  { platform: 'Express', modules: 'CommonJS', node: '24', packages: { ...NEST_12, typeorm: '1.0.0', pg: '8.22.0' } },
  { platform: 'Fastify', modules: 'ESM', packages: { ...NEST_12, typeorm: '1.1.1', pg: '8.16.0' } },
];

/** Its name in the tests' output. */
export function describeProject({ platform, modules, node, packages: { nest, typeorm, pg } }: ForeignProject): string {
  return `Nest ${nest}, ${platform}, ${modules}, TypeORM ${typeorm} and pg ${pg}${node ? ` on Node ${node}` : ''}`;
}
