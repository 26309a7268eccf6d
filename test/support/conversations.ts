/** What the rule of conversations comes to for a whole set of mails: the oracle of the store's incremental way. */
import { type ConversationHeader, conversationKeys } from '../../src/store/conversation-rule.ts';

/** Groups of indexes, each sorted, ordered by their first. */
export function conversationsOf(mails: readonly ConversationHeader[], owner: string): number[][] {
  const keys = mails.map((mail) => conversationKeys(mail, owner));
  const answered = new Set(keys.flatMap(({ answers }) => answers));
  const parents = mails.map((_, index) => index);
  const root = (index: number): number => (parents[index] === index ? index : root(parents[index] ?? index));
  const first = new Map<string, number>();
  for (const [index, { shared, originals, answers }] of keys.entries()) {
    const met = [...originals.filter((key) => answered.has(key)), ...answers];
    for (const key of [...shared, ...met.map((one) => `answered\n${one}`)]) {
      const other = first.get(key);
      if (other === undefined) first.set(key, index);
      else parents[root(Math.max(root(index), root(other)))] = Math.min(root(index), root(other));
    }
  }
  const groups = new Map<number, number[]>();
  for (const index of mails.keys()) groups.set(root(index), [...(groups.get(root(index)) ?? []), index]);
  return [...groups.values()].sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0));
}
