/** The commands and their flags as data: what is parsed, what the help and the readme say. */

export type Flag = {
  name: string;
  value?: string;
  many?: boolean;
  text: string;
  /** What a command's help says of it instead, by the command's name. */
  of?: Record<string, string>;
};

export type Command = {
  name: string;
  /** What follows the name; `CHECK…` for any number. */
  usage: string;
  /** How many words may follow: [least, most]. */
  words: [number, number];
  text: string;
  flags: string[];
};

export const globalFlags: Flag[] = [
  {
    name: 'config',
    value: 'FILE',
    text: "the configuration; default ./sesstui.yaml, then the user's config directory",
  },
  {name: 'demo', text: 'embedded stores with sample data instead of a configuration'},
  {name: 'read-only', text: 'never write; nothing lifts it'},
  {name: 'output', value: 'table|json|csv|ndjson', text: 'the form of the results'},
  {name: 'json', text: 'short for --output json'},
  {name: 'ndjson', text: 'short for --output ndjson'},
  {name: 'csv', text: 'short for --output csv'},
  {name: 'no-color', text: 'no colours (NO_COLOR does the same)'},
  {name: 'timeout', value: 'DURATION', text: 'the time limit of one statement, like 30s'},
  {name: 'state-dir', value: 'DIR', text: 'where runs, backups and the audit log are kept'},
  {name: 'help', text: "this text, or a command's"},
  {name: 'version', text: 'the version'},
];

export const commandFlags: Flag[] = [
  {
    name: 'limit',
    value: 'N',
    text: 'at most N findings (history: runs)',
    of: {
      check: 'list at most N findings; default 1,000; the total is whole',
      clean: 'plan for at most N findings',
      history: 'list at most N runs',
    },
  },
  {name: 'allow-scan', text: 'read more than limits.scan rows without an index'},
  {name: 'action', value: 'ACTION', text: 'what to do with the findings'},
  {name: 'all', text: "each check's safe default actions on everything they apply to"},
  {
    name: 'group',
    value: 'VALUE',
    many: true,
    text: 'only this group; several columns: a JSON array; repeatable',
  },
  {name: 'id', value: 'KEY', many: true, text: 'only the row with this key; repeatable'},
  {name: 'reason', value: 'REASON', many: true, text: 'only findings of this reason; repeatable'},
  {name: 'customer', value: 'ID', text: 'only this customer'},
  {name: 'older-than', value: 'DURATION', text: 'only findings older than this'},
  {name: 'dry-run', text: 'only show the plan; wins over --yes'},
  {name: 'yes', text: 'carry it out'},
  {
    name: 'confirm',
    value: 'TEXT',
    many: true,
    text: 'what production and drastic actions ask for; repeatable',
  },
  {name: 'note', value: 'TEXT', text: 'why, for the audit log'},
  {name: 'limit-rate', value: 'N', text: 'at most N changes a second'},
  {
    name: 'clean',
    text: 'plan to cancel what is stale for this customer',
    of: {
      watch: 'carry out the safe default actions after each look; in production with --yes --confirm',
      guards: 'install: mend what is in the way first, in a run of its own that can be taken back',
    },
  },
  {
    name: 'guard',
    value: 'NAME',
    many: true,
    text: 'only this guard of the check; repeatable (script: once); an opt-in one is taken only when it is named',
  },
  {name: 'down', text: 'script: what takes the guards away again'},
  {name: 'watch', text: 'stay, and tell each change until interrupted'},
  {
    name: 'every',
    value: 'DURATION',
    text: 'how often each check is looked at; default 5m',
    of: {customer: "how often --watch looks again; default the configuration's refresh"},
  },
  {name: 'markdown', text: 'the timeline and what was done as Markdown, for the incident'},
  {
    name: 'listen',
    value: 'HOST:PORT',
    text: 'serve a page, /metrics, /healthz and the session endpoints; SESSTUI_TOKEN is their bearer token',
  },
  {
    name: 'webhook',
    value: 'URL',
    text: 'post alerts there (or SESSTUI_WEBHOOK), signed with SESSTUI_WEBHOOK_SECRET',
  },
  {name: 'verify', text: 'check backups and the audit chain'},
  {
    name: 'out',
    value: 'FILE',
    text: 'the file to write (clean: the plan, for someone else to review)',
    of: {
      clean: 'write the plan to this new file, for someone else to review',
      init: 'the file to write; default ./sesstui.yaml',
      demo: 'the configuration to write; default ./sesstui.yaml',
    },
  },
  {name: 'max-age', value: 'DURATION', text: 'the oldest that a reviewed plan may be; default 1h'},
  {name: 'no-traffic', text: 'hold the demo stores still'},
  {name: 'rows', value: 'N', text: 'about N healthy rows a system'},
  {name: 'seed', value: 'N', text: 'the same data each time'},
];

