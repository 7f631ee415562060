"""The CodeMirror 6 mode: a stream parser in one file of plain JavaScript, without a build step."""

from __future__ import annotations

import json
import re

from semlang.editors.tokens import UNICODE, Rule, rules, sign

STYLES = {
    "space": None,
    "comment": "comment",
    "string": "string",
    "quoted": "variableName.special",
    "range": "variableName.special",
    "number": "number",
    "constant": "atom",
    "key": "keyword",
    "function": "variableName.function",
    "kind": "typeName",
    "label": "labelName",
    "name": "variableName",
    "operator": "definitionOperator",
    "sign": "operator",
    "bracket": "bracket",
    "separator": "separator",
    "invalid": "invalid",
}
"""CodeMirror's highlighting tag of each class."""

_FILE = """\
// CodeMirror 6 mode of the semlang language. Made by `python -m semlang.editors.generate`; do not edit.
//
//     import {StreamLanguage} from "@codemirror/language"
//     import {semlang} from "./semlang.js"
//     const extensions = [StreamLanguage.define(semlang)]

// [regular expression, the style of the match or of each of its groups, only at the beginning of a statement]
const rules = [
@RULES@
]

const semicolon = /^@SEMICOLON@$/u

export const semlang = {
  name: "semlang",
  startState: () => ({start: true, pending: []}),
  copyState: (state) => ({start: state.start, pending: state.pending.slice()}),
  languageData: {
    commentTokens: {line: "#"},
    closeBrackets: {brackets: ["(", "[", "{", '"', "`"]},
    wordChars: ".",
  },
  token(stream, state) {
    if (stream.sol()) { state.start = true; state.pending = [] }
    if (!state.pending.length) {
      for (const [pattern, styles, start] of rules) {
        if (start && !state.start) continue
        const match = stream.match(pattern, false)
        if (!match) continue
        const parts = styles.length > 1 ? match.slice(1) : [match[0]]
        state.pending = parts.map((text, i) => [text.length, styles[i]]).filter(([length]) => length > 0)
        if (semicolon.test(match[0])) state.start = true
        else if (match[0].trim()) state.start = false
        break
      }
    }
    if (!state.pending.length) { stream.next(); return "invalid" }
    const [length, style] = state.pending.shift()
    stream.pos += length
    return style
  },
}
"""


def codemirror_text() -> str:
    """Return the text of the mode's file."""
    lines = [f"  {_rule(rule)}," for rule in rules(UNICODE)]
    return _FILE.replace("@RULES@", "\n".join(lines)).replace("@SEMICOLON@", _ascii(sign(";")))


def _rule(rule: Rule) -> str:
    styles = json.dumps([STYLES[c] for c in rule.classes])
    pattern = re.sub(r"(?<!\\)/", r"\/", rule.pattern)
    return f"[/^(?:{_ascii(pattern)})/u, {styles}, {'true' if rule.start else 'false'}]"


def _ascii(text: str) -> str:
    """Return a pattern with escapes for everything that is not ASCII, and for control characters."""
    return "".join(c if " " <= c <= "~" else f"\\u{ord(c):04x}" for c in text)
