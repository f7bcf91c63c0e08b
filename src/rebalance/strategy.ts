import { maybeOne, one, query, warning } from '../engine/spi.ts';
import { sizesOf, type Shard } from '../shard/index.ts';
import { noDefaultStrategy, strangeCost, unknownStrategy } from './failures.ts';

export interface Strategy {
  readonly name: string;
  /** Functions as they are written in SQL. */
  readonly cost: string;
  readonly capacity: string;
  readonly allowed: string;
  readonly threshold: number;
  readonly minimum: number;
  readonly improvement: number;
}

const STRATEGIES = `select name::text as name, format('%I.%I', cn.nspname, c.proname) as cost, format('%I.%I', pn.nspname, p.proname) as capacity,
    format('%I.%I', an.nspname, a.proname) as allowed, default_threshold as threshold, minimum_threshold as minimum,
    improvement_threshold as improvement
  from _tessera_catalog.pg_dist_rebalance_strategy s
  join pg_proc c on c.oid = s.shard_cost_function join pg_namespace cn on cn.oid = c.pronamespace
  join pg_proc p on p.oid = s.node_capacity_function join pg_namespace pn on pn.oid = p.pronamespace
  join pg_proc a on a.oid = s.shard_allowed_on_node_function join pg_namespace an on an.oid = a.pronamespace`;

export const findStrategy = (name: string | null): Strategy => {
  if (name === null) {
    const usual = maybeOne<Strategy>(`${STRATEGIES} where s.default_strategy`);
    if (usual === undefined) throw noDefaultStrategy();
    return usual;
  }
  const found = maybeOne<Strategy>(`${STRATEGIES} where s.name = $1`, [name]);
  if (found === undefined) throw unknownStrategy(name);
  return found;
};

/** The threshold in force: that of the call, that of the strategy, and never below the strategy's least. */
export const thresholdOf = (s: Strategy, wanted: number | null): number => {
  const threshold = wanted ?? s.threshold;
  if (threshold >= s.minimum) return threshold;
  warning(`the threshold is below that of strategy "${s.name}"; using a threshold of ${s.minimum}`);
  return s.minimum;
};

/** Bytes an empty group of shards counts as, so that such spread by their number. */
const BASE_COST = 100 * 1024 * 1024;

const finite = (value: unknown, what: string): number => {
  const n = Number(value);
  if (value === null || !Number.isFinite(n) || n < 0) throw strangeCost(what, value);
  return n;
};

/** Costs of shards, one of each colocated set. Sizes are asked from the nodes all at once, not shard by shard. */
export const costsOf = (
  s: Strategy,
  shards: readonly Shard[],
  colocated: (shard: Shard) => readonly bigint[],
): Map<bigint, number> => {
  if (s.cost.endsWith('.citus_shard_cost_by_disk_size')) {
    const sets = new Map(shards.map((shard) => [shard.id, colocated(shard)]));
    const bytes = new Map<bigint, number>();
    for (const z of sizesOf([...sets.values()].flat()))
      bytes.set(z.shardid, (bytes.get(z.shardid) ?? 0) + Number(z.total));
    return new Map(
      [...sets].map(([id, set]) => [id, Math.fround(BASE_COST + set.reduce((sum, x) => sum + (bytes.get(x) ?? 0), 0))]),
    );
  }
  return new Map(
    query<{ id: bigint; cost: number | null }>(`select id, ${s.cost}(id)::float8 as cost from unnest($1::int8[]) id`, [
      shards.map((x) => x.id),
    ]).map((r) => [r.id, finite(r.cost, `the cost of shard ${r.id}`)]),
  );
};

export const capacityOf = (s: Strategy, node: number): number =>
  finite(
    one<{ c: number | null }>(`select ${s.capacity}($1::int4)::float8 as c`, [node]).c,
    `the capacity of node ${node}`,
  );

/** Undefined where the strategy allows everything, so that nobody asks. */
export const allowedBy = (s: Strategy): ((shard: bigint, node: number) => boolean) | undefined =>
  s.allowed.endsWith('.citus_shard_allowed_on_node_true')
    ? undefined
    : (shard, node) =>
        one<{ a: boolean | null }>(`select ${s.allowed}($1::int8, $2::int4) as a`, [shard, node]).a === true;