const writing = ['yes', 'dry-run', 'confirm', 'note', 'limit-rate'];

export const commands: Command[] = [
  {
    name: 'check',
    usage: '[CHECK…]',
    words: [0, 100],
    text: 'the findings of the checks',
    flags: ['limit', 'allow-scan'],
  },
  {name: 'health', usage: '', words: [0, 0], text: 'the health report', flags: ['allow-scan']},
  {
    name: 'customer',
    usage: 'ID',
    words: [1, 1],
    text: 'everything about one customer (customer or account id, session id, email): blocked, by what, what would unblock',
    flags: ['clean', 'watch', 'every', 'markdown', 'allow-scan', ...writing],
  },
  {
    name: 'clean',
    usage: 'CHECK --action ACTION | --all',
    words: [0, 1],
    text: 'plans an action and, with --yes, carries it out',
    flags: [
      'action',
      'all',
      'group',
      'id',
      'reason',
      'customer',
      'older-than',
      'limit',
      'allow-scan',
      'out',
      ...writing,
    ],
  },
  {
    name: 'apply',
    usage: 'FILE',
    words: [1, 1],
    text: 'carries out exactly the plan that `clean … --out FILE` wrote',
    flags: ['max-age', 'allow-scan', ...writing],
  },
  {name: 'history', usage: '', words: [0, 0], text: 'the runs, the newest first', flags: ['verify', 'limit']},
  {
    name: 'undo',
    usage: 'RUN',
    words: [1, 1],
    text: 'takes a run back where nobody has changed its rows since',
    flags: writing,
  },
  {
    name: 'resume',
    usage: 'RUN',
    words: [1, 1],
    text: 'finishes or closes a run that was interrupted',
    flags: writing,
  },
  {
    name: 'guards',
    usage: '[CHECK…] | install CHECK | uninstall CHECK | script CHECK | test CHECK',
    words: [0, 100],
    text: "each guard's state; installs guards, takes them away, prints their migration, or proves them on a scratch copy",
    flags: ['guard', 'down', 'clean', 'allow-scan', ...writing.filter(name => name !== 'limit-rate')],
  },
  {
    name: 'watch',
    usage: '',
    words: [0, 0],
    text: 'looks at every check on an interval; cleans, serves and alerts where it is told to',
    flags: [
      'every',
      'clean',
      'listen',
      'webhook',
      'allow-scan',
      ...writing.filter(name => name !== 'dry-run'),
    ],
  },
  {
    name: 'init',
    usage: '',
    words: [0, 0],
    text: 'writes a starter sesstui.yaml for the stores in the environment',
    flags: ['out'],
  },
  {
    name: 'demo',
    usage: '',
    words: [0, 0],
    text: 'serves the demo stores and writes a sesstui.yaml for them',
    flags: ['out', 'no-traffic', 'rows', 'seed'],
  },
];

/** What `sesstui` alone takes besides the global flags. */
export const screenFlags = ['no-traffic', 'rows', 'seed'];

const column = (lines: [string, string][]): string => {
  const width = Math.max(...lines.map(([left]) => left.length));
  return lines.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join('\n');
};

const flagLine = (flag: Flag, command = ''): [string, string] => [
  `--${flag.name}${flag.value ? ` ${flag.value}` : ''}`,
  flag.of?.[command] ?? flag.text,
];

const ofCheck = '  CHECK is STORE/NAME, as in rides/stale-sessions\n';

/** The help of the program, or of one command. */
export const helpText = (name?: string): string => {
  const command = commands.find(item => item.name === name);
  if (command) {
    const own = command.flags.map(flag =>
      flagLine(commandFlags.find(item => item.name === flag)!, command.name),
    );
    return `sesstui ${command.name} ${command.usage}\n  ${command.text}\n${command.usage.includes('CHECK') ? ofCheck : ''}${own.length > 0 ? `\n${column(own)}\n` : ''}\nEverywhere:\n${column(globalFlags.map(flag => flagLine(flag)))}\n`;
  }
  const list = commands.map((item): [string, string] => [
    `sesstui ${item.name} ${item.usage}`.trimEnd(),
    item.text,
  ]);
  return `Find, mark, clean and undo bad sessions.\n\n${column([['sesstui', 'opens the screen on the configured stores'], ['sesstui --demo', 'the same on embedded stores with sample data'], ...list])}\n\nEverywhere:\n${column(globalFlags.map(flag => flagLine(flag)))}\n\n\`sesstui COMMAND --help\` tells a command's own flags.\n`;
};
