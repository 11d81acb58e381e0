/** Is the service limiting the rate? Its own answers say so: there is nothing to ask. */
import type {Client} from './client.js';

/** Words when answers since the last question were that the rate is limited, else null. Sends nothing. */
export const openStrain = (client: Pick<Client, 'seen'>): (() => Promise<string | null>) => {
  let before = client.seen.throttled;
  return async () => {
    const times = client.seen.throttled - before;
    before = client.seen.throttled;
    if (times === 0) return null;
    return `DynamoDB limited the rate ${times === 1 ? 'once' : `${times} times`} since it was last looked at`;
  };
};
