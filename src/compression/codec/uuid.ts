import { PgError } from '../../lib/pg-error.ts';
import { SQLSTATE } from '../../lib/sqlstate.ts';

/** 16 bytes instead of the 36 characters in which PostgreSQL prints a uuid. */
export const UUID_BYTES = 16;
export const UUID_CHARACTERS = 36;
const DIGITS = '0123456789abcdef';
const DASH = 0x2d;

/** Where the two digits of each byte stand in the text. */
const PLACE = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
const DASHES = [8, 13, 18, 23];

const VALUE = new Int8Array(128).fill(-1);
const CODE = new Uint8Array(16);
for (let digit = 0; digit < 16; digit++) {
  CODE[digit] = DIGITS.charCodeAt(digit);
  VALUE[CODE[digit]!] = digit;
}

export const writeUuid = (text: string, bytes: Uint8Array, at: number): void => {
  let bad = text.length !== UUID_CHARACTERS || DASHES.some((place) => text.charCodeAt(place) !== DASH);
  for (let i = 0; i < UUID_BYTES && !bad; i++) {
    const upper = VALUE[text.charCodeAt(PLACE[i]!)] ?? -1;
    const lower = VALUE[text.charCodeAt(PLACE[i]! + 1)] ?? -1;
    bad = upper < 0 || lower < 0;
    bytes[at + i] = (upper << 4) | lower;
  }
  if (bad)
    throw new PgError({
      sqlstate: SQLSTATE.internalError,
      message: 'a uuid to be compressed is not in the form in which PostgreSQL prints it',
      detail: `It is "${text}".`,
    });
};

export const readUuid = (bytes: Uint8Array, from: number, units: Uint16Array, at: number): void => {
  for (const place of DASHES) units[at + place] = DASH;
  for (let i = 0; i < UUID_BYTES; i++) {
    const byte = bytes[from + i]!;
    units[at + PLACE[i]!] = CODE[byte >> 4]!;
    units[at + PLACE[i]! + 1] = CODE[byte & 15]!;
  }
};
