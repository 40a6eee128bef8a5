// The editor: CodeMirror for Python, in the colours of the page.

import { indentWithTab } from "@codemirror/commands";
import { python } from "@codemirror/lang-python";
import { HighlightStyle, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { EditorView, keymap } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { basicSetup } from "codemirror";

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.definitionKeyword, tags.bool, tags.null], color: "var(--keyword)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--string)" },
  { tag: tags.number, color: "var(--number)" },
  { tag: tags.comment, color: "var(--comment)", fontStyle: "italic" },
  { tag: [tags.function(tags.definition(tags.variableName)), tags.definition(tags.className)], color: "var(--name)" },
]);

const theme = EditorView.theme({
  "&": { fontSize: "14px" },
  "&.cm-focused": { outline: "3px solid var(--first)" },
  ".cm-scroller": { fontFamily: "ui-monospace, Consolas, monospace", lineHeight: "1.5" },
  ".cm-content": { caretColor: "var(--ink)" },
  ".cm-cursor, .cm-dropCursor": { borderLeftColor: "var(--ink)" },
  ".cm-gutters": { backgroundColor: "var(--soft)", color: "var(--grey)", borderRight: "1px solid var(--line)" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "color-mix(in srgb, var(--first) 10%, transparent)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "color-mix(in srgb, var(--first) 35%, transparent)",
  },
  ".cm-tooltip, .cm-panels": { backgroundColor: "var(--soft)", color: "var(--ink)", border: "1px solid var(--line)" },
});

/** Return an editor in an element; `run` is called by Ctrl-Enter, and `changed` with each new text. */
export function createEditor(parent, run, changed) {
  const runs = { key: "Mod-Enter", preventDefault: true, run: () => (run(), true) };
  const view = new EditorView({
    parent,
    extensions: [
      keymap.of([runs, { key: "Shift-Enter", run: runs.run }]),
      basicSetup,
      keymap.of([indentWithTab]),
      python(),
      indentUnit.of("    "),
      syntaxHighlighting(colours),
      theme,
      EditorView.lineWrapping,
      EditorView.contentAttributes.of({ "aria-label": "Python code" }),
      EditorView.updateListener.of((update) => update.docChanged && changed(view.state.doc.toString())),
    ],
  });
  return {
    get text() {
      return view.state.doc.toString();
    },
    set text(text) {
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
    },
  };
}
