/** Whether a watch may write: asked once, at its start. */
import type {FullEngine} from '../engine/engine.js';
import {SesstuiError} from '../errors.js';
import type {CanWrite} from '../watch/http/cleanup.js';
import type {Context} from './context.js';

/** Whether anything may be written, with what was typed for it, or why not. */
export const canWrite = ({flags}: Context, engine: FullEngine): CanWrite => {
  const {readOnlyBy, production, environment} = engine;
  if (readOnlyBy === 'flag') return {ok: false, code: 'read-only', text: '--read-only was given'};
  if (readOnlyBy === 'configuration')
    return {ok: false, code: 'read-only', text: 'the configuration says readOnly: true'};
  const confirmed = flags.all('confirm') ?? [];
  if (!production || (flags.has('yes') && confirmed.includes(environment))) return {ok: true, confirmed};
  const text = `${environment} is production: it needs --yes --confirm ${environment}`;
  return {ok: false, code: 'confirmation', text};
};

/** What was typed for it; throws where nothing may be written. */
export const requireWriting = (can: CanWrite): string[] => {
  if (can.ok) return can.confirmed;
  throw new SesstuiError(
    can.code,
    `watch --clean: ${can.text}`,
    'Nothing was looked at. Without --clean it only looks.',
  );
};
