/** `sync --dry-run`: one listing, and what a pass would do with each folder. Writes nothing. */
import { openSession } from '../imap/open-session.ts';
import type { Account, Folder } from '../store/store.ts';
import { pendingCountOf } from './folder-pass.ts';
import { planFolders } from './folder-plan.ts';
import { openOnce } from './open-once.ts';
import type { Ports, Scope } from './pass.ts';
import { proveRenames } from './renames.ts';
import { forecastVisits } from './visits.ts';

export type ForecastRow = {
  readonly path: string;
  readonly plan: string;
  readonly on_server: number | null;
  readonly at_last_pass: number | null;
  readonly pending: number;
};

type ForecastPorts = Pick<Ports, 'store' | 'clock' | 'credentialsOf'>;

export async function forecast(
  { store, clock, credentialsOf }: ForecastPorts,
  account: Account,
  scope: Scope,
): Promise<ForecastRow[]> {
  const session = await openOnce(credentialsOf, account, openSession);
  try {
    const listing = await session.listFolders({ withStatus: true });
    const folders = await store.folders(account.acntid, { withRetired: true });
    const renames = await proveRenames(store, session, folders, listing);
    const { create, missing } = planFolders(folders, listing, renames);
    const known = folders.filter((folder) => folder.retiredAt === null);
    const visits = await forecastVisits({ store, clock }, scope, known, listing);
    return [
      ...visits.map(({ folder, status, plan }) =>
        row(folder, status?.messages ?? null, plan.step === 'scan' ? `scan: ${plan.because}` : plan.step),
      ),
      ...create.map(({ path }) => ({
        path,
        plan: 'new folder',
        on_server: messagesOf(listing, path),
        at_last_pass: null,
        pending: 0,
      })),
      ...missing.map(({ emfdid, retire }) =>
        row(
          known.find((folder) => folder.emfdid === emfdid),
          null,
          retire ? 'gone twice: retire' : 'gone once: wait',
        ),
      ),
    ];
  } finally {
    await session.close();
  }
}

const messagesOf = (
  listing: {
    readonly folders: readonly { readonly path: string; readonly status: { readonly messages: number } | null }[];
  },
  path: string,
): number | null => listing.folders.find((folder) => folder.path === path)?.status?.messages ?? null;

function row(folder: Folder | undefined, onServer: number | null, plan: string): ForecastRow {
  return {
    path: folder?.path ?? '',
    plan,
    on_server: onServer,
    at_last_pass: folder?.messageCount ?? null,
    pending: folder ? pendingCountOf(folder) : 0,
  };
}
