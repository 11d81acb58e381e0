/** Guards under faults on DynamoDB Local: the kite's. */
import {DescribeTableCommand} from '@aws-sdk/client-dynamodb';
import {canonicalJson} from '../../source/connector.js';
import type {Json} from '../../source/values.js';
import {makeTable, rawClient} from '../support/dynamodb.js';
import {type GuardStage, guardedOf} from './guards-stage.js';
import {openDynamodbScenarios} from './scenarios-dynamodb.js';

const tables = {'kite-accounts': 'accountId', 'kite-sessions': 'sessionId'};

export const openDynamodbStage = async (): Promise<GuardStage & {endpoint: string}> => {
  const {scenarios, stop} = await openDynamodbScenarios();
  const scenario = scenarios[0]!;
  const {endpoint} = scenario.stores.kite as {endpoint: string};
  const client = rawClient(endpoint);
  const catalogue = async (): Promise<string> => {
    const found = Object.keys(tables).map(async TableName => {
      const {Table} = await client.send(new DescribeTableCommand({TableName}));
      const {ItemCount: _, TableSizeBytes: _s, CreationDateTime: _t, TableId: _i, ...rest} = Table!;
      const {BillingModeSummary: _b, ProvisionedThroughput: _p, ...kept} = rest;
      return kept;
    });
    return canonicalJson((await Promise.all(found)) as unknown as Json);
  };
  return {
    server: scenario.server,
    endpoint,
    checks: [scenario.check],
    async fresh() {
      for (const [table, key] of Object.entries(tables)) await makeTable(client, table, {[key]: 'S'}, []);
      await scenario.reset();
      return guardedOf(scenario, catalogue);
    },
    hold: null,
    async stop() {
      client.destroy();
      await stop();
    },
  };
};
