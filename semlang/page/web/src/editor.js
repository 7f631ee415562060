// The text: CodeMirror with the mode of the language, findings as squiggles with their fixes, words on hover.
import {closeBrackets, closeBracketsKeymap} from "@codemirror/autocomplete"
import {defaultKeymap, history, historyKeymap} from "@codemirror/commands"
import {HighlightStyle, StreamLanguage, bracketMatching, syntaxHighlighting} from "@codemirror/language"
import {lintGutter, lintKeymap, setDiagnostics} from "@codemirror/lint"
import {EditorState, RangeSetBuilder, StateEffect, StateField} from "@codemirror/state"
import {Decoration, EditorView, drawSelection, highlightActiveLine, hoverTooltip, keymap, lineNumbers} from "@codemirror/view"
import {tags} from "@lezer/highlight"
import {semlang} from "semlang-mode"
import {offsets} from "./offsets.js"

const colours = HighlightStyle.define([
  {tag: tags.keyword, class: "tok-keyword"},
  {tag: tags.comment, class: "tok-comment"},
  {tag: tags.number, class: "tok-number"},
  {tag: tags.string, class: "tok-string"},
  {tag: tags.typeName, class: "tok-type"},
  {tag: tags.labelName, class: "tok-label"},
  {tag: [tags.operator, tags.definitionOperator], class: "tok-operator"},
  {tag: tags.function(tags.variableName), class: "tok-type"},
])

const mark = StateEffect.define()
const marks = StateField.define({
  create: () => Decoration.none,
  update(kept, transaction) {
    for (const effect of transaction.effects) if (effect.is(mark)) kept = effect.value
    return kept.map(transaction.changes)
  },
  provide: field => EditorView.decorations.from(field),
})

export class Editor {
  // onChange(text), onPlace(point): the cursor moved to a code point
  constructor(parent, text, {onChange, onPlace}) {
    this.words = []
    this.offsets = offsets(text)
    const told = EditorView.updateListener.of(update => {
      if (update.docChanged) {
        this.offsets = offsets(this.text)
        onChange(this.text)
      } else if (update.selectionSet && update.view.hasFocus) onPlace(this.offsets.toPoints(update.state.selection.main.head))
    })
    const state = EditorState.create({
      doc: text,
      extensions: [
        lineNumbers(), history(), drawSelection(), highlightActiveLine(), bracketMatching(), closeBrackets(), lintGutter(),
        StreamLanguage.define(semlang), syntaxHighlighting(colours), marks, hoverTooltip((view, at) => this.hover(at)),
        keymap.of([...closeBracketsKeymap, ...lintKeymap, ...historyKeymap, ...defaultKeymap]),
        EditorView.lineWrapping, EditorView.contentAttributes.of({"aria-labelledby": "text-heading", spellcheck: "false"}), told,
      ],
    })
    this.view = new EditorView({state, parent})
  }

  get text() { return this.view.state.doc.toString() }

  set text(text) { this.view.dispatch({changes: {from: 0, to: this.view.state.doc.length, insert: text}}) }

  span(from, to) {
    const a = this.offsets.toUnits(from), b = this.offsets.toUnits(Math.max(from, to))
    return [a, Math.min(Math.max(b, a), this.view.state.doc.length)]
  }

  findings(findings) {
    const shown = findings.filter(f => f.from !== null).map(f => {
      const [from, to] = this.span(f.from, f.to)
      const message = [f.message, f.label && `(${f.label})`, ...f.help.map(h => "help: " + h)].filter(Boolean).join("\n")
      const actions = f.fix ? [{name: "Fix", apply: () => this.edit(f.fix)}] : []
      return {from, to, severity: f.severity === "note" ? "info" : f.severity, message, source: f.slug, actions}
    })
    this.view.dispatch(setDiagnostics(this.view.state, shown))
  }

  edit(edits) {
    const changes = edits.map(e => { const [from, to] = this.span(e.from, e.to); return {from, to, insert: e.text} })
    this.view.dispatch({changes, userEvent: "input.fix"})
    this.view.focus()
  }

  append(line) {
    const {doc} = this.view.state
    const before = doc.length && doc.line(doc.lines).length ? "\n" : ""
    this.view.dispatch({changes: {from: doc.length, insert: before + line + "\n"}, userEvent: "input.draw"})
  }

  mark(spans) {
    const builder = new RangeSetBuilder()
    const sorted = spans.map(([from, to]) => this.span(from, to)).filter(([a, b]) => b > a).sort((a, b) => a[0] - b[0] || a[1] - b[1])
    for (const [a, b] of sorted) builder.add(a, b, Decoration.mark({class: "marked"}))
    this.view.dispatch({effects: [mark.of(builder.finish()), ...(sorted.length ? [EditorView.scrollIntoView(sorted[0][0])] : [])]})
  }

  go(from) {
    const [at] = this.span(from, from)
    this.view.dispatch({selection: {anchor: at}, effects: EditorView.scrollIntoView(at)})
    this.view.focus()
  }

  hover(at) {
    const point = this.offsets.toPoints(at)
    const said = this.words.find(w => w.from !== null && w.from <= point && point <= w.to)
    if (!said) return null
    const [pos, end] = this.span(said.from, said.to)
    return {pos, end, above: true, create: () => {
      const dom = document.createElement("div")
      dom.className = "explained"
      dom.textContent = said.text
      return {dom}
    }}
  }
}
