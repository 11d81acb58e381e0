/** Zones that mean the same to JavaScript and to the stores are taken, and nothing else. */
import {expect, test} from 'vitest';
import {configFromObject} from '../../source/config/load.js';
import type {SesstuiError} from '../../source/errors.js';

const withZone = (timeZone: string) =>
  configFromObject({
    stores: {
      gym: {kind: 'postgres', url: 'postgres://localhost/gym', checks: [{check: 'stale-sessions', timeZone}]},
    },
  });

test.each(['UTC', 'Europe/Paris', 'America/Argentina/Buenos_Aires', 'Etc/GMT+5', 'US/Eastern'])(
  '%s',
  zone => {
    expect(withZone(zone).config.stores.gym!.checks[0]!.timeZone).toBe(zone);
  },
);

// India to JavaScript and Israel to PostgreSQL; Dhaka and London; east and west; with daylight saving and without.
test.each(['IST', 'BST', '+05:30', 'CST', 'EST', 'SystemV/EST5', 'Europe/Atlantis', 'local', ''])(
  'not %s',
  zone => {
    try {
      withZone(zone);
      expect.fail('it was taken');
    } catch (error) {
      expect((error as SesstuiError).code).toBe('config');
      expect((error as SesstuiError).message).toContain('is not a time zone like UTC or Europe/Paris');
    }
  },
);
