const color = process.stdout.isTTY;
const paint = (code: number, text: string): string => (color ? `\x1b[${code}m${text}\x1b[0m` : text);

export const heading = (text: string): void => void process.stdout.write(`\n${paint(1, text)}\n`);
export const line = (text = ''): void => void process.stdout.write(`${text}\n`);
export const sql = (text: string): void =>
  void process.stdout.write(`${paint(36, text.trim().replace(/^/gm, '  '))}\n`);
export const check = (text: string): void =>
  void process.stdout.write(`  ${paint(32, 'same answer as the plain table')}: ${text}\n`);

/** Rows under a header, numbers to the right. */
export const table = (rows: readonly Record<string, unknown>[], most = 8): void => {
  const first = rows[0];
  if (first === undefined) {
    line('  (no rows)');
    return;
  }
  const names = Object.keys(first);
  const text = (v: unknown): string => (v === null ? '' : String(v));
  const shown = rows.slice(0, most);
  const width = names.map((n) => Math.max(n.length, ...shown.map((r) => text(r[n]).length)));
  const right = names.map((n) => shown.every((r) => r[n] === null || /^-?[\d.]+$/.test(text(r[n]))));
  const cells = (values: readonly string[]): string =>
    `  ${values.map((v, i) => (right[i] ? v.padStart(width[i] ?? 0) : v.padEnd(width[i] ?? 0))).join('  ')}`.trimEnd();
  line(paint(2, cells(names)));
  for (const row of shown) line(cells(names.map((n) => text(row[n]))));
  if (rows.length > most) line(paint(2, `  … ${rows.length - most} more`));
};

/** A bar that moves on a terminal, and one final line elsewhere. */
export const progress = (label: string, total: number): ((done: number) => void) => {
  const WIDTH = 30;
  return (done) => {
    const part = Math.min(1, done / total);
    const bar = '#'.repeat(Math.round(part * WIDTH)).padEnd(WIDTH, '.');
    const text = `  ${label.padEnd(10)} [${bar}] ${done.toLocaleString('en')} rows`;
    if (color) process.stdout.write(`\r${text}${part === 1 ? '\n' : ''}`);
    else if (part === 1) line(text);
  };
};

/** The same for work done elsewhere, with what it is doing now. */
export const moving = (label: string): ((done: number, total: number, now: string) => void) => {
  const WIDTH = 30;
  let last = -1;
  return (done, total, now) => {
    const part = total === 0 ? 1 : done / total;
    const bar = '#'.repeat(Math.round(part * WIDTH)).padEnd(WIDTH, '.');
    const text = `  ${label.padEnd(10)} [${bar}] ${done} of ${total} tasks  ${now}`;
    if (color) process.stdout.write(`\r${text.slice(0, 110).padEnd(110)}${part === 1 ? '\n' : ''}`);
    else if (done !== last) line(text.trimEnd());
    last = done;
  };
};
