/** Triggers that note changes for the copies; also the names by which others know that they are ours. */
export const CAPTURE = {
  insert: 'tessera_capture_insert',
  delete: 'tessera_capture_delete',
  update: 'tessera_capture_update',
  truncate: 'tessera_capture_truncate',
} as const;
