/** Guards of DynamoDB through the engine: two installs and two uninstalls at once. */
import {DescribeTableCommand, type DynamoDBClient} from '@aws-sdk/client-dynamodb';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {openConnector} from '../../connectors/index.js';
import {configFromObject} from '../../source/config/load.js';
import {type FullEngine, openEngine} from '../../source/engine/engine.js';
import {temporaryDirectory} from '../support/cli.js';
import {type DynamodbServer, dynamodbServers, makeTable, rawClient, scanTable} from '../support/dynamodb.js';

const check = 'kite/duplicates';
const table = 'guarded-at-once';

describe.each(dynamodbServers())('on $name', ({start}) => {
  let server: DynamodbServer;
  let client: DynamoDBClient;
  const engines: FullEngine[] = [];

  beforeAll(async () => {
    server = await start();
    client = rawClient(server.endpoint);
    const items = Array.from({length: 40}, (_, at) => ({id: {S: `s${at}`}, accountId: {S: `a${at}`}}));
    await makeTable(client, table, {id: 'S'}, items);
  });
  afterAll(async () => {
    await Promise.all(engines.map(engine => engine.close()));
    client?.destroy();
    await server?.stop();
  });

  /** An operator with a state directory of its own: nothing but the store is common to two of them. */
  const operator = async (): Promise<FullEngine> => {
    const checks = [{check: 'duplicates', table, groupBy: ['accountId'], latestBy: ['updatedAt']}];
    const store = {kind: 'dynamodb', region: 'eu-west-1', endpoint: server.endpoint, checks};
    const {config} = configFromObject({environment: 'test', stores: {kite: store}});
    const engine = openEngine(config, {
      stateDirectory: await temporaryDirectory(),
      open: openConnector,
      allowScan: true,
    });
    engines.push(engine);
    return engine;
  };
  const indexes = async (): Promise<(string | undefined)[]> => {
    const {Table} = await client.send(new DescribeTableCommand({TableName: table}));
    return (Table!.GlobalSecondaryIndexes ?? []).map(({IndexStatus}) => IndexStatus);
  };

  test('both end well, with one index that answers, and then with none', async () => {
    const operators = await Promise.all([operator(), operator()]);
    const both = async (direction: 'install' | 'uninstall') => {
      const plans = await Promise.all(
        operators.map(one => one.planGuards(check, direction, {guards: ['account-index']})),
      );
      expect(plans.map(({steps}) => steps.length > 0)).toEqual([true, true]);
      const results = await Promise.all(operators.map((one, at) => one.runGuards(plans[at]!)));
      expect(results.map(({error}) => error)).toEqual([undefined, undefined]);
      return results.map(({guards}) => guards.map(({state}) => state));
    };
    for (let round = 0; round < 2; round++) {
      expect(await both('install')).toEqual([['installed'], ['installed']]);
      expect(await indexes()).toEqual(['ACTIVE']);
      expect(await both('uninstall')).toEqual([['missing'], ['missing']]);
      expect(await indexes()).toEqual([]);
    }
    expect(await scanTable(client, table)).toHaveLength(40);
  });
});
