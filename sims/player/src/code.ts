/** The button that opens the sim's Python in an editor; the editor itself is fetched only then. */

export interface CodeHost {
  source(): Promise<string>;
  /** Run the reader's version, or with null the book's own. */
  runSource(source: string | null): Promise<void>;
}

export function bindCode(root: HTMLElement, host: CodeHost, say: (text: string) => void): void {
  const button = root.querySelector<HTMLButtonElement>('[data-action="code"]');
  const box = root.querySelector<HTMLElement>('[data-part="code"]');
  if (!button || !box) return;
  let opening: Promise<void> | null = null;
  let attempts = 0;
  const open = async (): Promise<void> => {
    const again = attempts++ === 0 ? "" : `?again=${attempts}`;
    const address = new URL(`editor.js${again}`, import.meta.url).href;
    const [editor, text] = await Promise.all([import(address) as Promise<typeof import("./editor")>, host.source()]);
    editor.openEditor(box, text, (source) => host.runSource(source));
  };
  button.addEventListener("click", async () => {
    try {
      await (opening ??= open());
    } catch {
      opening = null;
      say("The editor could not be fetched; try again.");
      return;
    }
    box.hidden = !box.hidden;
    button.setAttribute("aria-expanded", String(!box.hidden));
  });
}
