/** What a terminal shows while passes run: one line per account at work, redrawn in place. Nothing without a terminal. */

import { escapeControls } from '../base/log-line.ts';
import type { PassReport, Progress } from '../sync/pass.ts';

export interface ProgressDisplay {
  progress(progress: Progress): void;
  report(report: PassReport): void;
  /** Takes the lines away. */
  clear(): void;
}

interface Line {
  readonly startedMs: number;
  /** By folder: counts of a pass start at 0 in each. */
  readonly folders: Map<number, Progress>;
}

const redrawMs = 100;
const linesMax = 12;

export function createProgressDisplay(stream: NodeJS.WriteStream): ProgressDisplay {
  const lines = new Map<number, Line>();
  let drawnCount = 0;
  let drawnMs = 0;
  const erase = (): void => {
    if (drawnCount > 0) stream.write(`\u001b[${drawnCount}A\u001b[J`);
    drawnCount = 0;
  };
  const draw = (): void => {
    if (performance.now() - drawnMs < redrawMs) return;
    drawnMs = performance.now();
    erase();
    const shown = [...lines].slice(0, linesMax).map(([acntid, line]) => formatProgress(acntid, line, drawnMs));
    if (lines.size > linesMax) shown.push(`… and ${lines.size - linesMax} more accounts`);
    for (const text of shown) stream.write(`${text.slice(0, (stream.columns ?? 80) - 1)}\n`);
    drawnCount = shown.length;
  };
  return {
    progress(progress) {
      const line = lines.get(progress.acntid) ?? { startedMs: performance.now(), folders: new Map() };
      line.folders.set(progress.emfdid, progress);
      lines.set(progress.acntid, line);
      draw();
    },
    report(report) {
      lines.delete(report.acntid);
      drawnMs = 0;
      draw();
    },
    clear: erase,
  };
}

function formatProgress(acntid: number, { startedMs, folders }: Line, nowMs: number): string {
  const all = [...folders.values()];
  const messages = sum(all, (progress) => progress.receivedCount);
  const bytes = sum(all, (progress) => progress.receivedBytes);
  const pending = sum(all, (progress) => progress.pendingCount);
  const seconds = Math.max(0.1, (nowMs - startedMs) / 1000);
  const perSecond = messages / seconds;
  const eta = pending === 0 ? '' : `, ${pending} to go, ETA ${formatSeconds(pending / Math.max(perSecond, 0.1))}`;
  const path = escapeControls(all.at(-1)?.path ?? '');
  return `  account ${acntid}: ${messages} messages, ${formatBytes(bytes)}, ${Math.round(perSecond)}/s${eta}  ${path}`;
}

const sum = (all: readonly Progress[], of: (progress: Progress) => number): number =>
  all.reduce((total, one) => total + of(one), 0);

export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  return `${(bytes / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}

export function formatSeconds(seconds: number): string {
  const whole = Math.ceil(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
