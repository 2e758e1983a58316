import { MODULES, offered, picksOf, quickPicks, samePicks, scopesOf } from './scopes';

const held = (...scopes: string[]): string[] => scopes.map(scope => `custom:pumpkin:${scope}`);
const member = offered(
  held(
    ...['workloads', 'datasets', 'algorithms', 'models', 'images', 'accounts'].flatMap(module => [
      `${module}:read`,
      `${module}:write`
    ]),
    'resources:read',
    'billing:read'
  )
);

test('what one does not hold is not offered', () => {
  expect(member.workloads).toEqual(['read', 'write']);
  expect(member.billing).toEqual(['read']);
  expect(offered([]).accounts).toEqual([]);
});

test('a scope for one’s own user counts, and one that opens nothing is not offered', () => {
  expect(offered(held('datasets:read!user=ann', 'resources:write')).datasets).toEqual(['read']);
  expect(offered(held('resources:read', 'resources:write')).resources).toEqual(['read']);
});

test('quick sets never go beyond what one may give', () => {
  expect(Object.values(quickPicks('read', member))).toEqual(MODULES.map(() => 'read'));
  expect(quickPicks('ci', member)).toEqual({
    workloads: 'write',
    datasets: 'read',
    algorithms: 'write',
    models: 'read',
    images: 'read',
    resources: 'read'
  });
  expect(quickPicks('all', member)).toMatchObject({ workloads: 'write', billing: 'read', accounts: 'write' });
  expect(quickPicks('ci', offered(held('workloads:read', 'datasets:read')))).toEqual({ datasets: 'read' });
});

test('picks and scopes are two forms of one thing', () => {
  const picks = quickPicks('all', member);
  expect(samePicks(picksOf(scopesOf(picks)), picks)).toBe(true);
  expect(picksOf(['datasets:read', 'datasets:admin', 'strange:read'])).toEqual({ datasets: 'admin' });
  expect(samePicks({ datasets: 'read' }, {})).toBe(false);
});
