/**
 * The table of every view: ink-table's, which builds the frame, the heading and each row; ours are the widths of
 * the columns, the row under the cursor, and that only rows on the screen are given to it. Its element shape is
 * relied on (a box of header, heading, rows and footer; version 3.1.0), and test/views/table.test.tsx shows it.
 */
import {Box} from 'ink';
import {isValidElement, type ReactElement, type ReactNode} from 'react';
import {clip, pad, sanitise} from '../source/sanitise.js';
import {Table} from './ink-table.js';
import {RawLine} from './lines.js';
import {paint, type Style} from './paint.js';

export type Cell = {text: string; style?: Style};
export type TableColumn = {id: string; title: string; width: number; align?: 'left' | 'right'};
/** `style` is for the whole row, and then its cells have none of their own. */
export type TableRow = {id: string; cells: Record<string, Cell>; style?: Style};

export type DataTableProps = {
  columns: readonly TableColumn[];
  rows: readonly TableRow[];
  color: boolean;
};

/** Columns between the text of two neighbours: a space, the line, a space. */
const PADDING = 1;

/** The width of a table on the screen. */
export const tableWidth = (columns: readonly {width: number}[]): number =>
  columns.reduce((sum, column) => sum + column.width + 2 * PADDING, 0) + columns.length + 1;

/** Finished cells by column. */
type Cells = Record<string, string>;

/**
 * What ink-table is given for a row: its place on the screen only. It hashes whatever it is given at every render,
 * and this is soon hashed; the cells are put in where the row is built.
 */
type Place = {place: string};

type OurProps = {
  data: Place[];
  columns: string[];
  padding: number;
  cells: Cells[];
  spec: readonly TableColumn[];
  styles: Style[];
  color: boolean;
};

/** The text that an element of ink-table would show: all of its strings, in order. */
const textOf = (node: ReactNode): string => {
  if (typeof node === 'string' || typeof node === 'number') return String(node);
  if (Array.isArray(node)) return node.map(textOf).join('');
  return isValidElement<{children?: ReactNode}>(node) ? textOf(node.props.children) : '';
};

const childrenOf = (node: ReactNode): ReactNode[] =>
  isValidElement<{children?: ReactNode[]}>(node) && Array.isArray(node.props.children)
    ? node.props.children
    : [];

class SessionTable extends Table<Cells> {
  declare props: OurProps;

  constructor(props: OurProps) {
    super(props);
    const build = this.data;
    this.data = ({key, columns, data}) => {
      const cells = this.props.cells[Number(data.place)] ?? {};
      // ink-table fills a cell by its length; ours are filled already, by what they take up on the screen.
      const own = columns.map(column => ({
        ...column,
        width: (cells[column.column] ?? '').length + 2 * PADDING,
      }));
      return build({key, columns: own, data: cells});
    };
    this.separator = () => <Box />;
  }

  override getColumns(): {key: string; column: string; width: number}[] {
    return this.props.spec.map(({id, width}) => ({key: id, column: id, width: width + 2 * PADDING}));
  }

  override getHeadings(): Cells {
    return Object.fromEntries(
      this.props.spec.map(({id, title, width, align}) => [id, pad(sanitise(title), width, align)]),
    );
  }

  override render(): ReactElement {
    const {color, styles, spec} = this.props;
    const [header, heading, rows, footer] = childrenOf(super.render());
    const width = tableWidth(spec);
    const lines = [
      paint(textOf(header), 'dim', color),
      paint(textOf(heading), 'bold', color),
      ...[rows]
        .flat()
        .map((row, index) => paint(textOf(childrenOf(row as ReactNode)[1]), styles[index]!, color)),
      paint(textOf(footer), 'dim', color),
    ];
    return (
      <Box flexDirection="column" flexShrink={0}>
        {lines.map((text, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a line of the window has no identity but its place
          <RawLine key={index} text={text} width={width} />
        ))}
      </Box>
    );
  }
}

/** A table of the rows given, as many lines high as there are rows and three. Every cell is sanitised here. */
export const DataTable = ({columns, rows, color}: DataTableProps): ReactElement => {
  const cells = rows.map(row =>
    Object.fromEntries(
      columns.map(({id, width, align}) => {
        const cell = row.cells[id] ?? {text: ''};
        const text = pad(sanitise(clip(cell.text)), width, align);
        return [id, row.style ? text : paint(text, cell.style ?? 'plain', color)];
      }),
    ),
  );
  return (
    <SessionTable
      data={rows.map((_, place) => ({place: String(place)}))}
      cells={cells}
      columns={columns.map(column => column.id)}
      padding={PADDING}
      spec={columns}
      styles={rows.map(row => row.style ?? 'plain')}
      color={color}
    />
  );
};
