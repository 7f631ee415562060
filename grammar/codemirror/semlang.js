// CodeMirror 6 mode of the semlang language. Made by `python -m semlang.editors.generate`; do not edit.
//
//     import {StreamLanguage} from "@codemirror/language"
//     import {semlang} from "./semlang.js"
//     const extensions = [StreamLanguage.define(semlang)]

// [regular expression, the style of the match or of each of its groups, only at the beginning of a statement]
const rules = [
  [/^(?:([cC][lL][aA][sS][sS])([ \u0009\u000b\u000c\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff\u000d]*)((?:[\p{L}\p{Nl}\p{No}]|[.\uff0e](?![0-9]))[\p{L}\p{N}_.\uff0e\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0900-\u0dff\u0e31-\u0e4e\u1dc0-\u1dff]*)([ \u0009\u000b\u000c\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff\u000d]*)([:\uff1a])(?![ \u0009\u000b\u000c\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff\u000d]*[=\uff1d:\uff1a~\u02dc\u2053\u223c\u301c\uff5e]))/u, ["keyword", null, "variableName", null, "separator"], true],
  [/^(?:([dD][aA][tT][aA]|[cC][lL][uU][sS][tT][eE][rR]|[gG][rR][oO][uU][pP][sS]|[wW][eE][iI][gG][hH][tT][sS]|[fF][rR][eE][qQ][uU][eE][nN][cC][yY]|[rR][eE][sS][hH][aA][pP][eE]|[oO][pP][tT][iI][oO][nN][sS]|[lL][aA][yY][oO][uU][tT]|[iI][nN][cC][lL][uU][dD][eE]|[gG][rR][oO][uU][pP]|[lL][eE][vV][eE][lL]|[cC][lL][aA][sS][sS]|[bB][lL][oO][cC][kK])([ \u0009\u000b\u000c\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff\u000d]*)([:\uff1a])(?![ \u0009\u000b\u000c\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff\u000d]*[=\uff1d:\uff1a~\u02dc\u2053\u223c\u301c\uff5e]))/u, ["keyword", null, "separator"], true],
  [/^(?:[ \u0009\u000b\u000c\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff\u000d]+)/u, [null], false],
  [/^(?:[#\uff03!\uff01][^\n]*)/u, ["comment"], false],
  [/^(?:[\p{L}\p{N}_.\uff0e]*(?:[{\uff5b][^{\uff5b}\uff5d\n]*[}\uff5d][\p{L}\p{N}_.\uff0e]*)+)/u, ["variableName.special"], false],
  [/^(?:(?:[0-9]+[.\uff0e]?[0-9]*|[.\uff0e][0-9]+)(?:[eE][+\uff0b\-\u2010-\u2015\u2212\ufe63\uff0d]?[0-9]+)?(?![\p{L}\p{N}_.\uff0e]))/u, ["number"], false],
  [/^(?:NA(?![\p{L}\p{N}_.\uff0e\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0900-\u0dff\u0e31-\u0e4e\u1dc0-\u1dff]))/u, ["atom"], false],
  [/^(?:(?:[\p{L}\p{Nl}\p{No}]|[.\uff0e](?![0-9]))[\p{L}\p{N}_.\uff0e\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0900-\u0dff\u0e31-\u0e4e\u1dc0-\u1dff]*(?=[(\uff08]))/u, ["variableName.function"], false],
  [/^(?:(?:c|start|equal|label|fixed|lower|upper|rv|efa|prior|rep)(?=[ \u0009\u000b\u000c\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff\u000d]+[(\uff08]))/u, ["variableName.function"], false],
  [/^(?:(?:[\p{L}\p{Nl}\p{No}]|[.\uff0e](?![0-9]))[\p{L}\p{N}_.\uff0e\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0900-\u0dff\u0e31-\u0e4e\u1dc0-\u1dff]*(?=[ \u0009\u000b\u000c\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff\u000d]*[*\u00b7\u00d7\u2217\u22c5\uff0a?\uff1f]))/u, ["labelName"], false],
  [/^(?:(?:[\p{L}\p{Nl}\p{No}]|[.\uff0e](?![0-9]))[\p{L}\p{N}_.\uff0e\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0900-\u0dff\u0e31-\u0e4e\u1dc0-\u1dff]*)/u, ["variableName"], false],
  [/^(?:[\p{L}\p{N}_.\uff0e][\p{L}\p{N}_.\uff0e\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0900-\u0dff\u0e31-\u0e4e\u1dc0-\u1dff]*)/u, ["invalid"], false],
  [/^(?:([:\uff1a][:\uff1a])([ \u0009\u000b\u000c\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff\u000d]*)((?:[\p{L}\p{Nl}\p{No}]|[.\uff0e](?![0-9]))[\p{L}\p{N}_.\uff0e\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0900-\u0dff\u0e31-\u0e4e\u1dc0-\u1dff]*))/u, ["definitionOperator", null, "typeName"], false],
  [/^(?:[:\uff1a][:\uff1a]|[=\uff1d][~\u02dc\u2053\u223c\u301c\uff5e]|[~\u02dc\u2053\u223c\u301c\uff5e][*\u00b7\u00d7\u2217\u22c5\uff0a][~\u02dc\u2053\u223c\u301c\uff5e]|[~\u02dc\u2053\u223c\u301c\uff5e][~\u02dc\u2053\u223c\u301c\uff5e]|[<\uff1c][~\u02dc\u2053\u223c\u301c\uff5e]|[|\uff5c][~\u02dc\u2053\u223c\u301c\uff5e]|[~\u02dc\u2053\u223c\u301c\uff5e]|[:\uff1a][=\uff1d]|[:\uff1a][~\u02dc\u2053\u223c\u301c\uff5e]|[=\uff1d][=\uff1d]|[<\uff1c][=\uff1d]|[>\uff1e][=\uff1d]|[<\uff1c]|[>\uff1e])/u, ["definitionOperator"], false],
  [/^(?:["\u201c\u201d\u201e\u201f\u00ab\u00bb\uff02][^\n"\u201c\u201d\u201e\u201f\u00ab\u00bb\uff02]*["\u201c\u201d\u201e\u201f\u00ab\u00bb\uff02]|['\u2018\u2019\u201a\u201b\uff07][^\n'\u2018\u2019\u201a\u201b\uff07]*['\u2018\u2019\u201a\u201b\uff07])/u, ["string"], false],
  [/^(?:[`\uff40][^`\uff40\n]+[`\uff40])/u, ["variableName.special"], false],
  [/^(?:[|\uff5c][|\uff5c]|[\-\u2010-\u2015\u2212\ufe63\uff0d+\uff0b*\u00b7\u00d7\u2217\u22c5\uff0a\/\uff0f?\uff1f\^\uff3e:\uff1a@\uff20|\uff5c=\uff1d])/u, ["operator"], false],
  [/^(?:[(\uff08)\uff09\[\uff3b\]\uff3d])/u, ["bracket"], false],
  [/^(?:[;\uff1b,\uff0c])/u, ["separator"], false],
  [/^(?:["\u201c\u201d\u201e\u201f\u00ab\u00bb\uff02'\u2018\u2019\u201a\u201b\uff07`\uff40][^\n]*)/u, ["invalid"], false],
  [/^(?:[^\n \u0009\u000b\u000c\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff\u000d])/u, ["invalid"], false],
]

const semicolon = /^[;\uff1b]$/u

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
