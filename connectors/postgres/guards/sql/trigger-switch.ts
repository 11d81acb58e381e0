/** Whether a trigger fires, as pg_trigger.tgenabled tells it: O (the usual), D, R and A. */
import {ident} from '../../sql.js';

const switches: Record<string, string> = {D: 'disable', R: 'enable replica', A: 'enable always'};

/** It fires in the sessions of applications. */
export const isSwitchedOn = (enabled: string): boolean => enabled === 'O' || enabled === 'A';

/** The statement that switches a trigger that was just made; [] where it is to be as triggers are made. */
export const switchTrigger = (
  enabled: string | null | undefined,
  name: string,
  tableSql: string,
): string[] => {
  const how = switches[enabled ?? ''];
  return how ? [`alter table ${tableSql} ${how} trigger ${ident(name)}`] : [];
};
