/** The tokens of one's scripts: what each may, when it was used, when it ends. */
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { answer, type Schemas } from '../../api/client';
import { type Order, sorted, SortHead } from '../assets/bits';
import { Ago, Empty, Loaded } from '../parts';
import { useShell } from '../shell';
import { MadeToken } from './MadeToken';
import { NewToken } from './NewToken';
import { type Token, useTokens } from './queries';
import { MODULES, moduleName, picksOf, scopeName } from './scopes';

export function Tokens({ me }: { me: Schemas['Me'] }) {
  const { words } = useShell();
  const query = useTokens();
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<Schemas['TokenMade'] | null>(null);
  const button = (
    <button type="button" className="pk-button pk-primary" onClick={() => setMaking(true)}>
      {words.__('New token…')}
    </button>
  );
  return (
    <section className="pk-account-section" aria-labelledby="pk-tokens">
      <header className="pk-page-head">
        <h2 id="pk-tokens">{words.__('Tokens')}</h2>
        <span className="pk-grow" />
        {!making && !made && query.data?.items.length !== 0 && button}
      </header>
      {made && <MadeToken made={made} onClose={() => setMade(null)} />}
      {making && (
        <NewToken
          held={me.scopes}
          onClose={() => setMaking(false)}
          onMade={token => {
            setMaking(false);
            setMade(token);
          }}
        />
      )}
      <Loaded query={query} lines={4}>
        {({ items }) =>
          items.length > 0 ? (
            <TokenTable tokens={items} />
          ) : (
            <Empty action={making || made ? undefined : button}>
              {words.__('A token lets a script or a CI job in with your name, for what you choose and no more.')}
            </Empty>
          )
        }
      </Loaded>
    </section>
  );
}

type Column = 'note' | 'created' | 'used' | 'expires';

const VALUES: Record<Column, (token: Token) => string | number> = {
  note: token => token.note,
  created: token => Date.parse(token.created),
  used: token => Date.parse(token.last_used ?? '1970-01-01'),
  expires: token => (token.expires === null ? Infinity : Date.parse(token.expires))
};

function TokenTable({ tokens }: { tokens: Token[] }) {
  const { words, language } = useShell();
  const [order, setOrder] = useState<Order<Column> | null>(null);
  const head = { order, onOrder: setOrder };
  return (
    <table className="pk-asset-table pk-stacked" aria-labelledby="pk-tokens">
      <thead>
        <tr>
          <SortHead by="note" {...head}>
            {words.__('Note')}
          </SortHead>
          <th scope="col">{words.__('May')}</th>
          <SortHead by="created" {...head}>
            {words.__('Made')}
          </SortHead>
          <SortHead by="used" {...head}>
            {words.__('Last used')}
          </SortHead>
          <SortHead by="expires" {...head}>
            {words.__('Ends')}
          </SortHead>
          <th scope="col">
            <span className="pk-hidden">{words.__('Actions')}</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {sorted(tokens, order, VALUES, language).map(token => (
          <Row key={token.id} token={token} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ token }: { token: Token }) {
  const { api, words, confirm, announce } = useShell();
  const cache = useQueryClient();
  const [busy, setBusy] = useState(false);
  const name = token.note || token.id;
  const revoke = async (): Promise<void> => {
    const lost = words.__('Whatever uses it is refused from then on. It cannot be brought back.');
    if (!(await confirm(words.__('Revoke “%1”?', name), lost, words.__('Revoke')))) {
      return;
    }
    setBusy(true);
    try {
      await answer(api.DELETE('/accounts/tokens/{token}', { params: { path: { token: token.id } } }));
      announce(words.__('“%1” is revoked.', name), 'success');
    } catch (error) {
      announce((error as Error).message, 'error');
    }
    await cache.invalidateQueries({ queryKey: ['tokens'] });
    setBusy(false);
  };
  return (
    <tr>
      <th scope="row" className="pk-cell-name">
        {name}
        {token.current && <span className="pk-fact"> {words.__('(in use here)')}</span>}
      </th>
      <td data-title={words.__('May')} className="pk-wrap">
        <May token={token} />
      </td>
      <td data-title={words.__('Made')}>
        <Ago time={token.created} />
      </td>
      <td data-title={words.__('Last used')}>
        {token.last_used === null ? words.__('never') : <Ago time={token.last_used} />}
      </td>
      <td data-title={words.__('Ends')}>
        {token.expires === null ? words.__('when revoked') : <Ago time={token.expires} />}
      </td>
      <td className="pk-amount">
        <button
          type="button"
          className="pk-button"
          disabled={busy}
          aria-label={words.__('Revoke “%1”', name)}
          onClick={() => void revoke()}
        >
          {words.__('Revoke')}
        </button>
      </td>
    </tr>
  );
}

/** What a token may: a word per module, the sentence on hover. */
function May({ token }: { token: Token }) {
  const { words } = useShell();
  if (token.everything) {
    return <>{words.__('everything you may')}</>;
  }
  const picks = picksOf(token.scopes);
  const opened = MODULES.filter(module => picks[module] !== undefined);
  if (opened.length === MODULES.length && opened.every(module => picks[module] === 'read')) {
    return <>{words.__('read everything, change nothing')}</>;
  }
  return (
    <ul className="pk-tags">
      {opened.map(module => (
        <li key={module} className="pk-tag" title={moduleName(module, words)}>
          {scopeName(module, picks[module] ?? 'read', words)}
        </li>
      ))}
    </ul>
  );
}
