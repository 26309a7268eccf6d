import { describe, expect, it } from 'vitest';
import type { EngineError } from '../../../src/base/errors.ts';
import { type AnswerRoom, createAnswerRoom } from '../../../src/imap/answer-room.ts';

const mib = 1024 * 1024;

const isMemoryShort = () => true;

function rooms(count: number, bytesMax: number): AnswerRoom[] {
  const heldKib = new SharedArrayBuffer(8 * Int32Array.BYTES_PER_ELEMENT);
  return Array.from({ length: count }, (_, slot) => createAnswerRoom({ heldKib, slot, bytesMax, isMemoryShort }));
}

function enter(room: AnswerRoom | undefined) {
  const gone: EngineError[] = [];
  const held = room?.enter((reason) => gone.push(reason));
  return { hold: (bytes: number) => held?.hold(bytes), leave: () => held?.leave(), gone };
}

describe('the room for answers whose end has not come', () => {
  it('gives up the largest of the thread when all threads together hold too much', () => {
    const [first, second] = rooms(2, 10 * mib);
    const other = enter(second);
    const small = enter(first);
    const large = enter(first);
    other.hold(5 * mib);
    large.hold(4 * mib);
    small.hold(2 * mib);
    expect(large.gone.map(({ code }) => code)).toEqual(['memory_short']);
    expect([small.gone, other.gone]).toEqual([[], []]);
    small.hold(5 * mib);
    expect(small.gone).toEqual([]);
  });

  it('gives up no answer of a megabyte, however little room there is', () => {
    const [first, second] = rooms(2, 2 * mib);
    enter(second).hold(9 * mib);
    const small = enter(first);
    small.hold(mib);
    expect(small.gone).toEqual([]);
  });

  it('gives up nobody while there is memory', () => {
    const heldKib = new SharedArrayBuffer(8 * Int32Array.BYTES_PER_ELEMENT);
    let isShort = false;
    const held = enter(createAnswerRoom({ heldKib, slot: 0, bytesMax: mib, isMemoryShort: () => isShort }));
    held.hold(8 * mib);
    expect(held.gone).toEqual([]);
    isShort = true;
    held.hold(9 * mib);
    expect(held.gone.map(({ code }) => code)).toEqual(['memory_short']);
  });

  it('has its room back when an answer ends, a connection leaves, or a thread of the same name starts', () => {
    const heldKib = new SharedArrayBuffer(8 * Int32Array.BYTES_PER_ELEMENT);
    const dead = enter(createAnswerRoom({ heldKib, slot: 1, bytesMax: 10 * mib, isMemoryShort }));
    dead.hold(9 * mib);
    const room = createAnswerRoom({ heldKib, slot: 1, bytesMax: 10 * mib, isMemoryShort });
    const first = enter(room);
    first.hold(9 * mib);
    first.hold(0);
    const second = enter(room);
    second.hold(9 * mib);
    second.leave();
    second.leave();
    first.hold(9 * mib);
    expect([first.gone, second.gone]).toEqual([[], []]);
  });
});
