import pg from 'pg';
import { paired, timed, type Measurement } from './measurement.ts';

const PARTITIONS = 1000;
const ROUNDS = 5;
const DATABASE = 'tessera_bench_plain';

const day = (n: number): string => new Date(Date.UTC(2001, 0, 1 + n)).toISOString().slice(0, 10);

/** The first row of a day against CREATE TABLE ... PARTITION OF of the same partitions with the same indexes, in a database without tessera. */
export const measureHashPartitions = async (client: pg.Client, config: pg.ClientConfig): Promise<Measurement[]> => {
  await client.query(`create database ${DATABASE} template template0 encoding 'UTF8'`);
  const plain = new pg.Client({ ...config, database: DATABASE });
  await plain.connect();
  await plain.query(`create table p (t date not null, k text not null) partition by range (t);
    create index on p (t desc); create index on p (k, t desc); create table p_default partition of p default`);
  await client.query('create table many_hashed (t date not null, k text not null)');
  await client.query(
    `select create_hypertable('many_hashed', 't', 'k', ${PARTITIONS}, chunk_time_interval => interval '1 day')`,
  );
  const byHand = (n: number): Promise<number> =>
    timed(() =>
      plain.query(`do $$ begin
        create table p${n} partition of p for values from ('${day(n)}') to ('${day(n + 1)}') partition by hash (k);
        for i in 0..${PARTITIONS - 1} loop
          execute format('create table p${n}_%s partition of p${n} for values with (modulus ${PARTITIONS}, remainder %s)', i, i);
        end loop; end $$`),
    );
  const ours = (n: number): Promise<number> =>
    timed(() => client.query(`insert into many_hashed values ('${day(n)}', 'a')`));
  const measured = await paired(ROUNDS, byHand, ours);
  await client.query('drop table many_hashed');
  await plain.end();
  await client.query(`drop database ${DATABASE} with (force)`);
  return [{ name: `the first row of a slice of ${PARTITIONS} hash partitions`, ...measured, goal: 1.5 }];
};
