/** The images of frames, by hash: pixels from the worker, or files of the build. */

export class Images {
  private ready = new Map<string, Promise<HTMLCanvasElement>>();

  constructor(private files: Record<string, string>) {}

  /** Keep raw RGB pixels that the worker sent. */
  put(sha: string, width: number, height: number, rgb: Uint8Array): void {
    const rgba = new Uint8ClampedArray(width * height * 4).fill(255);
    for (let from = 0, to = 0; from < rgb.length; from += 3, to += 4) {
      rgba[to] = rgb[from] as number;
      rgba[to + 1] = rgb[from + 1] as number;
      rgba[to + 2] = rgb[from + 2] as number;
    }
    const canvas = blank(width, height);
    context(canvas).putImageData(new ImageData(rgba, width, height), 0, 0);
    this.ready.set(sha, Promise.resolve(canvas));
  }

  get(sha: string): Promise<HTMLCanvasElement> {
    let found = this.ready.get(sha);
    if (!found) {
      found = this.load(sha);
      found.catch(() => this.ready.delete(sha));
      this.ready.set(sha, found);
    }
    return found;
  }

  private async load(sha: string): Promise<HTMLCanvasElement> {
    const file = this.files[sha];
    if (file === undefined) throw new Error(`no image ${sha}`);
    const image = new Image();
    image.src = file;
    await image.decode();
    const canvas = blank(image.naturalWidth, image.naturalHeight);
    context(canvas).drawImage(image, 0, 0);
    return canvas;
  }
}

export function blank(width: number, height: number): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  return canvas;
}

export function context(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const found = canvas.getContext("2d");
  if (!found) throw new Error("this browser gives no 2-D canvas");
  return found;
}
