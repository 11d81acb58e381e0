import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {openDynamodbStage} from './guards-dynamodb.js';
import {killedAtEachStep} from './guards-killed.js';
import {openMongodbStage} from './guards-mongodb.js';
import {openPostgresStage} from './guards-postgres.js';
import type {GuardStage} from './guards-stage.js';
import {record} from './record.js';

const stages: [string, string[], () => Promise<GuardStage>][] = [
  [
    'PostgreSQL',
    ['registry/duplicates', 'gym/device-sessions', 'rides/stale-sessions'],
    () => openPostgresStage(),
  ],
  ['FerretDB', ['chat/null-ids'], () => openMongodbStage('FerretDB 1.24')],
  ['MongoDB 6', ['chat/null-ids'], () => openMongodbStage('MongoDB 6')],
  ['DynamoDB Local', ['kite/duplicates'], openDynamodbStage],
];

describe.each(stages)('installs killed on %s', (_, checks, open) => {
  let stage: GuardStage;
  beforeAll(async () => {
    stage = await open();
  });
  afterAll(async () => stage?.stop());

  test.each(checks)(
    '%s: install again and uninstall, or uninstall at once',
    {timeout: 15 * 60_000},
    async check => {
      const {rounds, violations, problems} = await killedAtEachStep(stage, check);
      record({
        requirement: 'S4',
        fault: 'SIGKILL before, in and after each step of an install of guards',
        server: stage.server,
        rounds,
        violations,
        note: check,
      });
      expect(problems).toEqual([]);
      expect(rounds).toBeGreaterThan(3);
    },
  );
});
