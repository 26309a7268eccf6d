/** Plain tables for people. Pure. Columns are aligned by display width; control characters are escaped. */
import { stripVTControlCharacters } from 'node:util';
import { escapeControls } from '../base/log-line.ts';

export type Cell = string | number | bigint | boolean | null | undefined;

export function formatTable(rows: readonly Readonly<Record<string, Cell>>[]): string {
  const names = Object.keys(rows[0] ?? {});
  const lines = [names, ...rows.map((row) => names.map((name) => toText(row[name])))];
  const widths = names.map((_, column) => Math.max(...lines.map((line) => displayWidth(line[column] ?? ''))));
  const isNumber = names.map((name) => rows.every((row) => typeof row[name] === 'number' || row[name] === null));
  return lines
    .map((line) =>
      line
        .map((cell, column) => pad(cell, widths[column] ?? 0, isNumber[column] === true))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function toText(cell: Cell): string {
  return cell === null || cell === undefined ? '-' : escapeControls(stripVTControlCharacters(String(cell)));
}

function pad(text: string, width: number, isNumber: boolean): string {
  const space = ' '.repeat(Math.max(0, width - displayWidth(text)));
  return isNumber ? space + text : text + space;
}

/** East Asian wide characters and emoji take two columns, combining marks none. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) {
    if (/\p{Mark}|\u200d/u.test(character)) continue;
    width +=
      /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u.test(
        character,
      )
        ? 2
        : 1;
  }
  return width;
}
