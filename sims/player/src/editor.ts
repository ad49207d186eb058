/** The editor for a sim's Python. Loaded when the reader opens it. */

import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { python } from "@codemirror/lang-python";
import { bracketMatching, HighlightStyle, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { EditorState } from "@codemirror/state";
import { drawSelection, EditorView, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";

const look = EditorView.theme({
  "&": { backgroundColor: "var(--panel)", border: "1px solid var(--rule)", color: "var(--ink)", fontSize: "0.8125rem", borderRadius: "6px" },
  "&.cm-focused": { outline: "2px solid var(--accent)", outlineOffset: "1px" },
  ".cm-scroller": { fontFamily: "var(--font-code)", lineHeight: "1.55", maxHeight: "30rem" },
  ".cm-gutters": { backgroundColor: "transparent", color: "var(--ink-faint)", border: "0" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "var(--accent-wash)",
  },
  ".cm-matchingBracket": { backgroundColor: "var(--accent-wash)", outline: "1px solid var(--accent)" },
});

const colours = HighlightStyle.define([
  { tag: tags.keyword, color: "var(--uniformity)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--good)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--positive)" },
  { tag: tags.comment, color: "var(--ink-faint)", fontStyle: "italic" },
  { tag: [tags.definition(tags.variableName), tags.function(tags.variableName)], color: "var(--anchor)" },
  { tag: [tags.className, tags.meta], color: "var(--loss)" },
]);

/**
 * Put the editor into `box`.
 * @param run runs a version, or with null the book's own.
 */
export function openEditor(box: HTMLElement, text: string, run: (source: string | null) => Promise<void>): void {
  const state = EditorState.create({
    doc: text,
    extensions: [
      lineNumbers(),
      history(),
      drawSelection(),
      bracketMatching(),
      indentUnit.of("    "),
      python(),
      syntaxHighlighting(colours),
      look,
      EditorView.contentAttributes.of({ "aria-label": "The Python of this sim", tabindex: "0" }),
      // Tab stays what moves the focus on: an editor that swallows it traps who has no mouse.
      keymap.of([{ key: "Mod-Enter", run: () => (go(), true) }, ...defaultKeymap, ...historyKeymap]),
    ],
  });
  const head = document.createElement("div");
  head.className = "code-head";
  const hint = document.createElement("span");
  hint.textContent = "This file computes what you see. Change it and run it; nothing leaves this page.";
  const runButton = button("Run", "run-code", "solid");
  const resetButton = button("Reset", "reset-code", "quiet");
  head.append(hint, resetButton, runButton);
  box.replaceChildren(head);
  const view = new EditorView({ state, parent: box });
  const go = (): void => void work(runButton, () => run(view.state.doc.toString()));
  runButton.addEventListener("click", go);
  resetButton.addEventListener("click", () => {
    view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
    void work(resetButton, () => run(null));
  });
}

async function work(button: HTMLButtonElement, task: () => Promise<void>): Promise<void> {
  button.setAttribute("aria-busy", "true");
  try {
    await task();
  } finally {
    button.removeAttribute("aria-busy");
  }
}

function button(label: string, action: string, kind: string): HTMLButtonElement {
  const made = document.createElement("button");
  made.type = "button";
  made.className = kind;
  made.dataset["action"] = action;
  made.textContent = label;
  return made;
}
