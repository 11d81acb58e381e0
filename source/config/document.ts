/** YAML (and JSON, which is YAML) text to a document, or what is wrong with how it is written. */
import {type Document, LineCounter, parseDocument} from 'yaml';
import type {Problem} from './problems.js';

/** Nesting that no configuration needs, and that would exhaust the parser's stack. */
const deepestBrackets = 100;
const indicatorRun = /(?:[-?:] +){50}/;

const nestsTooDeep = (text: string): boolean => {
  let depth = 0;
  for (const character of text) {
    if (character === '[' || character === '{') depth++;
    else if (character === ']' || character === '}') depth = Math.max(0, depth - 1);
    if (depth > deepestBrackets) return true;
  }
  return indicatorRun.test(text) || /^ {200}/m.test(text);
};

/** Messages of the parser that need more words; the rest say enough. None may quote the file: it may hold secrets. */
const texts: Record<string, string> = {
  TAB_AS_INDENT: 'is indented with a tab; YAML wants spaces',
  MULTIPLE_DOCS: 'holds more than one document: a line of --- begins another',
  TAG_RESOLVE_FAILED: 'has a tag (!…), which a configuration can not have',
  MISSING_CHAR: 'something is not closed: a quote, a bracket or a comma is missing',
  UNEXPECTED_TOKEN: 'something is there that does not belong: check quotes, brackets and indentation',
  BAD_SCALAR_START: 'a value can not begin with this character: put it in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a value holds ": ", or the indentation is wrong: put the value in quotes',
  MULTILINE_IMPLICIT_KEY: 'a key has no ":" after it, or the indentation is wrong',
  BAD_INDENT: 'the indentation is wrong',
  BAD_ALIAS: 'an alias (*) has no name, or more than one',
};

const withVariable = /[{[,][^'"]*\$\{/;

export type Parsed = {document: Document; lineCounter: LineCounter; problems: Problem[]};

/** Parses; `problems` has one a line at most, and is empty where the text is well written. Never throws. */
export const parseText = (text: string): Parsed => {
  const lineCounter = new LineCounter();
  const failed = (problem: string): Parsed => ({
    document: parseDocument(''),
    lineCounter,
    problems: [{path: [], text: problem}],
  });
  if (nestsTooDeep(text)) return failed('nests deeper than a configuration does');
  const bad = /[\0-\x08\x0b\x0c\x0e-\x1f]/.exec(text);
  if (bad)
    return failed(
      `holds a control character in line ${text.slice(0, bad.index).split('\n').length}, so it is not a configuration`,
    );
  // Repeated keys are found later, with their names.
  const document = parseDocument(text, {
    lineCounter,
    prettyErrors: false,
    uniqueKeys: false,
    resolveKnownTags: false,
    logLevel: 'error',
  }) as Document;
  const lines = text.split('\n');
  const problems = new Map<number, Problem>();
  for (const error of [...document.errors, ...document.warnings]) {
    const {line} = lineCounter.linePos(error.pos[0]);
    if (problems.has(line)) continue;
    const known =
      texts[error.code] ?? (error.code === 'BAD_DQ_ESCAPE' ? 'has a wrong \\ escape' : error.code);
    const quote = withVariable.test(lines[line - 1] ?? '') ? ` (inside { } and [ ], \${…} needs quotes)` : '';
    problems.set(line, {path: [], line, text: known + quote});
    // From here on the parser has lost the structure: what follows is well written as likely as not.
    if (error.code === 'UNEXPECTED_TOKEN') break;
  }
  return {document, lineCounter, problems: [...problems.values()].slice(0, 20)};
};
