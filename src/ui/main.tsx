import './styles/base.css';
import { render } from 'preact';
import { App } from './app.tsx';

render(<App />, document.getElementById('root') as HTMLElement);
