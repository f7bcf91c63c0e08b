/** SQLSTATEs raised or handled by tessera, by their PostgreSQL condition name; TSxxx are TimescaleDB's own. */
export const SQLSTATE = {
  connectionException: '08000',
  connectionFailure: '08006',
  noDataFound: 'P0002',
  dataException: '22000',
  invalidParameterValue: '22023',
  numericValueOutOfRange: '22003',
  datetimeFieldOverflow: '22008',
  intervalFieldOverflow: '22015',
  notNullViolation: '23502',
  foreignKeyViolation: '23503',
  checkViolation: '23514',
  activeSqlTransaction: '25001',
  dependentObjectsStillExist: '2BP01',
  uniqueViolation: '23505',
  serializationFailure: '40001',
  deadlockDetected: '40P01',
  insufficientPrivilege: '42501',
  syntaxError: '42601',
  undefinedColumn: '42703',
  undefinedObject: '42704',
  duplicateObject: '42710',
  undefinedTable: '42P01',
  duplicateTable: '42P07',
  duplicateSchema: '42P06',
  invalidTableDefinition: '42P16',
  undefinedFunction: '42883',
  wrongObjectType: '42809',
  invalidName: '42602',
  nameTooLong: '42622',
  featureNotSupported: '0A000',
  objectNotInPrerequisiteState: '55000',
  lockNotAvailable: '55P03',
  queryCanceled: '57014',
  internalError: 'XX000',
  dataCorrupted: 'XX001',
  hypertableNotExist: 'TS001',
  dimensionNotExist: 'TS002',
  chunkNotExist: 'TS003',
  operationNotSupported: 'TS101',
  badHypertableIndex: 'TS103',
  hypertableExists: 'TS110',
  tablespaceAlreadyAttached: 'TS140',
  tablespaceNotAttached: 'TS150',
  duplicateDimension: 'TS160',
} as const;

/** PostgreSQL's MAKE_SQLSTATE: five characters of six bits each, the first in the lowest bits. */
export const packSqlState = (code: string): number => {
  let packed = 0;
  for (let i = 4; i >= 0; i--) packed = (packed << 6) | ((code.charCodeAt(i) - 48) & 63);
  return packed;
};
