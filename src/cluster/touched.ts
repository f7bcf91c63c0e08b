import { one } from '../engine/spi.ts';

const touched = new Map<string, string>();

/** Notes a foreign server that this transaction makes or changes: no other session can see it as it is now. */
export const touch = (server: string): void => {
  touched.set(server, one<{ xid: string }>('select pg_current_xact_id()::text as xid').xid);
};

export const isTouched = (server: string): boolean => {
  const by = touched.get(server);
  if (by === undefined) return false;
  return by === one<{ xid: string | null }>('select pg_current_xact_id_if_assigned()::text as xid').xid;
};
