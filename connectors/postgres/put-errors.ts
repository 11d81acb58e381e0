/** What a server's refusal of a row tells: without the row's values, which its message and details may quote. */
import pg from 'pg';
import {SesstuiError} from '../../source/errors.js';
import {isRetriable, mapError} from './errors.js';

const withoutValues = (message: string): string => message.replace(/".*"/s, '"…"');

const ofDatabase = (error: pg.DatabaseError, store: string): SesstuiError | null => {
  const {message, code = ''} = error;
  if (isRetriable(error))
    return new SesstuiError('timeout', `${store}: others kept hold of the same rows.`, 'Try again later.');
  if (code.startsWith('22') && code !== '22P05')
    return new SesstuiError(
      'usage',
      `${store}: a value does not fit its column: ${withoutValues(message)}.`,
      'Look at the types of the columns.',
    );
  // The message of a constraint names it and the table; the values are in the details.
  if (code.startsWith('23') || code === '44000' || code === 'P0001')
    return new SesstuiError(
      'refused',
      `${store} refused the row: ${message}.`,
      'Look at the constraints and triggers of the table.',
    );
  return null;
};

/** The error of a put as it is told. */
export const explained = (error: unknown, store: string): SesstuiError => {
  const cause = error instanceof SesstuiError ? error.cause : error;
  return (cause instanceof pg.DatabaseError && ofDatabase(cause, store)) || mapError(error, store);
};
