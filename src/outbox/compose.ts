/**
 * Makes the mail that is sent, of columns or of a whole message that the application brought. It never changes again: every
 * attempt sends the same bytes, under the same Message-ID. Pure; throws outbox_invalid.
 */
import type { ComposedEntry } from '../store/outbox-entry.ts';
import { composeColumns } from './compose-columns.ts';
import type { ComposeInput } from './compose-input.ts';
import { composeRaw } from './compose-raw.ts';
import { invalid } from './invalid.ts';

export function compose(input: ComposeInput): ComposedEntry {
  const composed = input.columns.raw === null ? composeColumns(input) : composeRaw(input);
  if (composed.recipients.length === 0) throw invalid('recipients', 'none in recipients, to, cc or bcc');
  const { length } = composed.raw;
  if (length > input.bytesMax)
    throw invalid('raw', `the mail has ${length} bytes, at most ${input.bytesMax} (EMAIL_OUTBOX_MAX_MESSAGE_BYTES)`);
  return composed;
}
