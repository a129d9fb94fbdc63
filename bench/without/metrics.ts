import 'reflect-metadata';
import { CoreObserver } from '../../src/observability/core.observer.js';
import { Metrics } from '../../src/observability/metrics.registry.js';
import { PoolFigures } from '../../src/observability/pool.figures.js';

/** Loaded before the service: nothing is counted. */
const nothing = (): void => undefined;
Object.assign(Metrics.prototype, { count: nothing, observe: nothing });
Object.assign(CoreObserver.prototype, { observe: nothing });
Object.assign(PoolFigures.prototype, { onModuleInit: nothing });
