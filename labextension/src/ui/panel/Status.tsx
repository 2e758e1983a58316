/** What runs and waits, what there is to spend, and this server's meter, in the status bar. */
import { useQuery } from '@tanstack/react-query';

import { glance, useBalance, useMe, useOwnServer } from '../../api/queries';
import { duration, money } from '../format';
import { useShell, type Words } from '../shell';
import { useMeter } from './meter';
import { useWorkspace } from './workspace';

export function Status({ server, onOpen }: { server: string; onOpen: () => void }) {
  const { words, api } = useShell();
  const workspace = useWorkspace();
  const { data, error } = useQuery(glance(api, { workspace: workspace || undefined }));
  const { data: me } = useMe();
  const { data: balance } = useBalance(workspace || me?.name);
  const own = useOwnServer(server);
  const meter = useMeter(own.data, own.dataUpdatedAt, balance?.currency ?? '');
  const facts = [words.__('%1 running · %2 queued', data?.running ?? 0, data?.queued ?? 0), left(balance, words)];
  if (meter.length > 0) {
    facts.push(words.__('notebook %1', meter.join(' ')));
  }
  return (
    <button type="button" className="pk-status" onClick={onOpen} title={error?.message ?? words.__('Pumpkin jobs')}>
      {error ? words.__('Pumpkin: offline') : facts.filter(Boolean).join(' · ')}
    </button>
  );
}

/** What is left: money, and for how long it lasts. */
function left(balance: ReturnType<typeof useBalance>['data'], words: Words): string {
  if (!balance || (balance.balance_micro === 0 && balance.burn_micro === 0)) {
    return '';
  }
  const lasts = balance.seconds_left == null ? '' : ` (${words.__('%1 left', duration(balance.seconds_left))})`;
  return money(balance.balance_micro, balance.currency) + lasts;
}
