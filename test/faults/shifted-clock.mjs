// Preloaded into a process: its clock is wrong by SESSTUI_TEST_SHIFT_MS milliseconds, for everything that asks Date.
const shift = Number(process.env.SESSTUI_TEST_SHIFT_MS);
const Real = Date;

class Shifted extends Real {
  constructor(...given) {
    if (given.length === 0) super(Real.now() + shift);
    else super(...given);
  }
  static now() {
    return Real.now() + shift;
  }
}

globalThis.Date = Shifted;
