/** What a schedule runs. */
import type { Schemas } from '../../api/client';
import { useShell } from '../shell';
import { joinWords } from '../submit/shellwords';

type JobRequest = Schemas['JobRequest'];

export function What({ request }: { request: JobRequest }) {
  const { words } = useShell();
  const roles = request.roles ?? [request];
  const list = (...names: (string | null | undefined)[]): string => names.filter(Boolean).join(', ');
  const facts: [string, string][] = [
    [words.__('Job'), request.name],
    [words.__('Spec'), list(...roles.map(({ spec, replicas }) => (replicas > 1 ? `${replicas} × ${spec}` : spec)))],
    [words.__('Notebook'), request.notebook?.path ?? ''],
    [words.__('Parameters'), parametersOf(request)],
    [words.__('Environment'), request.environment ?? ''],
    [words.__('Algorithm'), request.algorithm ?? ''],
    [words.__('Datasets'), list(...request.datasets)],
    [words.__('Models'), list(...request.models)],
    [words.__('Output'), request.output?.model ?? '']
  ];
  return (
    <>
      <dl className="pk-facts">
        {facts
          .filter(([, value]) => value !== '')
          .map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
      </dl>
      {!request.notebook && (
        <pre className="pk-command" tabIndex={0} aria-label={words.__('Command')}>
          {roles.map(({ command, args }) => commandOf(command, args)).join('\n')}
        </pre>
      )}
    </>
  );
}

function parametersOf({ notebook }: JobRequest): string {
  return Object.entries(notebook?.parameters ?? {})
    .map(([name, value]) => `${name} = ${JSON.stringify(value)}`)
    .join(', ');
}

function commandOf(command: JobRequest['command'], args: string[]): string {
  return [Array.isArray(command) ? joinWords(command) : command, joinWords(args)].filter(Boolean).join(' ');
}
