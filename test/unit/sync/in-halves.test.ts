import { describe, expect, it } from 'vitest';
import { EngineError } from '../../../src/base/errors.ts';
import { hasUid, type UidSet, uidsAscending } from '../../../src/base/uid-set.ts';
import { askInHalves } from '../../../src/sync/in-halves.ts';

/** Refuses whatever includes one of these. */
function serverThatRefuses(isRefused: (uid: number) => boolean) {
  const asked: UidSet[] = [];
  const ask = async (uids: UidSet): Promise<number[]> => {
    asked.push(uids);
    const all = [...uidsAscending(uids)];
    if (all.some(isRefused)) throw new EngineError('command_refused', 'FETCH');
    return all;
  };
  return { asked, ask };
}

describe('what is asked in halves', () => {
  it('leaves out what is refused alone, wherever it is, and nothing else', async () => {
    const uids: UidSet = [
      [3, 40],
      [90, 150],
    ];
    for (const poison of uidsAscending(uids)) {
      const { ask } = serverThatRefuses((uid) => uid === poison || uid === 111);
      const rows = await askInHalves(uids, ask);
      const expected = [...uidsAscending(uids)].filter((uid) => uid !== poison && uid !== 111);
      expect(rows.toSorted((a, b) => a - b)).toEqual(expected);
    }
  });

  it('is one command where nothing is refused', async () => {
    const { ask, asked } = serverThatRefuses(() => false);
    expect(await askInHalves([[1, 1000]], ask)).toHaveLength(1000);
    expect(asked).toHaveLength(1);
  });

  it('finds one message among millions', async () => {
    let count = 0;
    const rows = await askInHalves([[1, 2 ** 24]], async (uids) => {
      count += 1;
      if (hasUid(uids, 77)) throw new EngineError('command_refused', 'FETCH');
      return uids;
    });
    expect(rows.reduce((sum, [first, last]) => sum + last - first + 1, 0)).toBe(2 ** 24 - 1);
    expect(count).toBeLessThan(60);
  });

  it('is given up soon where everything is refused, and at once for any other failure', async () => {
    const { ask, asked } = serverThatRefuses(() => true);
    await expect(askInHalves([[1, 100_000]], ask)).rejects.toMatchObject({ code: 'command_refused' });
    expect(asked.length).toBeLessThan(30);
    const few = serverThatRefuses(() => true);
    await expect(askInHalves([[5, 5]], few.ask)).rejects.toMatchObject({ code: 'command_refused' });
    const broken = askInHalves([[1, 9]], () => Promise.reject(new EngineError('connection_lost', 'FETCH')));
    await expect(broken).rejects.toMatchObject({ code: 'connection_lost' });
  });
});
