/** `outbox show`: an entry, who it goes to, and its attempts as a timeline. */
import { EngineError } from '../base/errors.ts';
import type { SmtpHealth } from '../store/outbox-entry.ts';
import type { OutboxAttempt, OutboxDetail } from '../store/outbox-view.ts';
import type { CliContext } from './context.ts';
import { formatTable } from './table.ts';

export async function showEntry(
  context: CliContext,
  id: number,
  { json, raw }: { readonly json?: boolean; readonly raw?: boolean },
): Promise<void> {
  if (raw) return exportRaw(context, id);
  const { config } = await context.loadConfig();
  const [detail, sender] = await context.withStore(async (store) => {
    const found = await store.outboxDetail(id);
    if (!found) throw new EngineError('not_found', `No outbox entry ${id}.`);
    const health = (await store.sendingState(found.acntid))?.smtpHealth ?? null;
    const isEnabled = (await store.account(found.acntid))?.enabled === true;
    return [found, { health, isEnabled, isOutboxOn: config.EMAIL_OUTBOX_ENABLED }] as const;
  });
  if (json) return context.print(JSON.stringify(detail, null, 2));
  const { recipients, attempts, ...fields } = detail;
  const waits = waitOf(detail, sender);
  const shown = Object.entries({ ...fields, ...(waits === null ? {} : { waits_for: waits }) });
  context.print(formatTable(shown.filter(([, value]) => value !== null).map(([field, value]) => ({ field, value }))));
  if (recipients.length > 0) context.print(`\n${formatTable(recipients.map((one) => ({ ...one })))}`);
  if (attempts.length > 0) context.print(`\n${formatTable(attempts.map(attemptRow))}`);
}

interface Sender {
  readonly health: SmtpHealth | null;
  readonly isEnabled: boolean;
  readonly isOutboxOn: boolean;
}

/** The account or the configuration may be what holds it up; then the entry itself shows nothing of it. */
function waitOf({ state, nextAttemptAt }: OutboxDetail, { health, isEnabled, isOutboxOn }: Sender): string | null {
  const isWaiting = state === 'queued' || state === 'deferred' || (state === 'delivered' && nextAttemptAt !== null);
  if (!isWaiting) return null;
  if (!isOutboxOn) return 'EMAIL_OUTBOX_ENABLED, which is false';
  if (!isEnabled) return 'the account, which is disabled';
  if (!health?.retryAt) return null;
  return `account ${health.state} until ${health.retryAt}: ${health.lastError ?? 'a limit of the provider'}`;
}

const attemptRow = ({ startedAt, durationMs, phase, recipientCount, verdict, response }: OutboxAttempt) => ({
  started: startedAt,
  took: durationMs === null ? null : `${durationMs} ms`,
  came_to: phase,
  recipients: recipientCount,
  verdict: verdict ?? 'under way',
  response,
});

async function exportRaw(context: CliContext, id: number): Promise<void> {
  const raw = await context.withStore((store) => store.outboxRaw(id));
  if (!raw) throw new EngineError('not_found', `Entry ${id} has no mail yet: it is composed when it is sent.`);
  await new Promise<void>((resolve) => context.stdout.write(raw, () => resolve()));
}
