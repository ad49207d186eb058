/** Frames in their two wire forms, made ready to draw. */

import type { Buffer, Cell, Column, Frame, WireColumn, WireFrame } from "./contract";
import type { Images } from "./images";

/** A frame of the build: columns inline, or shared entries of `columns`. */
export function fromBuild(wire: WireFrame, columns: Cell[][] = []): Frame {
  return place(wire, (index) => columns[index]);
}

/** A frame from the worker: numeric columns in `buffers`, and the pixels it had not sent before. */
export function fromWorker(meta: string, buffers: Buffer[], images: Images): Frame {
  const wire = JSON.parse(meta) as WireFrame;
  for (const { sha, width, height, $: index } of Object.values(wire.images)) {
    if (index !== undefined) images.put(sha, width, height, buffers[index] as Uint8Array);
  }
  return place(wire, (index) => buffers[index]);
}

function place(wire: WireFrame, column: (index: number) => Column | undefined): Frame {
  const resolve = (c: WireColumn): Column => {
    if (Array.isArray(c)) return c;
    const found = column(c.$);
    if (!found) throw new Error(`the frame refers to column ${c.$}, which is not there`);
    return found;
  };
  const tables: Frame["tables"] = {};
  for (const [name, table] of Object.entries(wire.tables)) {
    tables[name] = Object.fromEntries(Object.entries(table).map(([c, values]) => [c, resolve(values)]));
  }
  return { tables, readouts: wire.readouts, images: wire.images, alt: wire.alt };
}

/** A table as the rows that Vega takes. */
export function rowsOf(table: Record<string, Column>): Record<string, Cell>[] {
  const names = Object.keys(table);
  const length = names.length > 0 ? (table[names[0] as string] as Column).length : 0;
  const rows: Record<string, Cell>[] = new Array(length);
  for (let i = 0; i < length; i++) {
    const row: Record<string, Cell> = {};
    for (const name of names) row[name] = (table[name] as Column)[i] as Cell;
    rows[i] = row;
  }
  return rows;
}

/**
 * The names of the columns of `b` that differ from those of `a`, NaN being equal to NaN; null where the
 * tables have other columns or another number of rows.
 */
export function changedColumns(a: Record<string, Column> | undefined, b: Record<string, Column>): string[] | null {
  if (!a) return null;
  if (a === b) return [];
  const names = Object.keys(b);
  const alike = (name: string): boolean => a[name]?.length === (b[name] as Column).length;
  if (names.length !== Object.keys(a).length || !names.every(alike)) return null;
  return names.filter((name) => !equalColumns(a[name] as Column, b[name] as Column));
}

function equalColumns(a: Column, b: Column): boolean {
  if (a === b) return true;
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) return false;
  return true;
}
