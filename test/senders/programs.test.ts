/** Programs that install in seconds; those that have to be built: `npm test -- senders-slow`. */
import { QUICK } from './programs/quick.ts';
import { describePrograms } from './programs/through-everything.ts';

describePrograms('real programs', QUICK, async () => ({}));
