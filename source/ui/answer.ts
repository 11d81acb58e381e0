/** How a promise becomes a message to the state machine. */
import type {Message} from '../state/messages.js';

export type Tell = (message: Message) => void;

/** Tells what a promise comes to, or the error that it ends with. */
export const answer = <T>(
  tell: Tell,
  promise: Promise<T>,
  good: (value: T) => Message,
  bad: (thrown: unknown) => Message,
): void => {
  promise.then(
    value => tell(good(value)),
    thrown => tell(bad(thrown)),
  );
};
