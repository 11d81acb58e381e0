/** The page in headless Chromium, and the metrics before promtool: programs that nobody here wrote. */
import {spawn} from 'node:child_process';
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {type Browser, chromium, type Page} from 'playwright-core';
import {afterAll, beforeAll, beforeEach, describe, expect, test} from 'vitest';
import type {FullEngine} from '../../source/engine/engine.js';
import {gated, type Harness, openHarness, roundOf, tables, token} from './server-harness.js';

const executablePath = process.env.CHROMIUM || '/usr/bin/chromium';
const onPath = (name: string): boolean =>
  (process.env.PATH ?? '').split(':').some(folder => existsSync(join(folder, name)));
/** With CI set nothing is skipped: what is missing fails. */
const isMissing = (has: boolean): boolean => !has && process.env.CI !== 'true';
/** Where pictures of the page are put, for people to look at. */
const pictures = process.env.SESSTUI_PAGE_PICTURES;

let harness: Harness;

beforeAll(async () => {
  harness = await openHarness();
});
afterAll(() => harness?.stop());
beforeEach(async () => {
  await harness.client.query(tables);
});

const waiting = async (): Promise<number> =>
  (await harness.client.query(`select count(*)::int from sessions where status = 'waiting'`)).rows[0].count;

describe.skipIf(isMissing(existsSync(executablePath)))('the page in Chromium', () => {
  let browser: Browser;
  let page: Page;
  /** What the browser said on its console that was not asked for: a policy broken, a script that threw. */
  let complaints: string[];

  beforeAll(async () => {
    browser = await chromium.launch({executablePath, args: ['--no-sandbox', '--disable-gpu']});
  });
  afterAll(() => browser?.close());

  const open = async (
    options: {engine?: FullEngine; token?: string; width?: number; dark?: boolean} = {},
  ): Promise<string> => {
    const {url} = await harness.serve({engine: options.engine});
    const context = await browser.newContext({
      viewport: {width: options.width ?? 1280, height: 800},
      colorScheme: options.dark ? 'dark' : 'light',
    });
    page = await context.newPage();
    complaints = [];
    page.on('console', message => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
    });
    page.on('pageerror', error => complaints.push(String(error)));
    page.on('dialog', dialog => {
      complaints.push(`dialog ${dialog.message()}`);
      void dialog.dismiss();
    });
    await page.goto(url);
    await page.getByLabel('Access token').fill(options.token ?? token);
    return url;
  };
  const message = () => page.getByRole('status');
  const button = (name: string | RegExp) => page.getByRole('button', {name});
  const tile = async (name: string): Promise<string> =>
    page
      .locator('.tile', {has: page.locator('dt', {hasText: new RegExp(`^${name}$`)})})
      .locator('dd')
      .innerText();
  const said = async (text: string | RegExp): Promise<void> => {
    await page.waitForFunction(
      ([source]) => new RegExp(source!).test(document.getElementById('message')!.textContent!),
      [text instanceof RegExp ? text.source : text],
    );
  };
  const picture = async (name: string): Promise<void> => {
    if (pictures) await page.screenshot({path: join(pictures, `${name}.png`), fullPage: true});
  };

  test('a wrong token is told in words, and so is none', async () => {
    await open({token: 'not-the-token-of-this-server'});
    await button('Check').click();
    await said('The token is missing or wrong');
    expect(await page.locator('#report').isHidden()).toBe(true);
    await page.getByLabel('Access token').fill('');
    await button('Check').click();
    await said('Type the access token first');
    // The browser itself logs the 401 of the first request.
    expect(complaints.filter(text => !text.includes('401'))).toEqual([]);
  });

  test('Check shows health, sessions, checks, problems and what to do', async () => {
    await open();
    await button('Check').click();
    await said('Looked');
    expect(await Promise.all(['Health', 'Sessions', 'Waiting', 'Stale', 'Very stale'].map(tile))).toEqual([
      'critical',
      '25',
      '4',
      '3',
      '2',
    ]);
    expect(await page.locator('#sessions').innerText()).toContain('completed 20');
    expect(await page.locator('#checks tr').innerText()).toContain('rides/stale-sessions');
    expect(await page.locator('#problems').innerText()).toContain('very-stale-waiting');
    expect(await page.locator('#recommendations').innerText()).toContain(
      'sesstui clean rides/stale-sessions',
    );
    expect(complaints).toEqual([]);
  });

  test('Enter in the token field checks', async () => {
    await open();
    await page.getByLabel('Access token').press('Enter');
    await said('Looked');
    expect(await tile('Stale')).toBe('3');
  });

  test('Clean shows the plan with Cancel focused; Cancel and Escape change nothing', async () => {
    await open();
    for (const leave of ['Enter', 'Escape']) {
      await button('Clean…').click();
      await page.locator('#plan[open]').waitFor();
      expect(await page.locator('#plan-title').innerText()).toBe('Clean 3 sessions?');
      const rows = await page.locator('#plan-rows tr').allInnerTexts();
      expect(rows).toHaveLength(3);
      expect(rows[0]).toMatch(/id s\d[\s\S]*status waiting[\s\S]*status cancelled/);
      expect(await page.evaluate(() => document.activeElement!.textContent)).toBe('Cancel');
      await page.keyboard.press(leave);
      await said('Nothing was changed');
      expect(await page.locator('#plan').evaluate(dialog => (dialog as HTMLDialogElement).open)).toBe(false);
    }
    expect(await waiting()).toBe(4);
    expect(complaints).toEqual([]);
  });

  test('Clean carries the plan out, says run and undo, and looks again: nothing stale is left', async () => {
    const engine = await harness.engine();
    await open({engine});
    await button('Check').click();
    await said('Looked');
    expect(await tile('Stale')).toBe('3');
    await button('Clean…').click();
    await button('Clean 3 sessions').click();
    await said('3 sessions cancelled');
    await expect.poll(() => tile('Stale')).toBe('0');
    const [run] = await engine.history();
    expect(await message().innerText()).toContain(`sesstui undo ${run!.run} --yes`);
    expect(await waiting()).toBe(1);
    await button('Clean…').click();
    await said('Nothing to clean');
    expect(complaints).toEqual([]);
  });

  test('for one customer only that one is planned and cleaned', async () => {
    await open();
    await page.getByLabel(/Customer/).fill('c2');
    await button('Clean…').click();
    await page.locator('#plan[open]').waitFor();
    expect(await page.locator('#plan-title').innerText()).toBe('Clean 1 session of c2?');
    await button('Clean 1 session').click();
    await said('1 session cancelled');
    expect(await waiting()).toBe(3);
  });

  test('while a cleanup runs the buttons do nothing, and another page is told', async () => {
    const {engine, begun, letGo} = gated(await harness.engine());
    const url = await open({engine});
    await button('Clean…').click();
    await button('Clean 3 sessions').click();
    await begun;
    const other = await page.context().newPage();
    await other.goto(url);
    await other.getByLabel('Access token').fill(token);
    await other.getByRole('button', {name: 'Clean…'}).click();
    await other.getByRole('button', {name: 'Clean 3 sessions'}).click();
    await other.getByText('a cleanup is running already').waitFor();
    await button('Clean…').click({force: true});
    expect(await page.locator('#plan').evaluate(dialog => (dialog as HTMLDialogElement).open)).toBe(false);
    letGo();
    await said('3 sessions cancelled');
  });

  test('hostile values are shown as text: nothing of them runs, and what is invisible is seen', async () => {
    const hostile = `<img src=x onerror="alert(1)"><script>alert(2)</script>\u202eevil`;
    await harness.client.query(
      `insert into sessions values ($1, $2, 'waiting', now() - interval '2 hours', now()), ('h', 'h', $3, now(), now())`,
      [`id ${hostile}`, hostile, hostile],
    );
    await open();
    await button('Check').click();
    await said('Looked');
    const shown = await page.locator('#sessions').innerText();
    expect(shown).toContain('<script>alert(2)</script>');
    expect(shown).toContain('\\u{202e}evil');
    await page.getByLabel(/Customer/).fill(hostile);
    await button('Clean…').click();
    await page.locator('#plan[open]').waitFor();
    expect(await page.locator('#plan-rows').innerText()).toContain('<img src=x');
    expect(await page.locator('main img, main script, dialog img, dialog script').count()).toBe(0);
    await button('Clean 1 session').click();
    await said('1 session cancelled');
    expect(complaints).toEqual([]);
  });

  test('the token is in no cookie, no storage and no address', async () => {
    await open();
    const addresses: string[] = [];
    page.on('request', request => addresses.push(request.url()));
    await button('Check').click();
    await said('Looked');
    expect(await page.context().cookies()).toEqual([]);
    expect(await page.evaluate(() => [localStorage.length, sessionStorage.length, document.cookie])).toEqual([
      0,
      0,
      '',
    ]);
    expect(addresses.length).toBeGreaterThan(0);
    for (const address of [...addresses, page.url()]) expect(address).not.toContain(token);
    await page.reload();
    expect(await page.getByLabel('Access token').inputValue()).toBe('');
  });

  test('a script that somebody put into the page would not run', async () => {
    await open();
    await page.evaluate(() => {
      const script = document.createElement('script');
      script.textContent = 'document.title = "owned"';
      document.body.append(script);
    });
    expect(await page.title()).not.toBe('owned');
    expect(complaints.join()).toContain('Content Security Policy');
  });

  test.each([
    [360, false],
    [1280, false],
    [360, true],
  ])('%i pixels wide (dark: %s) everything fits, the dialog too', async (width, dark) => {
    await harness.client.query(
      `insert into sessions values ('${'x'.repeat(120)}', '${'y'.repeat(120)}', 'waiting', now() - interval '2 hours', now()),
       ('z', 'z', '${'z'.repeat(300)}', now(), now())`,
    );
    await open({width, dark});
    await button('Check').click();
    await said('Looked');
    const tooWide = (): Promise<number> =>
      page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(await tooWide()).toBe(0);
    await picture(`page-${width}${dark ? '-dark' : ''}`);
    await button('Clean…').click();
    await page.locator('#plan[open]').waitFor();
    const box = (await page.locator('#plan').boundingBox())!;
    expect(box.x).toBeGreaterThanOrEqual(0);
    expect(box.x + box.width).toBeLessThanOrEqual(width);
    expect(await page.locator('#plan .scroll').evaluate(part => part.scrollWidth - part.clientWidth)).toBe(0);
    expect(await button(/^Cancel$/).isVisible()).toBe(true);
    await picture(`dialog-${width}${dark ? '-dark' : ''}`);
    expect(complaints).toEqual([]);
  });

  test.each([false, true])('every text has a contrast of at least 4.5 (dark: %s)', async dark => {
    await open({dark});
    await button('Check').click();
    await said('Looked');
    const worst = await page.evaluate(() => {
      const channels = (color: string): number[] => color.match(/[\d.]+/g)!.map(Number);
      const luminance = (color: string): number => {
        const [red, green, blue] = channels(color)
          .slice(0, 3)
          .map(value => value / 255)
          .map(value => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
        return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
      };
      const groundOf = (element: Element): string => {
        for (let at: Element | null = element; at; at = at.parentElement) {
          const ground = getComputedStyle(at).backgroundColor;
          if ((channels(ground)[3] ?? 1) > 0) return ground;
        }
        return 'rgb(255, 255, 255)';
      };
      const texts = [...document.querySelectorAll('main *')].filter(
        element =>
          [...element.childNodes].some(node => node.nodeType === 3 && node.textContent!.trim() !== '') &&
          element.getClientRects().length > 0,
      );
      return texts
        .map(element => {
          const [a, b] = [getComputedStyle(element).color, groundOf(element)]
            .map(luminance)
            .toSorted((x, y) => y - x);
          return {text: element.textContent!.slice(0, 40), contrast: (a! + 0.05) / (b! + 0.05)};
        })
        .toSorted((x, y) => x.contrast - y.contrast)[0]!;
    });
    expect(worst.contrast, worst.text).toBeGreaterThanOrEqual(4.5);
  });
});

describe.skipIf(isMissing(onPath('promtool')))('the metrics before promtool', () => {
  test('promtool check metrics has nothing to say', async () => {
    const {url, watcher} = await harness.serve();
    await watcher.tell(roundOf({sessions: {waiting: 4, 'o"d\\d\n': 1}}));
    const text = await (await fetch(`${url}/metrics`)).text();
    const promtool = spawn('promtool', ['check', 'metrics'], {stdio: ['pipe', 'pipe', 'pipe']});
    let said = '';
    for (const stream of [promtool.stdout, promtool.stderr])
      stream.setEncoding('utf8').on('data', chunk => {
        said += chunk;
      });
    promtool.stdin.end(text);
    const code = await new Promise(done => promtool.once('close', done));
    expect(said).toBe('');
    expect(code).toBe(0);
  });
});
