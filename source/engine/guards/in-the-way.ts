/** What keeps guards from being installed: findings, which their actions mend, and violations, which nobody can but a person. */
import type {Part} from '../../checks/check.js';
import type {Found} from '../../connector.js';
import type {Form} from '../../forms.js';
import type {Guard} from '../../guards.js';
import {shellWord} from '../../shell-word.js';
import type {Finding} from '../../types.js';
import type {Value} from '../../values.js';
import {counted} from '../../words.js';
import type {Checker, Opened} from '../checker.js';
import {groupJson, groupTexts, keyOf, keyText, shownMap} from '../findings.js';
import {reasonsTaken} from '../selecting.js';

type Asking = {allowScan?: boolean; signal?: AbortSignal};

type Cleaned = Guard & {findings: NonNullable<Guard['findings']>};

const partsWith = ({parts}: Opened, reasons: string[]): Part[] =>
  parts.filter(({form}) =>
    Object.keys(form.form === 'groups' ? form.having : form.tags).some(name => reasons.includes(name)),
  );

/** What the guard's action leaves alone unless it is chosen by hand. */
const isUndecided = ({check}: Checker, {reasons, action}: Cleaned['findings'], finding: Finding): boolean =>
  finding.reasons.some(reason => reasons.includes(reason)) &&
  reasonsTaken(check, action, {reasons}, finding, finding.actions).length === 0;

/** How many findings of the guards' reasons the check has, by reason; reasons that it has none of are left out. */
export const findingsInTheWay = async (
  checker: Checker,
  guards: Guard[],
  {allowScan, signal}: Asking,
): Promise<Record<string, number>> => {
  const reasons = new Set(guards.flatMap(({findings}) => findings?.reasons ?? []));
  if (reasons.size === 0) return {};
  return checker.ask(
    async opened => {
      const parts = partsWith(opened, [...reasons]);
      await checker.refuseScan({...opened, parts}, {allowScan, signal});
      const counts: Record<string, number> = {};
      for (const {form} of parts) {
        const survey = await opened.connector.survey(form, {now: opened.now, offset: 0, limit: 0, signal});
        for (const [reason, count] of Object.entries(survey.counts))
          if (reasons.has(reason) && count > 0) counts[reason] = (counts[reason] ?? 0) + count;
      }
      return counts;
    },
    {signal, insist: true},
  );
};

/** How many are named. */
const shownKeys = 3;

const keyWords = (form: Form, {key, rows}: Found, secrets: string[]): string => {
  if (form.form === 'groups') {
    const group = groupJson(key ?? [], form.key, secrets);
    return typeof group === 'string' ? group : JSON.stringify(group);
  }
  return keyText(shownMap(keyOf(rows[0]!), secrets));
};

/** What takes violations that are left to a person; where nothing does, that. */
const wayOut = ({id}: Checker, {byHand}: Guard, them: string): string => {
  if (!byHand) return `no action mends ${them}`;
  const words = [
    ...['sesstui', 'clean', id, '--action', byHand.action],
    ...byHand.reasons.flatMap(reason => ['--reason', reason]),
  ];
  return `no default action mends ${them}: \`${words.map(shellWord).join(' ')}\` does`;
};

const sentence = async (
  checker: Checker,
  {connector, now}: Opened,
  guard: Guard & {violations: Form},
  signal?: AbortSignal,
): Promise<string[]> => {
  const {name, violations: form} = guard;
  const {total, found} = await connector.survey(form, {now, offset: 0, limit: shownKeys, signal});
  if (total === 0) return [];
  const keys = found.map(item => keyWords(form, item, checker.config.secrets)).join(', ');
  const what = counted(total, form.form === 'groups' ? 'group' : 'row');
  const [are, them] = total === 1 ? ['is', 'it'] : ['are', 'them'];
  const named = `${keys}${total > found.length ? ', …' : ''}`;
  return [
    guard.byHand
      ? `${what} of ${form.from} ${are} in the way of ${name} (${named}), and ${wayOut(checker, guard, them)}`
      : `${what} of ${form.from} ${are} in the way of ${name}, and ${wayOut(checker, guard, them)}: ${named}`,
  ];
};

/** A sentence for each guard that something is in the way of that no finding tells of. */
export const violationsOf = async (
  checker: Checker,
  guards: Guard[],
  {allowScan, signal}: Asking,
): Promise<string[]> => {
  const asked = guards.filter((guard): guard is Guard & {violations: Form} => guard.violations !== null);
  if (asked.length === 0) return [];
  return checker.ask(
    async opened => {
      await checker.refuseScan(opened, {
        allowScan,
        signal,
        forms: asked.map(({violations}) => violations),
      });
      const sentences: string[] = [];
      for (const guard of asked) sentences.push(...(await sentence(checker, opened, guard, signal)));
      return sentences;
    },
    {signal, insist: true},
  );
};

/** The group as `--group` takes it; one that is secret, or too long to be shown, is for a person to write. */
const groupWord = ({group}: Finding, values: Value[]): string => {
  const text = JSON.stringify(group);
  return groupTexts(values).includes(text) ? shellWord(text) : 'VALUE';
};

/** How many findings no default action takes: a sentence for each guard. Cleaning mends everything else first. */
export const undecidedOf = async (
  checker: Checker,
  guards: Guard[],
  {allowScan, signal}: Asking,
): Promise<string[]> => {
  const asked = guards.filter((guard): guard is Cleaned => guard.findings !== null);
  if (asked.length === 0) return [];
  const counts = new Map<string, number>();
  const words = new Map<string, string>();
  await checker.ask(
    async opened => {
      const wanted = asked.flatMap(({findings}) => findings.reasons);
      const parts = partsWith(opened, wanted);
      await checker.refuseScan({...opened, parts}, {allowScan, signal});
      for await (const {finding, judged} of checker.findings(opened, {parts, signal}))
        for (const {name, findings} of asked) {
          if (!isUndecided(checker, findings, finding)) continue;
          counts.set(name, (counts.get(name) ?? 0) + 1);
          if (!words.has(name)) words.set(name, groupWord(finding, judged.group));
        }
    },
    {signal, insist: true},
  );
  return asked.flatMap(({name, findings: {action}}) => {
    const count = counts.get(name);
    if (!count) return [];
    const [are, them] = count === 1 ? ['is', 'it'] : ['are', 'them'];
    return [
      `${counted(count, 'finding')} ${are} in the way of ${name} and no default action takes ${them}: look with \`sesstui check ${checker.id}\`, and decide by group with \`sesstui clean ${checker.id} --action ${action} --group ${words.get(name)}\`${count === 1 ? '' : ' (the first of them)'}`,
    ];
  });
};

/** `3 duplicate, 1 payload-differs` */
export const findingWords = (findings: Record<string, number>): string =>
  Object.entries(findings)
    .map(([reason, count]) => `${count} ${reason}`)
    .join(', ');
