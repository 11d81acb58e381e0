/** Secrets of the environment, for the redactor: known before a configuration is, and when there is none. */
import {isSecretColumn} from '../secrets.js';
import {urlSecrets} from './urls.js';

/** Shorter values are words of the program's own more often than secrets. */
const shortest = 8;

/** Values of variables with a secret's name (`PGPASSWORD`, `SESSTUI_TOKEN`), and the passwords of addresses. */
export const environmentSecrets = (env: NodeJS.ProcessEnv): string[] =>
  Object.entries(env).flatMap(([name, value = '']) =>
    [...(isSecretVariable(name) ? [value] : []), ...urlSecrets(value)].filter(
      text => text.length >= shortest,
    ),
  );

const isSecretVariable = (name: string): boolean =>
  isSecretColumn(name) || /(?:PASSWORD|PASSWD|SECRET|TOKEN)$/i.test(name);
