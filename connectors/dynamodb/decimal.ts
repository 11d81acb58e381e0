/**
 * DynamoDB's numbers: decimals of up to 38 digits, which a JavaScript number can't always hold. The store
 * normalises their text (`1.10` → `1.1`), and servers differ in how they spell very large and small ones.
 */

const decimalPattern = /^\s*([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?\s*$/;

type Decimal = {sign: '' | '-'; digits: string; exponent: number};

/** A decimal without leading and trailing zeros; null for text that is no number. */
export const parseDecimal = (text: string): Decimal | null => {
  const match = decimalPattern.exec(text);
  if (!match || (match[2] === '' && match[3] === '')) return null;
  const [, sign, whole = '', fraction = '', power = '0'] = match;
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  const trimmed = digits.replace(/0+$/, '');
  if (trimmed === '') return {sign: '', digits: '0', exponent: 0};
  const exponent = Number(power) - fraction.length + (digits.length - trimmed.length);
  return {sign: sign === '-' ? '-' : '', digits: trimmed, exponent};
};

/** The limits of the N type: 38 significant digits, magnitude from 1e-130 to below 1e126. */
export const isStorable = ({digits, exponent}: Decimal): boolean => {
  if (digits === '0') return true;
  const magnitude = digits.length + exponent - 1;
  return digits.length <= 38 && magnitude >= -130 && magnitude <= 125;
};

/** One text for all spellings of a number, so that equal numbers have equal texts. */
export const canonicalDecimal = (text: string): string => {
  const decimal = parseDecimal(text);
  return decimal ? `${decimal.sign}${decimal.digits}e${decimal.exponent}` : text;
};

/** A decimal in plain digits, as DynamoDB gives it back. */
export const plainDecimal = (text: string): string => {
  const decimal = parseDecimal(text);
  if (!decimal) return text;
  const {sign, digits, exponent} = decimal;
  if (exponent >= 0) return `${sign}${digits}${'0'.repeat(exponent)}`;
  const point = digits.length + exponent;
  const plain =
    point > 0 ? `${digits.slice(0, point)}.${digits.slice(point)}` : `0.${'0'.repeat(-point)}${digits}`;
  return `${sign}${plain}`;
};
