import { setup } from './global-setup.ts';

/** Servers as a managed service hands them over, beside those of the other tests. */
export default (): Promise<() => Promise<void>> => setup('managed');
