/** The command line as a command, its words and its flags; anything unknown is an error that names the nearest. */
import meow from 'meow';
import {parseDuration} from '../config/duration.js';
import {nearest} from '../config/nearest.js';
import {SesstuiError} from '../errors.js';
import {type Command, commandFlags, commands, type Flag, globalFlags, screenFlags} from './registry.js';

export type Output = 'table' | 'json' | 'csv' | 'ndjson';

export class Flags {
  readonly #values: Record<string, unknown>;
  constructor(values: Record<string, unknown>) {
    this.#values = values;
  }
  has(name: string): boolean {
    return this.#values[camel(name)] === true;
  }
  /** Every value that was given. */
  all(name: string): string[] | undefined {
    const values = this.#values[camel(name)] as string[] | undefined;
    return values && values.length > 0 ? values : undefined;
  }
  text(name: string): string | undefined {
    return this.all(name)?.[0];
  }
  /** A whole number of at least `least`. Throws `usage`. */
  number(name: string, least = 1): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least)
      throw new SesstuiError(
        'usage',
        `--${name} "${text}" is not a whole number of at least ${least}`,
        `For example --${name} ${Math.max(least, 100)}.`,
      );
    return value;
  }
  /** Milliseconds, at least `least`. Throws `usage`. */
  duration(name: string, least = 0): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    try {
      const value = parseDuration(text);
      if (value < least) throw new RangeError(`"${text}" is not long enough`);
      return value;
    } catch (error) {
      throw new SesstuiError('usage', `--${name} ${(error as Error).message}`, `For example --${name} 15m.`);
    }
  }
}

export type Parsed = {command: Command | null; words: string[]; flags: Flags; output: Output};

const camel = (name: string): string =>
  name.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
const kebab = (name: string): string => name.replaceAll(/[A-Z]/g, letter => `-${letter.toLowerCase()}`);

const allFlags = [...globalFlags, ...commandFlags];

/** `--no-x` reaches meow as x: false. */
const declared = (flag: Flag): [string, object] =>
  flag.value
    ? [camel(flag.name), {type: 'string', isMultiple: true}]
    : flag.name.startsWith('no-')
      ? [camel(flag.name.slice(3)), {type: 'boolean', default: true}]
      : [camel(flag.name), {type: 'boolean', default: false}];

const outputs: Output[] = ['table', 'json', 'csv', 'ndjson'];

/** Is the result to be JSON? Asked before anything else can fail, so that failures are JSON too. */
export const wantsJson = (argv: string[]): boolean =>
  argv.includes('--json') ||
  argv.includes('--output=json') ||
  argv.some((word, index) => word === '--output' && argv[index + 1] === 'json');

/** Throws `usage`. */
export const parse = (given: string[]): Parsed => {
  const argv = joined(given);
  const {input, flags} = meow({
    importMeta: import.meta,
    argv,
    autoHelp: false,
    autoVersion: false,
    inferType: false,
    flags: Object.fromEntries(allFlags.map(declared)) as never,
  });
  const values: Record<string, unknown> = {...(flags as Record<string, unknown>)};
  for (const {name} of allFlags.filter(flag => flag.name.startsWith('no-')))
    values[camel(name)] = values[camel(name.slice(3))] === false;
  const [name, ...words] = input;
  const command = name === undefined ? null : commands.find(item => item.name === name);
  if (command === undefined) {
    const near = nearest(
      name!,
      commands.map(item => item.name),
    );
    throw new SesstuiError(
      'usage',
      `there is no command "${name}"${near ? `; the nearest is "${near}"` : ''}`,
      `The commands: ${commands.map(item => item.name).join(', ')}.`,
    );
  }
  refuseUnknown(command, argv);
  refuseLost(argv, values);
  const parsed = new Flags(values);
  // A plan that is only looked at is refused for what would refuse it when it is carried out.
  parsed.number('limit-rate');
  if (
    command &&
    !parsed.has('help') &&
    (words.length < command.words[0] || words.length > command.words[1])
  ) {
    throw new SesstuiError(
      'usage',
      words.length < command.words[0]
        ? `${command.name} needs ${command.usage}`
        : `${command.name} does not take "${words[command.words[1]]}"`,
      `It is called: sesstui ${command.name} ${command.usage}`,
    );
  }
  if (command && words.some(word => word.trim() === ''))
    throw new SesstuiError(
      'usage',
      `${command.name} can do nothing with an empty word`,
      `It is called: sesstui ${command.name} ${command.usage}`,
    );
  return {command, words, flags: parsed, output: outputOf(parsed)};
};

/** Every value that was typed has arrived, and only repeatable flags were repeated. */
const refuseLost = (argv: string[], values: Record<string, unknown>): void => {
  for (const {name, many} of allFlags.filter(flag => flag.value)) {
    const typed = flagWords(argv).filter(word => word.startsWith(`--${name}=`)).length;
    const arrived = (values[camel(name)] as string[] | undefined) ?? [];
    if (arrived.length !== typed || arrived.some(value => value === ''))
      throw new SesstuiError(
        'usage',
        `--${name} has no value that can be read`,
        `Write it as --${name}=VALUE.`,
      );
    if (typed > 1 && !many)
      throw new SesstuiError('usage', `--${name} was given ${typed} times`, 'Give it once.');
  }
};

const outputOf = (flags: Flags): Output => {
  const text = flags.text('output') ?? 'table';
  if (!outputs.includes(text as Output))
    throw new SesstuiError(
      'usage',
      `--output "${text}" is not one of ${outputs.join(', ')}`,
      'For example --output json.',
    );
  return outputs.find(output => flags.has(output)) ?? (text as Output);
};

const flagWords = (argv: string[]): string[] => {
  const end = argv.indexOf('--');
  return (end < 0 ? argv : argv.slice(0, end)).filter(word => word.startsWith('-') && word !== '-');
};

/**
 * Each flag with its value as one word (`--group`, `-x` → `--group=-x`), so that a value is never taken for a flag
 * and lost: without its narrowing an action would take everything. Throws `usage` for a flag without a value.
 */
const joined = (argv: string[]): string[] => {
  const words: string[] = [];
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index]!;
    if (word === '--') return [...words, ...argv.slice(index)];
    const flag = allFlags.find(item => item.value && word === `--${item.name}`);
    const next = argv[index + 1];
    if (!flag) words.push(word);
    else if (next === undefined || next.startsWith('--'))
      throw new SesstuiError(
        'usage',
        `--${flag.name} needs a value`,
        `For example --${flag.name} ${flag.value}; a value that starts with -- is written --${flag.name}=VALUE.`,
      );
    else {
      words.push(`${word}=${next}`);
      index++;
    }
  }
  return words;
};

const refuseUnknown = (command: Command | null, argv: string[]): void => {
  const known = [...globalFlags.map(flag => flag.name), ...(command ? command.flags : screenFlags)];
  for (const word of flagWords(argv)) {
    const name = kebab(word.replace(/^--?/, '').replace(/=.*$/s, ''));
    if (word.startsWith('--') && known.includes(name)) continue;
    const near = nearest(name, known);
    const where = allFlags.some(flag => flag.name === name)
      ? ` here${command ? `: ${command.name} does not take it` : ''}`
      : '';
    throw new SesstuiError(
      'usage',
      `there is no flag ${word.replace(/=.*$/s, '')}${where}${near && !where ? `; the nearest is --${near}` : ''}`,
      `\`sesstui ${command ? `${command.name} ` : ''}--help\` lists the flags.`,
    );
  }
};
