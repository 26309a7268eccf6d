/** What docs/performance.md promises: our wall time divided by the peer's, at most. */
import type { LinkKind } from '../test/support/link.ts';
import type { PeerKind } from './peers.ts';
import type { ScenarioName } from './scenarios.ts';

export type Phase = 'first' | 'nothing changed' | '1 % changed';

interface Goal {
  readonly scenario: ScenarioName;
  readonly link: LinkKind;
  readonly phase: Phase;
  readonly peer: PeerKind;
  readonly ratioMax: number;
}

const goals: readonly Goal[] = [
  { scenario: 'S1', link: 'loopback', phase: 'first', peer: 'mbsync', ratioMax: 1 },
  { scenario: 'S2', link: 'loopback', phase: 'first', peer: 'mbsync', ratioMax: 0.4 },
  { scenario: 'S3', link: 'loopback', phase: 'first', peer: 'mbsync', ratioMax: 1 },
  { scenario: 'S1', link: 'loopback', phase: 'first', peer: 'mbsync without compression', ratioMax: 4 },
  { scenario: 'S2', link: 'loopback', phase: 'first', peer: 'mbsync without compression', ratioMax: 4 },
  { scenario: 'S3', link: 'loopback', phase: 'first', peer: 'mbsync without compression', ratioMax: 4 },
  { scenario: 'S3', link: '30 ms', phase: 'first', peer: '8 × mbsync', ratioMax: 0.7 },
  { scenario: 'S3', link: '30 ms', phase: 'nothing changed', peer: '8 × mbsync', ratioMax: 1 },
  { scenario: 'S3', link: '30 ms', phase: '1 % changed', peer: '8 × mbsync', ratioMax: 1 },
];

/** Of the running engine, beside 8 × mbsync over the 30 ms link. */
export const warmRatioMax: Readonly<Record<Phase, number | undefined>> = {
  first: undefined,
  'nothing changed': 0.33,
  '1 % changed': 0.5,
};

/** MiB in the first sync of S1. */
export const peakMibMax = 200;

export const goalOf = (scenario: ScenarioName, link: LinkKind, phase: Phase, peer: PeerKind): number | undefined =>
  goals.find((goal) => goal.scenario === scenario && goal.link === link && goal.phase === phase && goal.peer === peer)
    ?.ratioMax;
