import { addressesOf } from './addresses';

test('a script is told the Hub, not the page', () => {
  expect(addressesOf('/services/pumpkin/', 'http://h:8000/services/pumpkin/account')).toEqual({
    hub: 'http://h:8000',
    api: 'http://h:8000/services/pumpkin/api/v1'
  });
  expect(addressesOf('https://h/base/services/pumpkin/', 'https://h/base/user/a/lab').hub).toBe('https://h/base');
});
