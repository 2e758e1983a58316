import { arrivalOf } from './arrival';

const HERE = 'http://hub.test';

test('the Hub leads on to the server when it answers', () => {
  expect(arrivalOf('/user/li/', undefined, HERE)).toBe('/hub/spawn-pending/li?next=%2Fuser%2Fli%2F');
  expect(arrivalOf('/base/user/li/gan-2/', 'pumpkin/open?job=1', HERE)).toBe(
    '/base/hub/spawn-pending/li/gan-2?next=%2Fbase%2Fuser%2Fli%2Fgan-2%2Fpumpkin%2Fopen%3Fjob%3D1'
  );
});

test('nothing leads out of the server', () => {
  const start = arrivalOf('/user/li/', undefined, HERE);
  for (const evil of [
    'https://evil.test/',
    '//evil.test',
    'javascript:alert(1)',
    '../wang/',
    '/hub/logout',
    '..\\..\\x'
  ]) {
    expect(arrivalOf('/user/li/', evil, HERE)).toBe(start);
  }
});
