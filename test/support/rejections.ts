/** What a call that has to fail rejects with. */
import {expect} from 'vitest';
import {SesstuiError} from '../../source/errors.js';

const thrownBy = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => new Error('it was answered'),
    (thrown: unknown) => thrown,
  );

/** The error that it rejects with; fails the test where it was answered, or threw anything else. */
export const faultOf = async (promise: Promise<unknown>): Promise<SesstuiError> => {
  const thrown = await thrownBy(promise);
  expect(thrown).toBeInstanceOf(SesstuiError);
  return thrown as SesstuiError;
};

/** The code of that error; anything else as a text that is no code. */
export const codeOf = async (promise: Promise<unknown>): Promise<string> => {
  const thrown = await thrownBy(promise);
  return thrown instanceof SesstuiError ? thrown.code : String(thrown);
};
