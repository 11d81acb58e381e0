/** The people whose sessions the demo holds. The five systems share them, as the applications share customers. */
import {Random} from './random.js';

const firstNames = (
  'Anna Bruno Chiara Daniel Elif Farid Greta Hugo Ines Jonas Katarzyna Liam Marta Nikhil Olivia Pablo Quentin Rosa ' +
  'Sven Tomasz Ulla Viktor Wendy Xavier Yara Zoë Åsa Béla Carmen Dmitri Emeka Fiona Giulia Hana Ibrahim José Kofi ' +
  'Leila Mateo Noor Oskar Priya Rafael Saskia Teresa Umar Vera Yusuf'
).split(' ');
const lastNames = (
  'Berg Costa Dubois Eriksen Fischer García Haddad Ivanova Jensen Kowalski Lind Moreau Novák Okafor Petrov Quist ' +
  'Rossi Silva Tanaka Ueda Vargas Weber Xu Yilmaz Zimmer Andersson Bianchi Choudhury Díaz Eze Ferreira Grau Horváth ' +
  'Iyer Janssen Kaya Laurent Mendes Nguyen Owusu Papadakis Reyes Schmidt Torres Ulrich Vidal Wójcik Young'
).split(' ');
const domains = ['example.com', 'example.org', 'example.net'];

export type Person = {
  name: string;
  /** Lower-case, plain ASCII. */
  email: string;
  accountId: string;
  customerId: string;
  ip: string;
};

/** `ł` has no decomposition, so it would be lost instead of becoming `l`. */
const plain = (text: string): string =>
  text.normalize('NFD').replaceAll(/\p{M}/gu, '').replaceAll('ł', 'l').toLowerCase();

/** The person with this number, from 0; each number is someone else, with an email of their own. */
export const person = (seed: number, number: number): Person => {
  const names = firstNames.length * lastNames.length;
  // A stride without a common factor with the number of names visits each name once before any comes again.
  const place = (number * 1009 + Math.abs(Math.trunc(seed)) * 37) % names;
  const first = firstNames[place % firstNames.length]!;
  const last = lastNames[Math.floor(place / firstNames.length)]!;
  const again = Math.floor(number / names);
  const random = new Random(seed, 'person', number);
  const domain = random.pick(domains);
  return {
    name: `${first} ${last}`,
    email: `${plain(first)}.${plain(last)}${again > 0 ? again + 1 : ''}@${domain}`,
    accountId: `acc-${100_000 + number * 7 + random.int(0, 6)}`,
    customerId: `customer-${number + 1}`,
    ip: `${random.pick(['192.0.2', '198.51.100', '203.0.113'])}.${random.int(1, 254)}`,
  };
};

const devices = [
  {
    model: 'iPhone 15',
    os: 'iOS 18.6',
    agent: 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15',
  },
  {
    model: 'iPad Air',
    os: 'iPadOS 17.7',
    agent: 'Mozilla/5.0 (iPad; CPU OS 17_7 like Mac OS X) AppleWebKit/605.1.15',
  },
  {
    model: 'Pixel 9',
    os: 'Android 16',
    agent: 'Mozilla/5.0 (Linux; Android 16; Pixel 9) AppleWebKit/537.36 Chrome/141.0.0.0',
  },
  {
    model: 'Galaxy S24',
    os: 'Android 15',
    agent: 'Mozilla/5.0 (Linux; Android 15; SM-S921B) AppleWebKit/537.36 Chrome/140.0.0.0',
  },
  {
    model: 'MacBook Air',
    os: 'macOS 15.6',
    agent: 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.6',
  },
  {
    model: 'ThinkPad T14',
    os: 'Windows 11',
    agent: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:143.0) Gecko/20100101 Firefox/143.0',
  },
  {
    model: 'Chromebook',
    os: 'ChromeOS 140',
    agent: 'Mozilla/5.0 (X11; CrOS x86_64 16328.55.0) AppleWebKit/537.36 Chrome/140.0.0.0',
  },
] as const;

export const device = (random: Random): (typeof devices)[number] => random.pick(devices);
