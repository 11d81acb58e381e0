/** JSON that is safe on a terminal and loses nothing. */

/** What JSON.stringify leaves bare, and a terminal would act on or hide (see sanitise.ts). */
const bare =
  /[\p{Control}\p{Format}\p{Line_Separator}\p{Paragraph_Separator}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]/gu;

const escapeUnits = (character: string): string =>
  Array.from(
    {length: character.length},
    (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`,
  ).join('');

/** One line of JSON, equal to JSON.stringify's when read back; invisible characters are `\u` escapes. */
export const jsonLine = (value: unknown): string =>
  (JSON.stringify(value) ?? 'null').replace(bare, escapeUnits);

/** A whole JSON document for standard output: one line, ended. */
export const toJsonText = (value: unknown): string => `${jsonLine(value)}\n`;
