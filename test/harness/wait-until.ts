/**
 * Polls until the condition holds; fails with its name after the limit: longer than background work takes to come back
 * after another test has killed pg_cron, which the whole server shares.
 */
export const waitUntil = async (what: string, condition: () => Promise<boolean>, limitMs = 45_000): Promise<void> => {
  const end = Date.now() + limitMs;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`waited ${limitMs} ms in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};
