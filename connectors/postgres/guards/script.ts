/** Guards as a migration in plain SQL. */
import type {NamedRule} from '../../../source/guards.js';
import type {GuardAccess} from './index.js';

export const writeScript = async (
  _rules: NamedRule[],
  _direction: 'install' | 'uninstall',
  _options: {whole: boolean; signal?: AbortSignal},
  _access: GuardAccess,
): Promise<string> => '';
