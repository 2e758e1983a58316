/** What a workspace has, how fast it goes, and what it went for this month. */
import { useState } from 'react';

import { useBalance } from '../../api/queries';
import { duration, money, price } from '../format';
import { Empty, Loaded, Section } from '../parts';
import { useShell } from '../shell';
import { useSpending } from './queries';
import { type Day, daysOf, membersOf, monthOf, roundUp } from './spending';

export function Money({ name }: { name: string }) {
  const { words } = useShell();
  const query = useBalance(name);
  return (
    <Section name="money" title={words.__('Money')}>
      <Loaded query={query} lines={3}>
        {balance => {
          const { currency, budget_micro: budget } = balance;
          return (
            <dl className="pk-money">
              <div>
                <dt>{words.__('Balance')}</dt>
                <dd className={balance.balance_micro - balance.accrued_micro < 0 ? 'pk-reason' : undefined}>
                  {money(balance.balance_micro - balance.accrued_micro, currency)}
                </dd>
              </div>
              <div>
                <dt>{words.__('Spends now')}</dt>
                <dd>
                  {balance.burn_micro ? price(balance.burn_micro, currency, words) : words.__('nothing')}
                  {balance.seconds_left !== null && (
                    <span className="pk-fact"> {words.__('lasts %1', duration(balance.seconds_left))}</span>
                  )}
                </dd>
              </div>
              <div>
                <dt>{words.__('This month')}</dt>
                <dd>{money(balance.month_spent_micro, currency)}</dd>
              </div>
              <div>
                <dt>{words.__('Monthly budget')}</dt>
                <dd>
                  {budget === null ? words.__('none set') : money(budget, currency)}
                  {budget !== null && budget > 0 && (
                    <meter
                      min={0}
                      max={budget}
                      value={Math.min(balance.month_spent_micro, budget)}
                      aria-label={words.__('Used of the budget')}
                      title={words.__('%1 % used', Math.round((100 * balance.month_spent_micro) / budget))}
                    />
                  )}
                </dd>
              </div>
            </dl>
          );
        }}
      </Loaded>
      <Month name={name} />
    </Section>
  );
}

/** One month by day and by member; earlier months a click away. */
function Month({ name }: { name: string }) {
  const { words, language } = useShell();
  const [back, setBack] = useState(0);
  const month = monthOf(new Date(), back);
  const query = useSpending(name, month.start, month.end);
  const title = new Intl.DateTimeFormat(language, { month: 'long', year: 'numeric', timeZone: 'UTC' }).format(
    new Date(month.start)
  );
  return (
    <div className="pk-month">
      <header className="pk-page-head">
        <h3>{words.__('Spent in %1', title)}</h3>
        <button
          type="button"
          className="pk-button"
          aria-label={words.__('The month before')}
          onClick={() => setBack(back + 1)}
        >
          ‹
        </button>
        <button
          type="button"
          className="pk-button"
          aria-label={words.__('The month after')}
          disabled={back === 0}
          onClick={() => setBack(back - 1)}
        >
          ›
        </button>
      </header>
      <Loaded query={query} lines={4}>
        {({ items, currency, spent_micro: spent }) =>
          items.length === 0 ? (
            <Empty>{words.__('Nothing was spent in this month.')}</Empty>
          ) : (
            <div className="pk-spent">
              <Bars days={daysOf(items, month)} currency={currency} />
              <table className="pk-asset-table" aria-label={words.__('By member')}>
                <tbody>
                  {membersOf(items).map(member => (
                    <tr key={member.name === null ? '*' : member.name}>
                      <th scope="row">
                        {member.name === null ? words.__('storage') : member.name || words.__('unknown')}
                      </th>
                      <td className="pk-amount">{money(member.cost, currency)}</td>
                      <td className="pk-amount pk-fact">
                        {spent > 0 ? `${Math.round((100 * member.cost) / spent)} %` : ''}
                      </td>
                    </tr>
                  ))}
                  <tr>
                    <th scope="row">{words.__('Together')}</th>
                    <td className="pk-amount">{money(spent, currency)}</td>
                    <td />
                  </tr>
                </tbody>
              </table>
            </div>
          )
        }
      </Loaded>
    </div>
  );
}

const [WIDTH, HEIGHT, GAP] = [10, 90, 2];

/** A bar per day (UTC); its amount on hover. */
function Bars({ days, currency }: { days: Day[]; currency: string }) {
  const { words, language } = useShell();
  const top = roundUp(Math.max(...days.map(({ cost }) => cost)));
  const dearest = days.reduce((one, other) => (other.cost > one.cost ? other : one));
  const named = (day: string): string =>
    new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeZone: 'UTC' }).format(new Date(day));
  return (
    <figure className="pk-bars">
      <figcaption className="pk-fact">{words.__('per day (UTC), up to %1', money(top, currency))}</figcaption>
      <svg
        viewBox={`0 0 ${days.length * WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={words.__('Spent per day; the most on %1: %2', named(dearest.day), money(dearest.cost, currency))}
      >
        {days.map(({ day, cost }, at) => {
          const height = (Math.max(cost, 0) / top) * HEIGHT;
          return (
            <g key={day}>
              <title>{`${named(day)}: ${money(cost, currency)}`}</title>
              <rect className="pk-bar-place" x={at * WIDTH} y={0} width={WIDTH} height={HEIGHT} />
              <rect
                className="pk-bar"
                x={at * WIDTH + GAP / 2}
                y={HEIGHT - height}
                width={WIDTH - GAP}
                height={height}
              />
            </g>
          );
        })}
      </svg>
      <div className="pk-bars-days pk-fact" aria-hidden="true">
        {days.map(({ day }, at) => (
          <span key={day}>{at === 0 || (at + 1) % 5 === 0 ? at + 1 : ''}</span>
        ))}
      </div>
    </figure>
  );
}
