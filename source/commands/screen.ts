/** `sesstui` alone: the screen, on the configured stores or on the demo's. */
import {SesstuiError} from '../errors.js';
import type {Context} from './context.js';

export const screen = async (context: Context): Promise<number> => {
  if (!process.stdin.isTTY || !process.stdout.isTTY) {
    throw new SesstuiError(
      'usage',
      'the screen needs a terminal, and standard input or output is not one',
      'Use a headless command: sesstui check, sesstui health, sesstui clean … (sesstui --help lists them).',
    );
  }
  const isDemo = context.flags.has('demo');
  const [{openUi}, engine, standIns] = await Promise.all([
    import('../ui.js'),
    context.engine(),
    isDemo ? import('../demo/config.js').then(module => module.demoStandIns) : null,
  ]);
  return openUi(engine, {
    stdin: process.stdin,
    stdout: process.stdout,
    color: context.color,
    demo: standIns,
    onTraffic: context.onTraffic,
  });
};
