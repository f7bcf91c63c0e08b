import type { Job } from './job.ts';

/** One thing a policy would do now, or, with action null, why it would do nothing. */
export interface PlannedAction {
  readonly hypertable: bigint | null;
  readonly action: string | null;
  readonly object: string | null;
  readonly reason: string;
}

/** A kind of policy: the procedure of tessera that its jobs call, and what it would do now. */
export interface PolicyKind {
  /** Name of the function or procedure in _tessera_functions. */
  readonly proc: string;
  readonly title: string;
  readonly plan: (job: Job) => readonly PlannedAction[];
}

const kinds = new Map<string, PolicyKind>();

/** Features add their policies when their module is loaded. */
export const registerPolicy = (kind: PolicyKind): PolicyKind => {
  kinds.set(kind.proc, kind);
  return kind;
};

export const policyKind = (proc: string): PolicyKind | undefined => kinds.get(proc);
export const policyKinds = (): readonly PolicyKind[] => [...kinds.values()];
