/** Vega's parts ship without types of their own; those of `vega` fit. */

declare module "vega-view" {
  export { View } from "vega";
}
declare module "vega-parser" {
  export { parse } from "vega";
}
declare module "vega-dataflow" {
  export { transforms } from "vega";
  import type { Changeset } from "vega";
  export function changeset(): Changeset & { reflow(): Changeset };
}
declare module "vega-transforms";
declare module "vega-view-transforms";
declare module "vega-encode";
declare module "vega-regression";
declare module "vega-scenegraph" {
  export class CanvasRenderer {
    _el: HTMLElement;
    _canvas: HTMLCanvasElement;
    _width: number;
    _height: number;
    _redraw: boolean;
    _origin: [number, number];
    initialize(el: HTMLElement, width: number, height: number, origin: [number, number], scale?: number): this;
    resize(width: number, height: number, origin: [number, number], scale?: number): this;
    render(scene: unknown): this;
  }
  export class CanvasHandler {}
  export const textMetrics: { width: (item: never, text: unknown) => number };
  export function renderModule(name: string, module: object): unknown;
}
declare module "vega-interpreter" {
  export const expressionInterpreter: object;
}
