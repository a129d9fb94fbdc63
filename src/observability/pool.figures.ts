import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { Pool, PoolClient } from 'pg';
import { DataSource } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';
import { AUTHENTICATION, BACKGROUND, RECOVERY } from '../database/data-source.js';
import { Metrics, type LabelsOf } from './metrics.registry.js';

type PoolName = LabelsOf<'database_pool_waiting'>['pool'];
type Connected = (error: Error | undefined, client: PoolClient | undefined, done: (release?: unknown) => void) => void;

/** Shows how the connection pools stand, and how long one waits for a connection. */
@Injectable()
export class PoolFigures implements OnModuleInit {
  private readonly pools: [PoolName, Pool][];

  constructor(
    private readonly metrics: Metrics,
    dataSource: DataSource,
    @InjectDataSource(BACKGROUND) background: DataSource,
    @InjectDataSource(RECOVERY) recovery: DataSource,
    @InjectDataSource(AUTHENTICATION) authentication: DataSource,
  ) {
    const poolOf = (source: DataSource): Pool => (source.driver as PostgresDriver).master as Pool;
    this.pools = [
      ['requests', poolOf(dataSource)],
      ['background', poolOf(background)],
      ['recovery', poolOf(recovery)],
      ['authentication', poolOf(authentication)],
    ];
  }

  onModuleInit(): void {
    for (const [name, pool] of this.pools) this.watch(name, pool);
    this.metrics.atScrape(() => {
      for (const [pool, { totalCount, idleCount, waitingCount }] of this.pools) {
        this.metrics.show('database_pool_connections', { pool, state: 'used' }, totalCount - idleCount);
        this.metrics.show('database_pool_connections', { pool, state: 'idle' }, idleCount);
        this.metrics.show('database_pool_waiting', { pool }, waitingCount);
      }
    });
  }

  /** Only whoever finds no idle connection waits, for another one's or for a new one. */
  private watch(name: PoolName, pool: Pool): void {
    const connect = pool.connect.bind(pool) as (callback: Connected) => void;
    const measured = (callback: Connected): void => {
      if (pool.idleCount > 0) return connect(callback);
      const began = performance.now();
      connect((error, client, done) => {
        this.metrics.observe('database_pool_wait_seconds', { pool: name }, (performance.now() - began) / 1000);
        callback(error, client, done);
      });
    };
    pool.connect = ((callback?: Connected) => {
      if (callback) return measured(callback);
      return new Promise((resolve, reject) => measured((error, client) => (client ? resolve(client) : reject(error))));
    }) as typeof pool.connect;
  }
}
