import type {Socket} from 'node:net';
import type {Backend} from './postgres-backend.js';
import {
  bodyOf,
  closeStatement,
  errorResponse,
  type Message,
  message,
  query,
  ready,
  split,
  statusIn,
  sync,
  tagsIn,
} from './postgres-messages.js';
import {type Session, type Sessions, waitLimit} from './postgres-sessions.js';
import type {NoTurn, Turns} from './postgres-turns.js';

/** After these the client waits for an answer; what comes before them is sent together with them. */
const ENDS_A_BATCH = new Set(['Q', 'S', 'H', 'F', 'd', 'c', 'f']);

/** One client after its start-up: takes a turn for each request or transaction and keeps its names apart. */
export class Connection {
  readonly #statements = new Set<string>();
  #pending = Promise.resolve();
  #batch: Message[] = [];
  #rest: Buffer = Buffer.alloc(0);
  #status = 'I';
  #hasTurn = false;
  #skipsToSync = false;
  #isGone = false;
  #mayHaveSet = false;

  constructor(
    readonly id: number,
    readonly session: Session,
    private readonly socket: Socket,
    private readonly backend: Backend,
    private readonly sessions: Sessions,
    private readonly turns: Turns,
  ) {}

  /** Takes what came from the client. */
  receive(chunk: Buffer): void {
    const {messages, rest} = split(Buffer.concat([this.#rest, chunk]));
    this.#rest = rest;
    for (const received of messages) {
      if (received.type === 'X') {
        this.socket.end();
        return;
      }
      this.#batch.push(this.#named(received));
      if (!ENDS_A_BATCH.has(received.type)) continue;
      const batch = this.#batch;
      this.#batch = [];
      this.#then(() => this.#run(batch));
    }
  }

  /** Gives up waiting for a turn; a request that is under way can't be stopped. */
  cancel(): void {
    this.turns.leave(this, 'cancelled');
  }

  /** Ends whatever the client left open. */
  leave(): void {
    this.#isGone = true;
    this.turns.leave(this, 'gone');
    this.#then(() => this.#cleanUp());
  }

  #then(work: () => Promise<void>): void {
    this.#pending = this.#pending.then(work).catch(() => {
      this.socket.destroy();
    });
  }

  async #run(batch: Message[]): Promise<void> {
    if (this.#isGone) return;
    if (this.#skipsToSync) {
      this.#skipTo(batch);
      return;
    }
    if (!this.#hasTurn) {
      const {limitMs, byLock} = waitLimit(this.session);
      const outcome = await this.turns.take(this, limitMs);
      if (outcome !== 'granted') {
        this.#refuse(batch, outcome, byLock);
        return;
      }
      this.#hasTurn = true;
      await this.sessions.enter(this.session);
    }
    const reply = await this.backend.execute(batch);
    if (!this.#isGone) this.socket.write(reply);
    const {messages} = split(reply);
    const status = statusIn(messages);
    const changes = tagsIn(messages).some(tag => /^(SET|RESET|DISCARD)/.test(tag));
    this.#mayHaveSet ||= changes || batch.some(sent => sent.bytes.includes('set_config'));
    if (status) this.#status = status;
    if (status !== 'I' || this.#isGone) return;
    if (this.#mayHaveSet) await this.sessions.remember(this.session);
    this.#mayHaveSet = false;
    this.#passTurn();
  }

  #passTurn(): void {
    this.#hasTurn = false;
    this.turns.pass();
  }

  #refuse(batch: Message[], why: NoTurn, byLock: boolean): void {
    if (why === 'gone') return;
    const [code, text] =
      why === 'cancelled'
        ? ['57014', 'canceling statement due to user request']
        : byLock
          ? ['55P03', 'canceling statement due to lock timeout']
          : ['57014', 'canceling statement due to statement timeout'];
    this.socket.write(errorResponse('ERROR', code!, text!).bytes);
    this.#skipsToSync = batch.at(-1)!.type !== 'Q';
    if (this.#skipsToSync) this.#skipTo(batch);
    else this.socket.write(ready().bytes);
  }

  #skipTo(batch: Message[]): void {
    if (batch.at(-1)!.type !== 'S') return;
    this.#skipsToSync = false;
    this.socket.write(ready().bytes);
  }

  async #cleanUp(): Promise<void> {
    if (!this.#hasTurn && this.#statements.size === 0) return;
    if (!this.#hasTurn) await this.turns.take(this, 0);
    const closing = [...this.#statements].map(closeStatement);
    const leaving = this.#status === 'I' ? [sync()] : [sync(), query('rollback')];
    try {
      await this.backend.execute([...leaving, ...closing, sync()]);
      this.sessions.forget();
    } finally {
      this.#passTurn();
    }
  }

  /** A client's named statements get names that are its own among all clients. */
  #named(received: Message): Message {
    const body = bodyOf(received);
    if (received.type === 'P') return this.#renamed('P', Buffer.alloc(0), body);
    if (received.type === 'B') {
      const portalEnd = body.indexOf(0) + 1;
      return this.#renamed('B', body.subarray(0, portalEnd), body.subarray(portalEnd));
    }
    const describesStatement = (received.type === 'D' || received.type === 'C') && body[0] === 0x53;
    return describesStatement
      ? this.#renamed(received.type, body.subarray(0, 1), body.subarray(1))
      : received;
  }

  #renamed(type: string, before: Buffer, body: Buffer): Message {
    const end = body.indexOf(0);
    const name = body.toString('utf8', 0, end);
    if (name === '') return message(type, before, body);
    const own = `${name}@${this.id}`;
    if (type === 'P') this.#statements.add(own);
    if (type === 'C') this.#statements.delete(own);
    return message(type, before, own, body.subarray(end + 1));
  }
}
