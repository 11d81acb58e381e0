/** When a dialog that can write begins to take input (safety.md, S13). */

/** How long it is on the screen, without any input, before that. */
const ARM_MS = 150;
/** Longer than it takes a terminal to repeat a key that is held down (250 to 660 ms by default, wherever one looks). */
const RELEASE_MS = 700;

export type Arming = {
  /** The dialog was opened: waits for its first frame, then for the moment; `released`: until a held key is let go. */
  begin(options?: {released?: boolean}): void;
  /** Input came and was dropped: the moment begins anew, so that neither a held key nor a paste gets into it. */
  hold(): void;
};

/** `afterPaint` calls back once the next frame is on the terminal. */
export const createArming = (afterPaint: (listener: () => void) => void, armed: () => void): Arming => {
  let isPainted = false;
  let pause = ARM_MS;
  let quiet: NodeJS.Timeout | undefined;
  let ready: NodeJS.Immediate | undefined;
  const wait = (): void => {
    clearTimeout(quiet);
    clearImmediate(ready);
    quiet = setTimeout(() => {
      // What lies unread by then is read first, and dropped.
      ready = setImmediate(armed);
    }, pause);
  };
  return {
    begin({released = false} = {}) {
      pause = released ? RELEASE_MS : ARM_MS;
      isPainted = false;
      clearTimeout(quiet);
      clearImmediate(ready);
      afterPaint(() => {
        isPainted = true;
        wait();
      });
    },
    hold() {
      if (isPainted) wait();
    },
  };
};
