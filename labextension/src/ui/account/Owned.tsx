/** What a workspace owns, newest first: a few of each kind, and the way to all. */
import { kindTitle } from '../kinds';
import { bytes } from '../format';
import { Ago, Loaded, Section } from '../parts';
import { type Kind, type Target, useShell } from '../shell';
import { useOwned, useOwnedEnvironments } from './queries';

const KINDS: Kind[] = ['dataset', 'algorithm', 'model'];
const FEW = 8;

export function Owned({ name }: { name: string }) {
  const { words } = useShell();
  return (
    <Section name="owned" title={words.__('Owns')}>
      <div className="pk-owned">
        {KINDS.map(kind => (
          <Assets key={kind} name={name} kind={kind} />
        ))}
        <Environments name={name} />
      </div>
    </Section>
  );
}

function Assets({ name, kind }: { name: string; kind: Kind }) {
  const { words } = useShell();
  const query = useOwned(name, kind, FEW);
  return (
    <Group title={kindTitle(kind, words)} all={{ view: 'assets', kind }}>
      <Loaded query={query} lines={2}>
        {({ items }) => (
          <Few
            none={words.__('none yet')}
            items={items.map(item => ({
              id: item.id,
              name: item.name,
              fact: item.latest === null ? words.__('empty') : `v${item.latest} · ${bytes(item.bytes)}`,
              time: item.updated,
              target: { view: 'asset', kind, workspace: item.workspace, name: item.name }
            }))}
          />
        )}
      </Loaded>
    </Group>
  );
}

function Environments({ name }: { name: string }) {
  const { words } = useShell();
  const query = useOwnedEnvironments(name, FEW);
  return (
    <Group title={words.__('Environments')} all={{ view: 'environments' }}>
      <Loaded query={query} lines={2}>
        {({ items }) => (
          <Few
            none={words.__('none yet')}
            items={items.map(item => ({
              id: item.id,
              name: item.name,
              fact: '',
              time: item.created,
              target: { view: 'environment', id: item.id, name: item.name }
            }))}
          />
        )}
      </Loaded>
    </Group>
  );
}

function Group({ title, all, children }: { title: string; all: Target; children: React.ReactNode }) {
  const { words, open } = useShell();
  return (
    <section aria-label={title}>
      <header className="pk-page-head">
        <h3>{title}</h3>
        <span className="pk-grow" />
        <button type="button" className="pk-link" onClick={() => open(all)}>
          {words.__('All')}
        </button>
      </header>
      {children}
    </section>
  );
}

interface Item {
  id: string;
  name: string;
  fact: string;
  time: string;
  target: Target;
}

function Few({ items, none }: { items: Item[]; none: string }) {
  const { open } = useShell();
  if (items.length === 0) {
    return <p className="pk-quiet">{none}</p>;
  }
  return (
    <ul className="pk-few">
      {items.map(item => (
        <li key={item.id}>
          <button type="button" className="pk-link pk-name" title={item.name} onClick={() => open(item.target)}>
            {item.name}
          </button>
          <span className="pk-fact">
            {item.fact} <Ago time={item.time} />
          </span>
        </li>
      ))}
    </ul>
  );
}
