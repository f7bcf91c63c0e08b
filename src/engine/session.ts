import { one, run } from './spi.ts';

const setting = (name: string): string | null =>
  one<{ value: string | null }>('select current_setting($1, true) as value', [name]).value;

const setLocal = (name: string, value: string): void => {
  run('select set_config($1, $2, true)', [name, value]);
};

/** Runs the body with settings changed. An error needs no repair: its (sub)transaction takes the settings back. */
export const withSettings = <T>(settings: Readonly<Record<string, string>>, body: () => T): T => {
  const saved = Object.keys(settings).map((name) => [name, setting(name) ?? ''] as const);
  for (const [name, value] of Object.entries(settings)) setLocal(name, value);
  const result = body();
  for (const [name, value] of saved) setLocal(name, value);
  return result;
};

export const currentUser = (): string => one<{ name: string }>('select current_user::text as name').name;

/**
 * Runs the body as another role, so that expressions in a user's table (defaults, checks, indexes) never run with
 * more rights than its owner has. Inside a security definer function only the current role itself is possible.
 */
export const asRole = <T>(role: string, body: () => T): T =>
  role === currentUser() ? body() : withSettings({ role }, body);

/** Event triggers of tessera leave alone what tessera itself is doing. */
export const inMaintenance = <T>(body: () => T): T => withSettings({ 'tessera.maintenance': 'on' }, body);
