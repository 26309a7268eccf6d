/**
 * `npm run bench`: backproc beside mbsync on the same Dovecot in one run. For each load and link: first sync, nothing changed,
 * one per cent changed; prints a table of wall time, CPU, peak memory and ratios. `--quick` a tenth of the mail, one run each.
 * Instead: `--reading`, the second stage beside bare MIME libraries; `--launch`, a launch beside an engine; `--lateness`, passes
 * with and without mail to read.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type LinkKind, linkKinds, openLink } from '../test/support/link.ts';
import type { Phase } from './goals.ts';
import { benchLaunch, launchTable } from './launch.ts';
import { type Measure, median } from './measure.ts';
import { createPeer, type Peer, type PeerKind } from './peers.ts';
import { type Result, toMarkdown } from './report.ts';
import { type Load, type Scenario, scenarios, startLoad } from './scenarios.ts';

const usage = `npm run bench -- [--quick] [--scenario S1,S2,S3] [--link loopback,"30 ms",fast] [--runs N] [--out FILE]
npm run bench -- --reading [--out FILE]
npm run bench -- --launch
npm run bench -- --lateness`;

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    scenario: { type: 'string', default: 'S1,S2,S3' },
    link: { type: 'string', default: 'loopback,30 ms' },
    runs: { type: 'string' },
    out: { type: 'string' },
    launch: { type: 'boolean', default: false },
    lateness: { type: 'boolean', default: false },
    reading: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const runs = Number(values.runs ?? (values.quick ? 1 : 3));

function peersOf(scenario: Scenario, link: LinkKind): PeerKind[] {
  if (link !== 'loopback')
    return scenario.name === 'S3' ? ['backproc', '8 × mbsync', 'the engine, running'] : ['backproc', 'mbsync'];
  return [
    'backproc',
    'mbsync',
    'mbsync without compression',
    ...(scenario.name === 'S3' ? ['8 × mbsync' as const] : []),
  ];
}

/**
 * Removed when everything is measured: ext4 does not give an inode again for minutes after its file was removed, and searches
 * past all of them for each new file. Of the peers mbsync would pay for it, which makes a file of each mail.
 */
const finished: Peer[] = [];

async function benchLink(load: Load, kind: LinkKind): Promise<Result[]> {
  const link = await openLink(kind, load.dovecot.port);
  const kinds = peersOf(load.scenario, kind);
  const measures = new Map<string, Measure[]>();
  const take = async (peer: PeerKind, phase: Phase, pass: () => Promise<Measure>): Promise<void> => {
    // What the program before left to be written is not this one's.
    execFileSync('sync');
    const measure = await pass();
    process.stderr.write(`${load.scenario.name}, ${link.name}, ${phase}, ${peer}: ${measure.wallSeconds} s\n`);
    const key = `${peer}/${phase}`;
    measures.set(key, [...(measures.get(key) ?? []), measure]);
  };
  for (let run = 0; run < runs; run += 1) {
    const peers = new Map<PeerKind, Peer>();
    for (const peer of kinds) peers.set(peer, await createPeer(peer, link.port, load.users));
    for (const [kindOf, peer] of peers) await take(kindOf, 'first', () => peer.pass());
    for (const [kindOf, peer] of peers) {
      await peer.settle();
      await take(kindOf, 'nothing changed', () => peer.pass());
    }
    await load.change();
    for (const [kindOf, peer] of peers) {
      await peer.settle();
      await take(kindOf, '1 % changed', () => peer.pass());
    }
    for (const peer of peers.values()) await peer.stop();
    finished.push(...peers.values());
  }
  link.close();
  const phases: Phase[] = ['first', 'nothing changed', '1 % changed'];
  return phases.flatMap((phase) =>
    kinds.map((peer) => ({
      scenario: load.scenario.name,
      link: kind,
      phase,
      peer,
      measure: median(measures.get(`${peer}/${phase}`) ?? []),
    })),
  );
}

async function main(): Promise<void> {
  if (values.help) return void process.stdout.write(`${usage}\n`);
  if (values.launch) return void process.stdout.write(`${launchTable(await benchLaunch())}\n`);
  if (values.lateness) return tell(await (await import('./lateness.ts')).benchLateness());
  if (values.reading) return tell(await (await import('./reading.ts')).benchReading());
  const results: Result[] = [];
  const loads: Load[] = [];
  for (const scenario of scenarios(values.quick).filter(({ name }) => values.scenario.split(',').includes(name))) {
    process.stderr.write(`${scenario.name}: ${scenario.text}; filling the server\n`);
    const load = await startLoad(scenario);
    for (const kind of linkKinds)
      if (values.link.split(',').includes(kind)) results.push(...(await benchLink(load, kind)));
    loads.push(load);
  }
  for (const peer of finished) peer.remove();
  for (const load of loads) await load.dovecot.stop();
  tell(toMarkdown(results));
}

function tell(table: string): void {
  process.stdout.write(`${table}\n`);
  if (values.out !== undefined) writeFileSync(values.out, `${table}\n`);
}

await main();
