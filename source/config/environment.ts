/** Secrets of the environment, for the redactor: known before a configuration is, and when there is none. */
import {isSecretColumn} from '../secrets.js';
import {urlSecrets} from './urls.js';

/** Shorter values are words of the program's own more often than secrets. */
const shortest = 8;

/**
 * Where the shell and npm say where they are. `PWD` looks like a password by its name, and a path with a colon and an
 * @ like an address: masked as one, no message could name a file below it.
 */
const pathVariable =
  /^(?:(?:OLD)?PWD|HOME|INIT_CWD|PATH|npm_(?!config_).*|npm_config_(?:cache|prefix|local_prefix|global_prefix|userconfig|globalconfig|node_gyp|init_module))$/i;

/** Values of variables with a secret's name (`PGPASSWORD`, `SESSTUI_TOKEN`), and the passwords of addresses. */
export const environmentSecrets = (env: NodeJS.ProcessEnv): string[] =>
  Object.entries(env).flatMap(([name, value = '']) =>
    pathVariable.test(name)
      ? []
      : [...(isSecretVariable(name) ? [value] : []), ...urlSecrets(value)].filter(
          text => text.length >= shortest,
        ),
  );

const isSecretVariable = (name: string): boolean =>
  isSecretColumn(name) || /(?:PASSWORD|PASSWD|SECRET|TOKEN)$/i.test(name);
