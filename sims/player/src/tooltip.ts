/** The small card beside a hovered mark: its values, and a tile of one of the frame's images. */

import type { Hover } from "./chart";
import type { Frame, TooltipImage } from "./contract";
import { blank, context, type Images } from "./images";

export class Tooltip {
  frame: Frame | null = null;
  private card = document.createElement("div");
  private tile = blank(1, 1);
  private rows = document.createElement("dl");
  private turn = 0;

  constructor(
    private root: HTMLElement,
    private images: Images,
  ) {
    this.card.className = "tooltip";
    this.card.dataset["part"] = "tooltip";
    this.card.hidden = true;
    // The sentence under the picture says in words what matters; the card is for the pointer.
    this.card.setAttribute("aria-hidden", "true");
    this.card.append(this.tile, this.rows);
    root.append(this.card);
  }

  show(hover: Hover | null, image: TooltipImage | null): void {
    const turn = ++this.turn;
    const tile = hover && image ? hover.datum[image.column] : undefined;
    const hasTile = typeof tile === "number" && Number.isInteger(tile) && tile >= 0;
    if (!hover || (!hasTile && (hover.tooltip === undefined || hover.tooltip === null))) {
      this.card.hidden = true;
      return;
    }
    this.rows.replaceChildren(...entries(hover.tooltip));
    this.tile.hidden = !hasTile;
    if (hasTile) void this.draw(image as TooltipImage, tile, turn);
    this.card.hidden = false;
    this.place(hover.event);
  }

  private async draw(image: TooltipImage, index: number, turn: number): Promise<void> {
    const sheet = this.frame?.images[image.image];
    if (!sheet) return;
    const pixels = await this.images.get(sheet.sha).catch(() => null);
    if (!pixels || turn !== this.turn) return;
    const side = image.tile;
    const perRow = Math.max(1, Math.floor(pixels.width / side));
    this.tile.width = this.tile.height = side;
    const [x, y] = [(index % perRow) * side, Math.floor(index / perRow) * side];
    context(this.tile).drawImage(pixels, x, y, side, side, 0, 0, side, side);
  }

  private place(event: PointerEvent): void {
    const frame = this.root.getBoundingClientRect();
    const gap = 14;
    const x = event.clientX - frame.left + gap;
    const y = event.clientY - frame.top + gap;
    const flipX = x + this.card.offsetWidth > frame.width;
    const flipY = y + this.card.offsetHeight > frame.height;
    this.card.style.left = `${Math.max(0, flipX ? x - this.card.offsetWidth - 2 * gap : x)}px`;
    this.card.style.top = `${Math.max(0, flipY ? y - this.card.offsetHeight - 2 * gap : y)}px`;
  }
}

function entries(tooltip: unknown): HTMLElement[] {
  if (tooltip === undefined || tooltip === null) return [];
  if (typeof tooltip !== "object") return [row("", String(tooltip))].flat();
  return Object.entries(tooltip).flatMap(([label, value]) => row(label, String(value)));
}

function row(label: string, value: string): HTMLElement[] {
  const term = document.createElement("dt");
  const detail = document.createElement("dd");
  term.textContent = label;
  detail.textContent = value.replace(/^-(?=[\d.])/, "−");
  return [term, detail];
}
