import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { htmlToText } from '../../../src/mime/html-text.ts';

describe('the text of HTML', () => {
  it.each([
    ['<p>One</p><p>Two<br>three</p>', 'One\nTwo\nthree'],
    ['<div>a<div>b</div></div>', 'a\nb'],
    ['<td>left</td><td>right</td>', 'left right'],
    ['sp<b>li</b>t', 'split'],
    ['a &lt;b&gt; &amp;&nbsp;&euro;&#8364; &unknown; &', 'a <b> & €€ &unknown; &'],
    ['<head><title>no</title></head><body>yes', 'yes'],
    ['<style>p {}</style><script>if (a < b) "</p>"</script>yes', 'yes'],
    ['<head><style>x</style><body>unclosed head', 'unclosed head'],
    ['<!-- no --><![CDATA[x]]>yes', 'yes'],
    ["<a title='>'>link</a>", 'link'],
    ['  white \r\n\t space  ', 'white space'],
    ['', ''],
  ])('of %j', (html, text) => expect(htmlToText(html)).toBe(text));
  it('is bounded, trimmed and free of controls, whatever the HTML is', () => {
    const pieces = ['<', '>', '</', '<p', 'script', '&', '&#', 'x1;', '!--', '"', "'", '=', 'text', '\u0001', ' '];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces)), (chosen) => {
        const html = chosen.join('');
        const text = htmlToText(html);
        expect(text.length).toBeLessThanOrEqual(html.length);
        expect(text).toBe(text.trim());
        expect(text).not.toMatch(/[\u0000-\u0008\u000b-\u001f]/);
      }),
    );
  });
});
