/** What was asked for: command, variables, spec, labels, notes. */
import { useState } from 'react';

import type { Schemas } from '../../api/client';
import { useBalance, useSpecs, type Workload } from '../../api/queries';
import { duration, exactly, money, shape } from '../format';
import { useShell } from '../shell';

type Command = Schemas['JobRequest']['command'];

/** Folded until one wants to know. */
export function Asked({ job }: { job: Workload }) {
  const { words } = useShell();
  const [open, setOpen] = useState(false);
  return (
    <details className="pk-box pk-asked" onToggle={event => setOpen(event.currentTarget.open)}>
      <summary>
        <h2>{words.__('What was asked for')}</h2>
      </summary>
      {open && <Request job={job} />}
    </details>
  );
}

function Request({ job }: { job: Workload }) {
  const { words, language } = useShell();
  const { data: specs } = useSpecs();
  const { data: balance } = useBalance(job.workspace);
  if (!('command' in job.request)) {
    return null;
  }
  const { request } = job;
  const roles = request.roles ?? [
    {
      name: '',
      spec: request.spec ?? '',
      replicas: request.replicas,
      command: request.command,
      args: request.args,
      env: {}
    }
  ];
  const shapes = (name: string): string => {
    const spec = specs?.items.find(item => item.name === name);
    return spec ? `${name} (${shape(spec, words)})` : name;
  };
  const facts: [string, string][] = [
    [words.__('Submitted by'), `${job.creator}, ${exactly(job.created, language)}`],
    [words.__('Labels'), job.labels.join(', ')],
    [words.__('Priority'), job.priority === 0 ? '' : String(job.priority)],
    [words.__('Attempts at most'), request.retries > 0 ? String(request.retries + 1) : ''],
    [words.__('Time limit'), request.deadline_seconds == null ? '' : duration(request.deadline_seconds)],
    [words.__('Budget'), request.budget_micro == null ? '' : money(request.budget_micro, balance?.currency ?? '')]
  ];
  return (
    <>
      {roles.map(role => (
        <dl key={role.name} className="pk-facts">
          {role.name && <Fact name={words.__('Role')} value={role.name} />}
          <Fact
            name={words.__('Spec')}
            value={role.replicas > 1 ? `${role.replicas} × ${shapes(role.spec)}` : shapes(role.spec)}
          />
          <Code name={words.__('Command')} text={commandText(role.command, role.args)} />
          <Code name={words.__('Variables')} text={variables({ ...request.env, ...role.env })} />
        </dl>
      ))}
      <dl className="pk-facts">
        {facts.map(([name, value]) => (
          <Fact key={name} name={name} value={value} />
        ))}
        <Code name={words.__('Notes')} text={job.notes} />
      </dl>
    </>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return value ? (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  ) : null;
}

function Code({ name, text }: { name: string; text: string }) {
  return text ? (
    <div className="pk-wide">
      <dt>{name}</dt>
      <dd>
        <pre tabIndex={0}>{text}</pre>
      </dd>
    </div>
  ) : null;
}

function commandText(command: Command, args: string[]): string {
  const words = typeof command === 'string' ? [command] : (command ?? []).map(quoted);
  return [...words, ...args.map(quoted)].join(' ');
}

/** Quotes a word as a shell would read it. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

function variables(env: Record<string, string>): string {
  return Object.entries(env)
    .map(([name, value]) => `${name}=${value}`)
    .join('\n');
}
