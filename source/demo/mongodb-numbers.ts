import {isExactNumber, type Numeric, toNumber} from './mongodb-values.js';

/** Numbers by value, whatever their types; NaN comes before all others. */
export const compareNumbers = (a: Numeric, b: Numeric): number => {
  const [x, y] = [toNumber(a), toNumber(b)];
  if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(y)) - Number(Number.isNaN(x));
  if (x !== y || !Number.isFinite(x) || (isExactNumber(a) && isExactNumber(b)))
    return Number(x > y) - Number(x < y);
  const [m, n] = [decimal(a), decimal(b)];
  const exponent = Math.min(m.exponent, n.exponent);
  const scaled = ({digits, exponent: own}: Decimal) => digits * 10n ** BigInt(own - exponent);
  const [left, right] = [scaled(m), scaled(n)];
  return Number(left > right) - Number(left < right);
};

type Decimal = {digits: bigint; exponent: number};

/** A finite number's exact value as digits × 10^exponent, without trailing zeros. */
const decimal = (value: Numeric): Decimal => {
  const isDouble = typeof value === 'number' || (typeof value === 'object' && value._bsontype === 'Double');
  let {digits, exponent} = isDouble ? ofDouble(toNumber(value)) : ofText(value.toString());
  if (digits === 0n) return {digits, exponent: 0};
  while (digits % 10n === 0n) {
    digits /= 10n;
    exponent++;
  }
  return {digits, exponent};
};

const ofText = (number: string): Decimal => {
  const [mantissa = '0', exponent = '0'] = number.toUpperCase().split('E');
  const [whole = '0', fraction = ''] = mantissa.split('.');
  return {digits: BigInt(whole + fraction), exponent: Number(exponent) - fraction.length};
};

/** Every double has a finite decimal expansion: m × 2^-k is m × 5^k × 10^-k. */
const ofDouble = (number: number): Decimal => {
  let k = 0;
  let mantissa = number;
  while (!Number.isInteger(mantissa)) {
    mantissa *= 2;
    k++;
  }
  return {digits: BigInt(mantissa) * 5n ** BigInt(k), exponent: -k};
};

/** Text that two numbers share exactly when they are equal. */
export const numberKey = (value: Numeric): string => {
  const number = toNumber(value);
  if (!Number.isFinite(number) || isExactNumber(value)) return `n${number === 0 ? 0 : number}`;
  const {digits, exponent} = decimal(value);
  const nearest = decimal(number);
  return nearest.digits === digits && nearest.exponent === exponent ? `n${number}` : `N${digits}e${exponent}`;
};
