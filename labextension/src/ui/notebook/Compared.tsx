/** A cell as it was sent beside the cell as it is. */
import { useQuery } from '@tanstack/react-query';

import { answer } from '../../api/client';
import { Loaded } from '../parts';
import { useShell } from '../shell';
import { difference } from './difference';
import { type Beside, joined, type NotebookDocument, type Output } from './document';
import { Outputs } from './Outputs';

export function Compared({
  cell,
  beside,
  source,
  outputs
}: {
  cell: string;
  beside: Beside;
  source: string;
  outputs: Output[];
}) {
  const { api, words } = useShell();
  const query = useQuery({
    queryKey: ['notebook-source', beside.job],
    queryFn: ({ signal }) =>
      answer(api.GET('/workloads/{workload}/notebook/source', { params: { path: { workload: beside.job } }, signal })),
    staleTime: Infinity
  });
  return (
    <div className="pk-compared">
      <div>
        <h3>{words.__('As it was sent')}</h3>
        <Loaded query={query} lines={2}>
          {({ content }) => {
            const sent = (content as unknown as NotebookDocument | null)?.cells.find(each => each.id === cell);
            return <Source text={joined(sent?.source)} other={source} sign="−" />;
          }}
        </Loaded>
        <Outputs outputs={beside.outputs} />
      </div>
      <div>
        <h3>{words.__('As it is now')}</h3>
        <Source
          text={source}
          other={joined(
            (query.data?.content as unknown as NotebookDocument | null)?.cells.find(each => each.id === cell)?.source
          )}
          sign="+"
        />
        <Outputs outputs={outputs} />
      </div>
    </div>
  );
}

/** Lines that the other one has not are marked. */
function Source({ text, other, sign }: { text: string; other: string; sign: '+' | '−' }) {
  return (
    <pre className="pk-compared-source">
      {difference(text, other).map(({ line, isOwn }, at) => (
        <span key={at} className={isOwn ? 'pk-own-line' : undefined}>
          {isOwn ? `${sign} ` : '  '}
          {line}
          {'\n'}
        </span>
      ))}
    </pre>
  );
}
