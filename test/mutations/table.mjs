// What protects each requirement of safety (S1–S20) and of guards (G1–G6, see entries/guards.mjs), the change that takes it out, and the test that must go red.
//
//   requirement, protection (in words)
//   edits    changes of files: `find` is there exactly once; several where several layers keep the same thing
//   test     a file and a part of a test's name
//   servers  real servers that the test wants; without them it runs on the embedded stores
import {entries as groups} from './entries/groups.mjs';
import {entries as guards} from './entries/guards.mjs';
import {entries as hostile} from './entries/hostile.mjs';
import {entries as limits} from './entries/limits.mjs';
import {entries as outcomes} from './entries/outcomes.mjs';
import {entries as records} from './entries/records.mjs';
import {entries as runs} from './entries/runs.mjs';
import {entries as secrets} from './entries/secrets.mjs';
import {entries as sight} from './entries/sight.mjs';
import {entries as writing} from './entries/writing.mjs';

const numberOf = ({requirement}) => Number(requirement.slice(1));

export const entries = [
  ...groups,
  ...runs,
  ...outcomes,
  ...limits,
  ...records,
  ...writing,
  ...sight,
  ...secrets,
  ...hostile,
]
  .sort((a, b) => numberOf(a) - numberOf(b))
  .concat(guards);
