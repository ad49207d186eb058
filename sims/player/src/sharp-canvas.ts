/** Vega's canvas at the device's resolution times the zoom of the panel, so that scaled charts stay crisp. */

import { CanvasHandler, CanvasRenderer, renderModule } from "vega-scenegraph";

const renderers = new WeakMap<HTMLElement, SharpRenderer>();

class SharpRenderer extends CanvasRenderer {
  override initialize(el: HTMLElement, width: number, height: number, origin: [number, number], scale?: number): this {
    renderers.set(el, this);
    return super.initialize(el, width, height, origin, scale);
  }

  override resize(width: number, height: number, origin: [number, number], scale?: number): this {
    super.resize(width, height, origin, scale);
    const zoom = Number(this._canvas.parentElement?.dataset["zoom"] ?? 1);
    const ratio = (window.devicePixelRatio || 1) * zoom;
    this._canvas.width = Math.round(width * ratio);
    this._canvas.height = Math.round(height * ratio);
    const context = this._canvas.getContext("2d") as CanvasRenderingContext2D & { pixelRatio: number };
    context.pixelRatio = ratio;
    context.setTransform(ratio, 0, 0, ratio, ratio * origin[0], ratio * origin[1]);
    return this;
  }

  /** Draw all: where Vega draws only what has changed, thin lines end a little darker at each redrawing. */
  override render(scene: unknown): this {
    this._redraw = true;
    return super.render(scene);
  }
}

renderModule("sharp-canvas", { renderer: SharpRenderer, handler: CanvasHandler });

/** Draw the canvas in `host` again after its zoom changed. */
export function sharpen(host: HTMLElement, scene: unknown): void {
  const renderer = renderers.get(host);
  if (!renderer) return;
  renderer.resize(renderer._width, renderer._height, renderer._origin);
  renderer.render(scene);
}
