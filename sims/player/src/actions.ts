/** The quiet buttons under the sim: copy link, copy embed code, full screen. */

import type { Address } from "./address";

export interface ActionContext {
  address: Address;
  query: () => string;
  say: (text: string) => void;
}

export function bindActions(root: HTMLElement, { address, query, say }: ActionContext): void {
  const button = (action: string): HTMLButtonElement | null => root.querySelector(`[data-action="${action}"]`);
  button("copy-link")?.addEventListener("click", () => {
    void copy(root, address.link(query()), "Link copied: it opens this sim in exactly this state.", say);
  });
  button("copy-embed")?.addEventListener("click", () => {
    root.querySelector(".copy-by-hand")?.remove();
    const height = Math.ceil(root.getBoundingClientRect().height);
    void copy(root, address.embedCode(query(), height), "Embed code copied: paste it into any page.", say);
  });
  const full = button("fullscreen");
  if (!full) return;
  if (!document.fullscreenEnabled) full.textContent = "Open alone";
  full.addEventListener("click", () => {
    if (!document.fullscreenEnabled) window.open(address.link(query()), "_blank", "noopener");
    else if (document.fullscreenElement) void document.exitFullscreen();
    else document.documentElement.requestFullscreen().catch(() => say("This page does not allow full screen."));
  });
  document.addEventListener("fullscreenchange", () => {
    full.textContent = document.fullscreenElement ? "Leave full screen" : "Full screen";
  });
}

async function copy(root: HTMLElement, text: string, success: string, say: (text: string) => void): Promise<void> {
  root.querySelector(".copy-by-hand")?.remove();
  if (mayWrite()) {
    try {
      await navigator.clipboard.writeText(text);
      return say(success);
    } catch {
      // Denied by the reader or the browser: the older way may still work.
    }
  }
  const field = byHand(root, text);
  // Deprecated, and the one way that works in a frame of another site.
  if (document.execCommand("copy")) {
    field.remove();
    return say(success);
  }
  say("The browser did not allow copying; the text is selected, copy it from the field.");
}

/** Asking in vain would leave an error in the console of every page that embeds a sim. */
function mayWrite(): boolean {
  if (!navigator.clipboard) return false;
  const { featurePolicy } = document as { featurePolicy?: { allowsFeature(name: string): boolean } };
  return featurePolicy?.allowsFeature("clipboard-write") ?? true;
}

/** Show the text, selected. */
function byHand(root: HTMLElement, text: string): HTMLTextAreaElement {
  const field = document.createElement("textarea");
  field.className = "copy-by-hand";
  field.readOnly = true;
  field.rows = 3;
  field.value = text;
  field.setAttribute("aria-label", "Text to copy");
  root.querySelector(".sim-actions")?.after(field);
  field.focus();
  field.select();
  return field;
}
