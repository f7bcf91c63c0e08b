import { maybeOne, query } from '../engine/spi.ts';
import { unknownNode, unknownNodeId } from './failures.ts';

export interface Node {
  readonly id: number;
  readonly group: number;
  readonly name: string;
  readonly port: number;
  readonly role: string;
  readonly active: boolean;
  readonly shouldHaveShards: boolean;
}

const NODES = `select nodeid as id, groupid as "group", nodename as name, nodeport as port, noderole::text as role, isactive as active,
  shouldhaveshards as "shouldHaveShards" from _tessera_catalog.pg_dist_node`;
/** Byte order, so that every server deals shards out alike. */
const ORDER = 'order by nodename collate "C", nodeport';

export const allNodes = (): Node[] => query<Node>(`${NODES} ${ORDER}`);
export const activePrimaries = (): Node[] =>
  query<Node>(`${NODES} where isactive and noderole = 'primary' and not nodeisclone ${ORDER}`);

export const findNode = (name: string, port: number): Node | undefined =>
  maybeOne<Node>(`${NODES} where nodename = $1 and nodeport = $2`, [name, port]);
export const findNodeById = (id: number): Node | undefined => maybeOne<Node>(`${NODES} where nodeid = $1`, [id]);
export const primaryOfGroup = (group: number): Node | undefined =>
  maybeOne<Node>(`${NODES} where groupid = $1 and noderole = 'primary'`, [group]);

export const openNode = (name: string, port: number): Node => {
  const node = findNode(name, port);
  if (node === undefined) throw unknownNode(name, port);
  return node;
};

export const openNodeById = (id: number): Node => {
  const node = findNodeById(id);
  if (node === undefined) throw unknownNodeId(id);
  return node;
};
