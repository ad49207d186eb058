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

/** Whether two tables hold the same values; NaN equals NaN here. */
export function equalTables(a: Record<string, Column> | undefined, b: Record<string, Column>): boolean {
  if (!a) return false;
  if (a === b) return true;
  const names = Object.keys(b);
  if (names.length !== Object.keys(a).length) return false;
  return names.every((name) => a[name] !== undefined && equalColumns(a[name], b[name] as Column));
}

function equalColumns(a: Column, b: Column): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) return false;
  return true;
}
