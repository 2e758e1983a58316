/** One's own account: who one is here, and the tokens of one's scripts. */
import { useMe } from '../../api/queries';
import { Loaded } from '../parts';
import { useShell } from '../shell';
import { Profile } from './Profile';
import { StoredList } from './Stored';
import { Tokens } from './Tokens';

export function AccountView() {
  const { words } = useShell();
  const query = useMe();
  return (
    <div className="pk-page pk-account">
      <header className="pk-page-head">
        <h1 className="pk-title">{words.__('Account')}</h1>
      </header>
      <Loaded query={query} lines={6}>
        {me => (
          <>
            <Profile me={me} />
            <StoredList />
            <Tokens me={me} />
          </>
        )}
      </Loaded>
    </div>
  );
}
