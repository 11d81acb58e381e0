// The fault suite's table: one line for each requirement, fault and server.

/** The requirements of safety that the suite promises to prove: each must have a record in a whole run. */
export const promised = Array.from({length: 20}, (_, index) => `S${index + 1}`);

const numberOf = requirement => Number(/\d+/.exec(requirement)?.[0] ?? 0);

/** Records of equal requirement, fault and server as one: rounds and violations summed, notes side by side. */
export const summed = records => {
  const lines = new Map();
  for (const {requirement, fault, server, rounds, violations, note} of records) {
    const key = JSON.stringify([requirement, fault, server]);
    const line = lines.get(key) ?? {requirement, fault, server, rounds: 0, violations: 0, notes: new Set()};
    line.rounds += rounds;
    line.violations += violations;
    if (note) line.notes.add(note);
    lines.set(key, line);
  }
  return [...lines.values()].sort(
    (a, b) =>
      numberOf(a.requirement) - numberOf(b.requirement) ||
      a.fault.localeCompare(b.fault) ||
      a.server.localeCompare(b.server),
  );
};

/** Plain text in aligned columns. */
export const table = lines => {
  const rows = [
    ['', 'FAULT', 'SERVER', 'ROUNDS', 'VIOLATIONS', 'NOTE'],
    ...lines.map(({requirement, fault, server, rounds, violations, notes}) => [
      requirement,
      fault,
      server,
      String(rounds),
      String(violations),
      [...notes].join('; '),
    ]),
  ];
  const widths = rows[0].map((_, column) => Math.max(...rows.map(row => row[column].length)));
  const isNumber = column => column === 3 || column === 4;
  return rows
    .map(row =>
      row
        .map((cell, column) =>
          isNumber(column) ? cell.padStart(widths[column]) : cell.padEnd(widths[column]),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
};

/** The requirements that no record is about. */
export const unproven = records => {
  const seen = new Set(records.flatMap(({requirement}) => requirement.match(/S\d+/g) ?? []));
  return promised.filter(requirement => !seen.has(requirement));
};
