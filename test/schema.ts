/** Writes test/schema.sql: what a fresh install makes besides functions. A change shows as a diff under review. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { project, stateFolder, up } from '../server/cluster.ts';
import { letMembersGo, schemaOnly } from './harness/catalog-shape.ts';
import pg from 'pg';

const cluster = await up();
const address = { host: '127.0.0.1', port: cluster.coordinator.port, user: 'postgres' };
const name = 'tessera_schema';
const admin = new pg.Client({ ...address, database: 'postgres' });
await admin.connect();
await admin.query(`drop database if exists ${name} with (force)`);
await admin.query(`create database ${name} template template0`);
const client = new pg.Client({ ...address, database: name });
await client.connect();
await client.query('create extension tessera cascade');
await letMembersGo((sql, params) => client.query(sql, params).then((r) => r.rows), false);
const dump = execFileSync(join(stateFolder, 'bin/pg_dump'), ['--schema-only', '--no-owner', '-d', name], {
  encoding: 'utf8',
  env: { ...process.env, PGPORT: String(cluster.coordinator.port) },
});
writeFileSync(join(project, 'test/schema.sql'), schemaOnly(dump));
await client.end();
await admin.query(`drop database ${name}`);
await admin.end();
