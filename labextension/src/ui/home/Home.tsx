/** The portal's first view: what is mine and on its way, what it costs, what is new, and the way into a notebook. */
import { Balances } from './Balances';
import { MyWorkloads } from './MyWorkloads';
import { News } from './News';
import { StartNotebook } from './StartNotebook';

export function Home() {
  return (
    <div className="pk-home">
      <div>
        <MyWorkloads />
        <StartNotebook />
      </div>
      <aside>
        <Balances />
        <News />
      </aside>
    </div>
  );
}
