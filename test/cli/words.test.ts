/** Values on the command line arrive as they were typed, whatever they hold. */
import {expect, test} from 'vitest';
import {parse} from '../../source/commands/parse.js';
import {hostileStrings} from '../support/hostile.js';

test('a value with line ends or anything else in it is that value', () => {
  for (const text of ['one\ntwo', 'one\r\ntwo', '=', 'a=b', '-x', ...hostileStrings(250, 9, {nul: false})])
    for (const flag of ['group', 'id', 'note']) {
      const {flags} = parse(['clean', 'rides/stale-sessions', `--${flag}=${text}`]);
      expect(flags.text(flag)).toBe(text);
    }
});

test('an unknown flag is told without its value', () => {
  expect(() => parse(['clean', '--gruop=a\nb'])).toThrow(
    /^there is no flag --gruop; the nearest is --group$/,
  );
});
