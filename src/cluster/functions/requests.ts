import { query, run } from '../../engine/spi.ts';
import type { FunctionDeclaration } from '../../udf/define-function.ts';
import { defineRequest } from '../../udf/define-request.ts';
import { requireAdmin } from '../admin.ts';
import { nullNotAllowed, badConninfo } from '../failures.ts';
import {
  activateNode,
  addNode,
  adoptNodes,
  disableNode,
  removeNode,
  setCoordinatorHost,
  setNodeProperty,
  updateNode,
} from '../manage-nodes.ts';
import { forgetRemovedNode } from '../remove-node.ts';
import { allNodes, openNode } from '../node.ts';
import { parseConninfo } from '../conninfo-plan.ts';
import { conninfoOf, refreshServers } from '../server.ts';

interface Payload {
  readonly name: string | null;
  readonly port: number | null;
  readonly group: number | null;
  readonly role: string | null;
  readonly cluster: string | null;
  readonly active: boolean | null;
  readonly id: number | null;
  readonly property: string | null;
  readonly value: boolean | null;
  readonly authinfo: string | null;
}

const given = <T>(value: T | null, name: string): T => {
  if (value === null) throw nullNotAllowed(name);
  return value;
};

const request = (name: string, what: string, summary: string, body: (p: Payload) => unknown): FunctionDeclaration =>
  defineRequest<Payload>({
    feature: 'cluster',
    name,
    summary,
    privileges: 'members of the role that owns the extension',
    body: (caller, payload) => {
      requireAdmin(caller, what);
      return body(payload);
    },
  });

export const request_cluster_add_node = request('add_node', 'add nodes', 'Registers a node.', (p) =>
  addNode({
    name: given(p.name, 'nodename'),
    port: given(p.port, 'nodeport'),
    group: p.group ?? -1,
    role: p.role ?? 'primary',
    cluster: p.cluster ?? 'default',
    active: p.active !== false,
  }),
);

export const request_cluster_set_coordinator_host = request(
  'set_coordinator_host',
  'set the address of the coordinator',
  'Registers the coordinator as a node, or gives it another address.',
  (p) => setCoordinatorHost(given(p.name, 'host'), given(p.port, 'port')),
);

export const request_cluster_update_node = request(
  'update_node',
  'change nodes',
  'Gives a node another address.',
  (p) => updateNode(given(p.id, 'node_id'), given(p.name, 'new_node_name'), given(p.port, 'new_node_port')),
);

export const request_cluster_activate_node = request(
  'activate_node',
  'activate nodes',
  'Makes a node take part again.',
  (p) => activateNode(given(p.name, 'nodename'), given(p.port, 'nodeport')),
);

export const request_cluster_disable_node = request(
  'disable_node',
  'disable nodes',
  'Keeps a node out of placement, queries of all nodes and the copying of reference tables.',
  (p) => disableNode(given(p.name, 'nodename'), given(p.port, 'nodeport')),
);

export const request_cluster_remove_node = request(
  'remove_node',
  'remove nodes',
  'Forgets a node that has no last placement of a shard.',
  (p) => removeNode(given(p.name, 'nodename'), given(p.port, 'nodeport')),
);

export const request_cluster_forget_removed_node = request(
  'forget_removed_node',
  'forget removed nodes',
  'Strikes what a removed node still had out of the ledger.',
  (p) => forgetRemovedNode(given(p.name, 'nodename'), given(p.port, 'nodeport')),
);

export const request_cluster_set_node_property = request(
  'set_node_property',
  'change nodes',
  'Sets shouldhaveshards of a node.',
  (p) => setNodeProperty(given(p.name, 'nodename'), given(p.port, 'nodeport'), p.property, given(p.value, 'value')),
);

export const request_cluster_adopt_nodes = request(
  'adopt_nodes',
  'adopt nodes',
  'Takes over the nodes of the database this one was copied from.',
  () => adoptNodes(),
);

export const request_cluster_set_node_auth = request(
  'set_node_auth',
  'set credentials of nodes',
  'Stores with which libpq options the owner of the extension connects to a node, or to all of them.',
  (p) => {
    const text = given(p.authinfo, 'authinfo');
    if (parseConninfo(text) === undefined) throw badConninfo(text.replaceAll(/password\s*=\s*\S+/g, 'password=…'));
    const node = p.name === null ? undefined : openNode(p.name, given(p.port, 'nodeport'));
    const others = query<{ nodeid: number }>('select nodeid from _tessera_catalog.pg_dist_authinfo').map(
      (r) => r.nodeid,
    );
    const affected = node === undefined ? allNodes().filter((n) => !others.includes(n.id)) : [node];
    const before = affected.map(conninfoOf);
    run(
      `insert into _tessera_catalog.pg_dist_authinfo (nodeid, authinfo) values ($1, $2)
       on conflict (nodeid) do update set authinfo = excluded.authinfo`,
      [node?.id ?? 0, text],
    );
    for (const [i, n] of affected.entries()) refreshServers(n, before[i]);
  },
);
