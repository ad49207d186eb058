/**
 * How wide Vega takes a text to be. Vega measures every text at its own size, and a point cloud whose
 * digits shrink with depth has hundreds of sizes a frame; widths scale with size, so one measurement does.
 */

import { textMetrics } from "vega-scenegraph";
import { blank, context } from "./images";

interface TextItem {
  font?: string;
  fontSize?: number;
  fontStyle?: string;
  fontWeight?: string | number;
  limit?: number;
}

const REFERENCE = 100;
const KEPT = 5000;
const widths = new Map<string, number>();
const pen = context(blank(1, 1));

textMetrics.width = (item: TextItem, text: unknown): number => {
  const line = text === null || text === undefined ? "" : String(text).trim();
  const size = item.fontSize ?? 11;
  if (line === "" || size <= 0) return 0;
  const width = (measured(item, line) * size) / REFERENCE;
  return item.limit !== undefined && item.limit > 0 ? Math.min(width, item.limit) : width;
};

function measured(item: TextItem, line: string): number {
  const face = `${item.fontStyle ?? ""} ${item.fontWeight ?? ""} ${REFERENCE}px ${item.font ?? "sans-serif"}`.trim();
  const key = `${face}|${line}`;
  let width = widths.get(key);
  if (width === undefined) {
    if (widths.size >= KEPT) widths.clear();
    pen.font = face;
    widths.set(key, (width = pen.measureText(line).width));
  }
  return width;
}
