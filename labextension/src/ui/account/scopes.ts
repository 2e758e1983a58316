/** What a token may do, as picks: one verb per module. The platform's scopes are `module:verb`. */
import type { Words } from '../shell';

export type Verb = 'read' | 'write' | 'admin';

const PREFIX = 'custom:pumpkin:';
/** The verbs that open something, by module, in the order they are shown; each includes those before it. */
const VERBS = {
  workloads: ['read', 'write', 'admin'],
  datasets: ['read', 'write', 'admin'],
  algorithms: ['read', 'write', 'admin'],
  models: ['read', 'write', 'admin'],
  images: ['read', 'write', 'admin'],
  resources: ['read', 'admin'],
  billing: ['read', 'admin'],
  accounts: ['read', 'write', 'admin']
} as const satisfies Record<string, readonly Verb[]>;

export type Module = keyof typeof VERBS;
export const MODULES = Object.keys(VERBS) as Module[];

/** A verb per module; a module that is left out is not opened at all. */
export type Picks = Partial<Record<Module, Verb>>;

/** The verbs one may give, by the scopes one has (`custom:pumpkin:module:verb`, maybe for one's own user only). */
export function offered(held: string[]): Record<Module, Verb[]> {
  const bare = new Set(held.map(scope => scope.split('!')[0]));
  return Object.fromEntries(
    MODULES.map(module => [module, VERBS[module].filter(verb => bare.has(`${PREFIX}${module}:${verb}`))])
  ) as Record<Module, Verb[]>;
}

/** The scopes that picks stand for. */
export function scopesOf(picks: Picks): string[] {
  return MODULES.filter(module => picks[module] !== undefined).map(module => `${module}:${picks[module]}`);
}

/** The picks that scopes stand for; of several verbs the widest. */
export function picksOf(scopes: string[]): Picks {
  const picks: Picks = {};
  for (const module of MODULES) {
    const verb = VERBS[module].findLast(one => scopes.includes(`${module}:${one}`));
    if (verb !== undefined) {
      picks[module] = verb;
    }
  }
  return picks;
}

export const QUICK = ['read', 'ci', 'all'] as const;
export type Quick = (typeof QUICK)[number];

const CI: Picks = {
  workloads: 'write',
  datasets: 'read',
  algorithms: 'write',
  models: 'read',
  images: 'read',
  resources: 'read'
};

/** A usual choice, as far as one may give it. */
export function quickPicks(quick: Quick, may: Record<Module, Verb[]>): Picks {
  const picks: Picks = {};
  for (const module of MODULES) {
    const wanted = { read: 'read' as const, ci: CI[module], all: may[module].at(-1) }[quick];
    if (wanted !== undefined && may[module].includes(wanted)) {
      picks[module] = wanted;
    }
  }
  return picks;
}

export function samePicks(one: Picks, other: Picks): boolean {
  return MODULES.every(module => one[module] === other[module]);
}

export function quickName(quick: Quick, words: Words): string {
  return {
    read: words.__('Read only'),
    ci: words.__('CI: submit jobs'),
    all: words.__('Everything I may')
  }[quick];
}

export function moduleName(module: Module, words: Words): string {
  return {
    workloads: words.__('Jobs and notebooks'),
    datasets: words.__('Datasets'),
    algorithms: words.__('Algorithms'),
    models: words.__('Models'),
    images: words.__('Environments'),
    resources: words.__('Compute'),
    billing: words.__('Money'),
    accounts: words.__('Account and workspaces')
  }[module];
}

/** What a scope lets one do, in plain words. */
export function scopeName(module: Module, verb: Verb, words: Words): string {
  const names: Record<Module, Partial<Record<Verb, string>>> = {
    workloads: {
      read: words.__('read jobs, logs and curves'),
      write: words.__('submit and stop jobs, start notebooks'),
      admin: words.__('administer everybody’s jobs')
    },
    datasets: {
      read: words.__('read datasets'),
      write: words.__('upload and change datasets'),
      admin: words.__('administer everybody’s datasets')
    },
    algorithms: {
      read: words.__('read algorithms'),
      write: words.__('upload and change algorithms'),
      admin: words.__('administer everybody’s algorithms')
    },
    models: {
      read: words.__('read models'),
      write: words.__('upload and change models'),
      admin: words.__('administer everybody’s models')
    },
    images: {
      read: words.__('read environments'),
      write: words.__('build and change environments'),
      admin: words.__('administer everybody’s environments')
    },
    resources: {
      read: words.__('see specs, pools and what is free'),
      admin: words.__('administer nodes, specs and pools')
    },
    billing: {
      read: words.__('see balances and charges'),
      admin: words.__('recharge and set budgets')
    },
    accounts: {
      read: words.__('see your profile and workspaces'),
      write: words.__('change members, make and revoke tokens'),
      admin: words.__('administer users and workspaces')
    }
  };
  return names[module][verb] ?? `${module}:${verb}`;
}
