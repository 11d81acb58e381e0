/** What keeps guards from being installed: findings, which their actions mend, and violations, which nobody can but a person. */
import type {Found} from '../../connector.js';
import type {Form} from '../../forms.js';
import type {Guard} from '../../guards.js';
import {counted} from '../../words.js';
import type {Checker, Opened} from '../checker.js';
import {groupJson, keyOf, keyText, shownMap} from '../findings.js';

export type Asking = {allowScan?: boolean; signal?: AbortSignal};

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
      const parts = opened.parts.filter(({form}) =>
        Object.keys(form.form === 'groups' ? form.having : form.tags).some(name => reasons.has(name)),
      );
      checker.refuseScan({...opened, parts}, allowScan);
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

const sentence = async (
  checker: Checker,
  {connector, now}: Opened,
  {name, violations: form}: Guard & {violations: Form},
  signal?: AbortSignal,
): Promise<string[]> => {
  const {total, found} = await connector.survey(form, {now, offset: 0, limit: shownKeys, signal});
  if (total === 0) return [];
  const keys = found.map(item => keyWords(form, item, checker.config.secrets)).join(', ');
  const what = counted(total, form.form === 'groups' ? 'group' : 'row');
  return [
    `${what} of ${form.from} ${total === 1 ? 'is' : 'are'} in the way of ${name}, and no action mends ${total === 1 ? 'it' : 'them'}: ${keys}${total > found.length ? ', …' : ''}`,
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
      checker.refuseScan(
        opened,
        allowScan,
        asked.map(({violations}) => violations),
      );
      const sentences: string[] = [];
      for (const guard of asked) sentences.push(...(await sentence(checker, opened, guard, signal)));
      return sentences;
    },
    {signal, insist: true},
  );
};

/** `3 duplicate, 1 payload-differs` */
export const findingWords = (findings: Record<string, number>): string =>
  Object.entries(findings)
    .map(([reason, count]) => `${count} ${reason}`)
    .join(', ');
