/** Results as a Markdown table: ours, theirs, the ratio, and the goal beside it. */

import type { LinkKind } from '../test/support/link.ts';
import { goalOf, type Phase, peakMibMax, warmRatioMax } from './goals.ts';
import type { Measure } from './measure.ts';
import type { PeerKind } from './peers.ts';
import type { ScenarioName } from './scenarios.ts';

export interface Result {
  readonly scenario: ScenarioName;
  readonly link: LinkKind;
  readonly phase: Phase;
  readonly peer: PeerKind;
  readonly measure: Measure;
}

export function toMarkdown(results: readonly Result[]): string {
  const head =
    '| load | link | pass | program | wall s | CPU s | peak MiB | ours / theirs | goal |\n|---|---|---|---|---|---|---|---|---|';
  return [head, ...results.map((result) => row(result, results))].join('\n');
}

function row(result: Result, results: readonly Result[]): string {
  const { scenario, link, phase, peer, measure } = result;
  const ratio = ratioOf(result, results);
  return `| ${[
    scenario,
    link,
    phase,
    peer,
    measure.wallSeconds.toFixed(2),
    measure.cpuSeconds.toFixed(2),
    measure.peakMib.toFixed(0),
    ratio?.toFixed(2) ?? '',
    verdict(result, ratio),
  ].join(' | ')} |`;
}

/** Ours by theirs, beside theirs; the running engine's stands beside itself. */
function ratioOf(result: Result, results: readonly Result[]): number | undefined {
  const { scenario, link, phase, peer, measure } = result;
  const secondsOf = (kind: PeerKind): number =>
    results.find(
      (other) => other.peer === kind && other.scenario === scenario && other.link === link && other.phase === phase,
    )?.measure.wallSeconds ?? Number.NaN;
  if (peer === 'backproc') return undefined;
  if (peer === 'the engine, running') return measure.wallSeconds / secondsOf('8 × mbsync');
  return secondsOf('backproc') / measure.wallSeconds;
}

function verdict({ scenario, link, phase, peer, measure }: Result, ratio: number | undefined): string {
  if (peer === 'backproc' && scenario === 'S1' && phase === 'first' && link === 'loopback')
    return judged(measure.peakMib <= peakMibMax, `${peakMibMax} MiB`);
  const goal = peer === 'the engine, running' ? warmRatioMax[phase] : goalOf(scenario, link, phase, peer);
  return goal === undefined || ratio === undefined ? '' : judged(ratio <= goal, `≤ ${goal}`);
}

const judged = (isMet: boolean, goal: string): string => `${goal} ${isMet ? 'met' : '**missed**'}`;
