import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { needsUtf8, readAddressSpec } from '../../../src/outbox/address-spec.ts';
import { readAddress, readAddresses, uniqueAddresses } from '../../../src/outbox/addresses.ts';

const plain = (text: string): string[] => readAddresses(text, 'to_addresses').map(({ address }) => address);

describe('an address column', () => {
  it.each([
    ['bob@example.com', ['bob@example.com']],
    [
      'Bob <bob@example.com>, carl@example.com; "Doe, Dora" <dora@example.com>',
      ['bob@example.com', 'carl@example.com', 'dora@example.com'],
    ],
    ['["bob@example.com", "Carl <carl@example.com>"]', ['bob@example.com', 'carl@example.com']],
    [
      '[{"name":"Bob","address":"bob@example.com"},{"address":"carl@example.com"}]',
      ['bob@example.com', 'carl@example.com'],
    ],
    ['{"name":null,"address":"bob@example.com"}', ['bob@example.com']],
    ['"bob@example.com" <bob@example.com>', ['bob@example.com']],
    ['"quoted part"@example.com', ['"quoted part"@example.com']],
    ['bob@[192.0.2.1], carl@[IPv6:2001:db8::1]', ['bob@[192.0.2.1]', 'carl@[IPv6:2001:db8::1]']],
    [
      'bob@EXAMPLE.com, jörg@exämple.de, x@müller.example',
      ['bob@example.com', 'jörg@xn--exmple-cua.de', 'x@xn--mller-kva.example'],
    ],
    ['root@localhost', ['root@localhost']],
    ['  ', []],
    ['[]', []],
  ])('%s is read', (text, addresses) => expect(plain(text)).toEqual(addresses));

  it.each([
    ['bob'],
    ['@example.com'],
    ['bob@'],
    ['bob@example..com'],
    ['bob@-example.com'],
    ['bob@example.com extra'],
    ['bob@x, bob@x, carl'],
    ['b@x\r\nRCPT TO:<e@e>'],
    ['["b@x\\r\\nRCPT TO:<e@e>"]'],
    ['[{"address":"b@x\\u0000"}]'],
    ['[{"name":"A\\r\\nBcc: e@e","address":"b@x.org"}]'],
    ['eve@evil.org <bob@example.com>'],
    ['"eve@evil.org, x" <bob@example.com>'],
    ['bob@example.com <carl@example.com> dora@example.com'],
    ['Team: bob@example.com, carl@example.com;'],
    ['bob@127.0.0.1'],
    ['bob@example.123'],
    ['bob@exa mple.com'],
    ['b<o>b@example.com'],
    ['"b>o"@example.com'],
    ['.bob@example.com'],
    [`${'a'.repeat(65)}@example.com`],
    ['[{"address":5}]'],
    ['[["bob@example.com"]]'],
    ['[null]'],
    ['[{"address":"bob@example.com"'],
    ['bob\u202e@example.com'],
    ['bob\u2028@example.com'],
  ])('%j is refused', (text) => {
    expect(() => plain(text)).toThrow(
      expect.objectContaining({ code: 'outbox_invalid', detail: expect.stringContaining('to_addresses') as unknown }),
    );
  });

  it('for one address takes no second', () => {
    expect(readAddress('bob@example.com', 'smtp_from')?.address).toBe('bob@example.com');
    expect(readAddress(null, 'smtp_from')).toBeNull();
    expect(() => readAddress('a@x.org, b@x.org', 'smtp_from')).toThrow(/expected one/);
  });

  it('whatever stands in it, gives addresses that hold no line end, space, comma or bracket outside of quotes', () => {
    const pieces = fc.array(
      fc.constantFrom(
        'a',
        'b@x.org',
        '<',
        '>',
        '"',
        ',',
        ';',
        '\r\n',
        ' ',
        '@',
        'ü',
        '[',
        ']',
        '{',
        ':',
        '(',
        '\\',
        '\0',
        'Bcc: ',
      ),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(pieces, (parts) => {
        try {
          for (const address of plain(parts.join(''))) {
            const [local = '', domain = ''] = address.split(/@(?=[^@]*$)/);
            expect(domain).toMatch(/^([a-z0-9._-]+|\[[\w.:]+\])$/);
            if (!local.startsWith('"')) expect(local).not.toMatch(/[\s<>(),;:\\"[\]\p{C}]/u);
            expect(address).not.toMatch(/[\r\n<>\0]/);
          }
        } catch (error) {
          expect(error).toMatchObject({ code: 'outbox_invalid' });
        }
      }),
    );
  });

  it('of any length is read or refused in no time', () => {
    for (const piece of ['"', '<', ' ', 'a@b.c,', '\\', '[', '"a" <', 'a '])
      for (const text of [piece.repeat(100_000), `a@b.org ${piece.repeat(100_000)}`]) {
        const started = performance.now();
        try {
          plain(text);
        } catch {
          // refused is as good
        }
        expect(performance.now() - started).toBeLessThan(2000);
      }
  });

  it('names nobody twice, whatever the case', () => {
    expect(uniqueAddresses(['Bob@x.org', 'bob@X.org', 'carl@x.org'])).toEqual(['Bob@x.org', 'carl@x.org']);
  });

  it('knows who can only be reached over SMTPUTF8', () => {
    expect([needsUtf8('bob@xn--mller-kva.example'), needsUtf8('jörg@example.com')]).toEqual([false, true]);
  });

  it('is read the same when it is written again', () => {
    const address = fc
      .tuple(fc.stringMatching(/^[a-z0-9]{1,10}$/), fc.stringMatching(/^[a-z]{1,10}\.(org|com)$/))
      .map((parts) => parts.join('@'));
    const name = fc
      .string({ maxLength: 20 })
      .filter((text) => !/[\p{C}\u2028\u2029]/u.test(text) && text.trim() === text);
    fc.assert(
      fc.property(fc.array(fc.record({ name, address }), { maxLength: 5 }), (people) => {
        expect(readAddresses(JSON.stringify(people), 'to')).toEqual(people);
        expect(readAddresses(people.map((one) => one.address).join(', '), 'to')).toEqual(
          people.map((one) => ({ name: '', address: one.address })),
        );
        for (const one of people) expect(readAddressSpec(one.address)).toEqual({ address: one.address });
      }),
    );
  });
});
