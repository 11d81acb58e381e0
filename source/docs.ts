/** The parts of the readme that are generated from the registries; a test fails when they are stale. */
import {checks} from './checks/index.js';
import {commandFlags, commands, globalFlags} from './commands/registry.js';
import {errorTable} from './errors.js';

const table = (head: string[], rows: string[][]): string =>
  [head, head.map(() => '---'), ...rows]
    .map(row => `| ${row.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');

const checksBlock = (): string =>
  checks
    .map(({kind, text, reasons, actions}) => {
      const drastic = actions.filter(action => action.drastic).map(({name}) => name);
      const listed = reasons.map(reason => [
        `\`${reason.name}\``,
        reason.severity,
        `${reason.text}${reason.onlyWhenNamed ? ' Taken only when `--reason` names it.' : ''}`,
        reason.actions
          .filter(name => !drastic.includes(name))
          .map(name => `\`${name}\``)
          .join(', ') || '–',
      ]);
      const told = actions.map(
        ({name, text: what, drastic: asks}) =>
          `- \`${name}\`: ${what}${asks ? ' Asks for `--confirm TABLE:COUNT`.' : ''}`,
      );
      return `### ${kind}\n\n${text}\n\n${table(['reason', 'severity', 'what it means', 'actions, the default first'], listed)}\n\n${told.join('\n')}`;
    })
    .join('\n\n');

const flagCell = (name: string): string => {
  const {value} = commandFlags.find(flag => flag.name === name)!;
  return `\`--${name}${value ? ` ${value}` : ''}\``;
};

const commandsBlock = (): string =>
  [
    table(
      ['command', 'what it does', 'its flags'],
      [
        ['`sesstui`', 'opens the screen on the configured stores', ''],
        [
          '`sesstui --demo`',
          'the same on embedded stores with sample data',
          ['no-traffic', 'rows', 'seed'].map(flagCell).join(' '),
        ],
        ...commands.map(({name, usage, text, flags}) => [
          `\`sesstui ${`${name} ${usage}`.trimEnd()}\``,
          text,
          flags.map(flagCell).join(' '),
        ]),
      ],
    ),
    table(
      ['flag', 'what it does'],
      [...globalFlags, ...commandFlags].map(({name, value, text}) => [
        `\`--${name}${value ? ` ${value}` : ''}\``,
        text,
      ]),
    ),
  ].join('\n\n');

const errorsBlock = (): string =>
  table(
    ['code', 'exit code', 'meaning'],
    Object.entries(errorTable).map(([code, {exit, text}]) => [`\`${code}\``, String(exit), text]),
  );

/** The blocks by name; `keys` is added by whoever has the keymap loaded. */
export const generatedBlocks = (): Record<string, string> => ({
  checks: checksBlock(),
  commands: commandsBlock(),
  errors: errorsBlock(),
});

/** A text with what stands between `<!-- name -->` and `<!-- /name -->` replaced. */
export const withBlocks = (text: string, blocks: Record<string, string>): string =>
  Object.entries(blocks).reduce(
    (all, [name, block]) =>
      all.replace(
        new RegExp(`(<!-- ${name} -->\n)[\\s\\S]*?(<!-- /${name} -->)`),
        (_, open: string, close: string) => `${open}\n${block}\n\n${close}`,
      ),
    text,
  );
