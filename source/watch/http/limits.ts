/** What one client, or all of them together, may take of the HTTP server. */

export type Limits = {
  /** Of one address; a page, a scraper and a probe together need a tenth. */
  requestsAMinute: number;
  wrongTokensAMinute: number;
  lockedOutSeconds: number;
  connections: number;
  bodyBytes: number;
  headerBytes: number;
  urlCharacters: number;
  headersMs: number;
  requestMs: number;
  /** How often the two above are looked at. */
  lookMs: number;
  idleMs: number;
  /** How long an answer may take to be taken. */
  answerMs: number;
  /** How long a health report is good for everybody who asks. */
  healthMs: number;
  /** Dry runs for different customers at once, and how many may wait for that. */
  plans: number;
  waitingPlans: number;
  /** How long requests in hand are given when the server closes. */
  closeMs: number;
};

export const defaultLimits: Limits = {
  requestsAMinute: 600,
  wrongTokensAMinute: 10,
  lockedOutSeconds: 60,
  connections: 100,
  bodyBytes: 1024,
  headerBytes: 8192,
  urlCharacters: 2048,
  headersMs: 10_000,
  requestMs: 15_000,
  lookMs: 1000,
  idleMs: 5000,
  answerMs: 30_000,
  healthMs: 1000,
  plans: 2,
  waitingPlans: 20,
  closeMs: 10_000,
};
