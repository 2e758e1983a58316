import { linkOf, pictureOf, tame } from './harmless';

const file = (path: string): string => `/files/${path}`;

test.each([
  'javascript:alert(1)',
  ' javascript:alert(1)',
  'java\tscript:alert(1)',
  'JaVaScRiPt:alert(1)',
  'vbscript:x',
  'data:text/html,<script>',
  'blob:https://x/1',
  'file:///etc/passwd',
  '//evil.example/x',
  '\\\\evil.example\\x',
  '/hub/logout',
  '#top',
  '',
  '../other/secret',
  'a/%2e%2e/%2e%2e/b',
  'a%2f..%2fb',
  '%zz'
])('a link to %j leads nowhere', href => {
  expect(linkOf(href, file)).toBeNull();
});

test('other sites and letters open outside', () => {
  expect(linkOf('https://example.org/a?b#c')).toEqual({ href: 'https://example.org/a?b#c', outside: true });
  expect(linkOf('mailto:a@example.org')).toEqual({ href: 'mailto:a@example.org', outside: true });
});

test('a path beside the text is a file of the version', () => {
  expect(linkOf('./data/a%20b.csv?raw=1#x', file)).toEqual({ href: '/files/data/a b.csv', outside: false });
  expect(linkOf('data.csv')).toBeNull();
});

test.each([
  'https://example.org/x.png',
  '//example.org/x.png',
  '/hub/logout',
  'data:text/html;base64,AA==',
  '../x.png'
])('a picture from %j is not fetched', src => {
  expect(pictureOf(src, file)).toBeNull();
});

test('a picture comes from the text or from beside it', () => {
  expect(pictureOf('img/x.png', file)).toBe('/files/img/x.png');
  expect(pictureOf('data:image/png;base64,AAAA')).toBe('data:image/png;base64,AAAA');
  expect(pictureOf('img/x.png')).toBeNull();
});

test.each([
  [
    '<p align=center><img SRC="x.png" alt=\'a "b"\' width="40"></p>',
    '<p align="center"><img src="x.png" alt="a &quot;b&quot;" width="40"></p>'
  ],
  ['<details open><summary>More</summary>', '<details open=""><summary>More</summary>'],
  ['<br/>', '<br>'],
  ['<img data-src="y" xlink:href="z">', '<img>'],
  ['a < b <!-- note --> c', 'a &lt; b  c'],
  ['<img src=x onerror="alert(1)" style="x" class=y>', '<img src="x">'],
  ['<img title="a>b" onerror=alert(1)>', '<img title="a>b">'],
  ['<img src=x onerror=alert(1)', '&lt;img src=x onerror=alert(1)'],
  ['<script>alert(1)</script>x', 'x'],
  ['<SCRIPT src=x>', ''],
  ['<style>p{}</style >y', 'y'],
  ['<custom-element onclick=x>z</custom-element>', 'z'],
  ['<svg/onload=alert(1)><a>q</a></svg>', '']
])('%j is tamed to %j', (html, tamed) => {
  expect(tame(html)).toBe(tamed);
});
