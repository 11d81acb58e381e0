// Draws docs/screen.svg from a real frame: plays the program in a pseudo-terminal and turns its cells into SVG.
// Usage: npm run build && node docs/picture.mjs
import {writeFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {spawn} from '@lydell/node-pty';
import headless from '@xterm/headless';

const [cols, rows] = [110, 30];
const cell = {width: 8.4, height: 17};
const terminal = new headless.Terminal({cols, rows, allowProposedApi: true});
const cli = fileURLToPath(new URL('../dist/source/cli.js', import.meta.url));
const child = spawn(process.execPath, [cli, '--demo', '--no-traffic'], {
  cols,
  rows,
  env: {...process.env, TERM: 'xterm-256color', COLORTERM: '', NO_COLOR: '', CI: ''},
});
child.onData(data => terminal.write(data));

const lines = () =>
  Array.from({length: rows}, (_, y) => terminal.buffer.active.getLine(y)?.translateToString(true) ?? '');
const until = async (found, what) => {
  for (let tries = 0; tries < 600; tries++) {
    if (found(lines().join('\n'))) return;
    await new Promise(done => setTimeout(done, 50));
  }
  throw new Error(`never seen: ${what}\n${lines().join('\n')}`);
};

await until(text => /5 stores up/.test(text), 'the stores');
child.write('4');
await until(text => /row 1 of/.test(text), 'stale sessions');
for (const key of [' ', 'j', 'j', ' ', 'j']) {
  child.write(key);
  await new Promise(done => setTimeout(done, 200));
}
await until(text => /2 marked/.test(text), 'two marks');

const palette = [
  '#1d1f21',
  '#cc6666',
  '#98b35d',
  '#e0a84e',
  '#6f9fcf',
  '#b294bb',
  '#6fb5ad',
  '#c5c8c6',
  '#707880',
  '#d87878',
  '#b5bd68',
  '#f0c674',
  '#81a2be',
  '#b294bb',
  '#8abeb7',
  '#ffffff',
];
const colour = (buffer, kind) => {
  const value = buffer[`get${kind}Color`]();
  if (buffer[`is${kind}Default`]()) return null;
  if (buffer[`is${kind}RGB`]()) return `#${value.toString(16).padStart(6, '0')}`;
  if (value < 16) return palette[value];
  if (value >= 232) return `#${(8 + (value - 232) * 10).toString(16).padStart(2, '0').repeat(3)}`;
  const part = index =>
    [0, 95, 135, 175, 215, 255][Math.floor((value - 16) / 6 ** index) % 6].toString(16).padStart(2, '0');
  return `#${part(2)}${part(1)}${part(0)}`;
};
const escapeXml = text => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

const shapes = [];
for (let y = 0; y < rows; y++) {
  const line = terminal.buffer.active.getLine(y);
  for (let x = 0; x < cols; ) {
    const first = line.getCell(x);
    const style = c => [colour(c, 'Fg'), colour(c, 'Bg'), c.isInverse(), c.isBold(), c.isDim()].join();
    let text = '';
    let end = x;
    while (end < cols && style(line.getCell(end)) === style(first)) {
      const c = line.getCell(end);
      text += c.getChars() || ' ';
      end += Math.max(1, c.getWidth());
    }
    let [foreground, background] = [colour(first, 'Fg') ?? '#c5c8c6', colour(first, 'Bg')];
    if (first.isInverse()) [foreground, background] = [background ?? '#1d1f21', foreground];
    const [left, top, width] = [x * cell.width + 10, y * cell.height + 10, (end - x) * cell.width];
    if (background)
      shapes.push(
        `<rect x="${left.toFixed(1)}" y="${top}" width="${width.toFixed(1)}" height="${cell.height}" fill="${background}"/>`,
      );
    if (text.trim()) {
      const weight = first.isBold() ? ' font-weight="bold"' : '';
      const faint = first.isDim() ? ' opacity="0.6"' : '';
      shapes.push(
        `<text x="${left.toFixed(1)}" y="${top + 13}" textLength="${width.toFixed(1)}" lengthAdjust="spacingAndGlyphs" fill="${foreground}"${weight}${faint} xml:space="preserve">${escapeXml(text)}</text>`,
      );
    }
    x = end;
  }
}
const [width, height] = [Math.ceil(cols * cell.width) + 20, rows * cell.height + 20];
writeFileSync(
  new URL('screen.svg', import.meta.url),
  `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14"><rect width="100%" height="100%" rx="8" fill="#1d1f21"/>\n${shapes.join('\n')}\n</svg>\n`,
);
child.write('\x03');
child.onExit(() => process.exit(0));
