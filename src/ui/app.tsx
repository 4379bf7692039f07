/** The frame around every view: where one is, whether it is live, and what the server wants. */
import './app.css';
import { useEffect } from 'preact/hooks';
import { useAddress, useLinks } from './address/address.ts';
import { resume } from './data/pause.ts';
import { Deployment } from './deployment/deployment.tsx';
import { Deployments } from './deployments/deployments.tsx';
import { later } from './explore/later.tsx';
import { ConnectionStatus } from './frame/connection-status.tsx';
import { GraphiqlLink } from './frame/graphiql-link.tsx';
import { KeyboardShortcuts, ShortcutsButton } from './frame/keyboard.tsx';
import { ThemeButton } from './frame/theme.tsx';
import { TokenDialog } from './frame/token-dialog.tsx';

const VIEWS = [
  { path: '', name: 'Deployments' },
  { path: 'search', name: 'Search' },
  { path: 'steps', name: 'Steps' },
  { path: 'hosts', name: 'Hosts' },
] as const;

const Search = later(async () => (await import('./search/search.tsx')).Search);
const Steps = later(async () => (await import('./steps/steps.tsx')).Steps);
const Hosts = later(async () => (await import('./hosts/hosts.tsx')).Hosts);
const Host = later(async () => (await import('./hosts/host.tsx')).Host);

export function App() {
  useLinks();
  const { path } = useAddress();
  const current = path[0] ?? '';
  const view = path.join('/');
  // Another view begins live.
  useEffect(resume, [view]);
  return (
    <>
      <a class="skip" href="#main" data-leave>
        Skip to the content
      </a>
      <header class="frame">
        <a class="brand" href="/">
          Shiplog
        </a>
        <nav aria-label="Views">
          {VIEWS.map((view) => (
            <a href={`/${view.path}`} aria-current={view.path === current ? 'page' : undefined}>
              {view.name}
            </a>
          ))}
          <GraphiqlLink />
        </nav>
        <span class="frame-end">
          <ConnectionStatus />
          <ThemeButton />
          <ShortcutsButton />
        </span>
      </header>
      <main id="main" tabIndex={-1}>
        <View path={path} />
      </main>
      <TokenDialog />
      <KeyboardShortcuts />
    </>
  );
}

function View({ path }: { path: readonly string[] }) {
  const [view, name] = path;
  if (view === undefined) return <Deployments />;
  if (view === 'tasks' && name !== undefined && path.length === 2) {
    return <Deployment key={name} id={name} />;
  }
  if (path.length === 1 && view === 'search') return <Search />;
  if (path.length === 1 && view === 'steps') return <Steps />;
  if (path.length === 1 && view === 'hosts') return <Hosts />;
  if (path.length === 2 && view === 'hosts' && name !== undefined) {
    return <Host key={name} name={name} />;
  }
  return (
    <>
      <h1>Nothing is here</h1>
      <p>
        No view has this address. <a href="/">The deployments</a> are a place to begin.
      </p>
    </>
  );
}
