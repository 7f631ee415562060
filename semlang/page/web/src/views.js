// The views beside the diagram: verdict, matrices, equations, words, table, fit; a tab each.
import katex from "katex"

const make = (name, attributes = {}, ...children) => {
  const element = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "class") element.className = value
    else if (key.startsWith("on")) element.addEventListener(key.slice(2), value)
    else if (value !== undefined && value !== null) element.setAttribute(key, value)
  }
  element.append(...children.filter(c => c !== null && c !== undefined))
  return element
}

const NAMES = {verdict: "Identification", matrices: "Matrices", equations: "Equations", words: "In words", table: "Table", sliders: "Sliders", compare: "Compare", fit: "Fit"}
const number = value => value === null || value === undefined ? "" : Math.abs(value) >= 1e5 || (value !== 0 && Math.abs(value) < 1e-3) ? value.toExponential(3) : value.toFixed(4)

export class Views {
  // page: text() returns the text, compare() asks how the kept text and this one stand to each other
  constructor(tabs, panels, onSelect, page) {
    this.onSelect = onSelect
    this.page = page
    this.kept = null
    this.panels = {}
    this.drawn = {}
    this.cells = []
    this.answer = null
    for (const [key, name] of Object.entries(NAMES)) {
      const tab = make("button", {role: "tab", id: `tab-${key}`, type: "button", "aria-controls": `view-${key}`, onclick: () => this.open(key), onkeydown: e => this.step(e, key)}, name)
      const panel = make("div", {role: "tabpanel", id: `view-${key}`, tabindex: "0", "aria-labelledby": `tab-${key}`})
      tabs.append(tab)
      panels.append(panel)
      this.panels[key] = {tab, panel}
    }
    this.open("verdict")
  }

  step(event, key) {
    const keys = Object.keys(NAMES)
    const move = {ArrowRight: 1, ArrowLeft: -1}[event.key]
    if (!move) return
    const next = keys[(keys.indexOf(key) + move + keys.length) % keys.length]
    this.open(next)
    this.panels[next].tab.focus()
  }

  open(key) {
    this.shown = key
    for (const [name, {tab, panel}] of Object.entries(this.panels)) {
      tab.setAttribute("aria-selected", String(name === key))
      tab.tabIndex = name === key ? 0 : -1
      panel.hidden = name !== key
    }
    this.draw(key)
  }

  show(answer) {
    this.answer = answer
    this.cells = []
    for (const key of Object.keys(NAMES)) if (key !== "fit" && key !== "compare") this.drawn[key] = false
    this.draw(this.shown)
  }

  // a view is made when it is looked at: equations take time
  draw(key) {
    if (!this.answer || key === "fit" || this.drawn[key]) return
    this.drawn[key] = true
    if (key === "sliders") return this.page.sliders()
    const missing = make("p", {class: "missing"}, "There is none: the findings say why.")
    const parts = this[key](this.answer)
    this.panels[key].panel.replaceChildren(...(parts ?? [missing]))
    this.mark(this.marked ?? new Set())
  }

  verdict({identification: found, table}) {
    if (!found) return null
    const rows = new Map(table.rows.map(r => [r.id, r]))
    const out = [make("p", {class: "verdict", "data-verdict": found.verdict}, found.only_if.length && found.verdict === "identified" ? "identified only if " + found.only_if.join(" and ") : found.verdict), make("p", {}, found.why)]
    const counted = `${found.n_free} free parameters, rank ${found.rank}` + (found.df === null ? "" : `, ${found.n_moments} moments, ${found.df} degrees of freedom`)
    out.push(make("p", {}, counted))
    if (found.sets.length) {
      out.push(make("h3", {}, "These move together, and the data can not tell"))
      out.push(make("ul", {class: "sets"}, ...found.set_ids.map((ids, k) => make("li", {"data-set": k % 6}, make("button", {type: "button", onclick: () => this.onSelect(ids)}, found.sets[k].map(t => t.filter(Boolean).join(" ")).join(", ")), make("span", {}, found.directions[k] ? ": " + found.directions[k] : "")))))
    }
    if (found.repairs.length) out.push(make("h3", {}, "Any of these makes it identified (verified)"), make("ul", {}, ...found.repairs.map(r => make("li", {}, make("code", {}, r.text)))))
    if (found.verdict === "identified" && found.rules.length) {
      const line = r => make("tr", {}, make("td", {}, r.parameter.filter(Boolean).join(" ")), make("td", {}, r.rule), make("td", {}, r.latex ? math(r.latex, false) : r.formula))
      const head = make("thead", {}, make("tr", {}, ...["parameter", "settled by", "formula"].map(t => make("th", {scope: "col"}, t))))
      out.push(make("h3", {}, "Why"), make("div", {class: "wide", tabindex: "0", role: "region", "aria-label": "Rules"}, make("table", {}, head, make("tbody", {}, ...found.rules.map(line)))))
    }
    for (const n of found.notes) out.push(make("p", {class: "note"}, n))
    return out
  }

  matrices({matrices, table}) {
    if (!matrices) return null
    return matrices.flatMap((group, g) => [
      ...(matrices.length > 1 ? [make("h3", {}, `Group ${table.groups[g] || g + 1}`)] : []),
      make("p", {class: "heading"}, ...group.heading.flatMap((line, k) => k ? [make("br"), line] : [line])),
      ...group.matrices.map(m => make("div", {class: "wide", tabindex: "0", role: "region", "aria-label": m.symbol}, this.matrix(m))),
    ])
  }

  matrix(m) {
    const cell = (text, i, j) => {
      const ids = m.ids[i][j]
      const td = make("td", {class: text === "0" ? "zero" : ""}, ids.length ? make("button", {type: "button", onclick: () => this.onSelect(ids)}, text) : text)
      if (ids.length) this.cells.push({element: td, ids})
      return td
    }
    const head = m.columns.some(Boolean) ? [make("thead", {}, make("tr", {}, make("td"), ...m.columns.map(c => make("th", {scope: "col"}, c))))] : []
    const body = m.rows.map((name, i) => make("tr", {}, make("th", {scope: "row"}, name), ...m.cells[i].map((text, j) => cell(text, i, j))))
    return make("table", {class: "matrix"}, make("caption", {}, m.symbol), ...head, make("tbody", {}, ...body))
  }

  equations({equations, marked_equations: marked, table}) {
    if (!equations) return null
    return equations.flatMap((latex, g) => [
      ...(equations.length > 1 ? [make("h3", {}, `Group ${table.groups[g] || g + 1}`)] : []),
      make("div", {class: "wide equation", tabindex: "0", role: "region", "aria-label": "Equations"}, math(latex, true)),
      ...(marked?.[g] ? [make("h3", {}, "Matrices written out"), make("div", {class: "wide equation", tabindex: "0", role: "region", "aria-label": "Equations with matrices"}, this.terms(math(marked[g], true)))] : []),
      make("details", {}, make("summary", {}, "LaTeX"), make("pre", {tabindex: "0"}, latex)),
    ])
  }

  // terms of equations know their rows
  terms(formula) {
    for (const element of formula.querySelectorAll("[data-ids]")) {
      const ids = element.dataset.ids.split(" ").map(Number)
      element.addEventListener("click", () => this.onSelect(ids))
      this.cells.push({element, ids})
    }
    return formula
  }

  words({words}) {
    return words && [make("ul", {class: "words"}, ...words.map(w => make("li", {}, w.text)))]
  }

  table({table}) {
    if (!table) return null
    const names = ["id", "lhs", "op", "rhs", "group", "level", "class", "free", "ustart", "label", "rule"].filter(n => ["id", "lhs", "op", "rhs", "free"].includes(n) || table.rows.some(r => r[n] !== table.rows[0][n]))
    const line = r => {
      const tr = make("tr", {onclick: () => this.onSelect([r.id])}, ...names.map(n => make("td", {}, n === "id" ? make("button", {type: "button", "aria-label": `row ${r.id}`}, String(r.id)) : String(r[n] ?? ""))))
      this.cells.push({element: tr, ids: [r.id]})
      return tr
    }
    const head = make("thead", {}, make("tr", {}, ...names.map(n => make("th", {scope: "col"}, n))))
    return [make("div", {class: "wide", tabindex: "0", role: "region", "aria-label": "Parameter table"}, make("table", {class: "rows"}, head, make("tbody", {}, ...table.rows.map(line))))]
  }

  compare() {
    const keep = make("button", {type: "button", onclick: () => {
      this.kept = this.page.text()
      this.panels.compare.panel.replaceChildren(...this.compare())
      this.page.compare()
    }}, this.kept === null ? "Keep this model as a, then change the text" : "Keep this model as a instead")
    this.relation = make("div", {role: "status"})
    if (this.kept === null) return [make("p", {}, "Two models can say the same of all data (equivalent), or one can be a special case of the other (nested)."), keep]
    return [this.relation, make("h3", {}, "a"), make("pre", {tabindex: "0"}, this.kept), make("p", {}, "b is the model beside."), keep]
  }

  compared({relation, why}) {
    if (!this.relation) return
    this.relation.replaceChildren(make("p", {class: "relation"}, relation ?? "no answer"), make("p", {}, why ?? ""))
  }

  fitted(answer) {
    const {panel} = this.panels.fit
    const said = (answer.findings ?? []).map(f => make("li", {class: f.severity}, `${f.severity}: ${f.message}`, ...f.help.map(h => make("div", {class: "help"}, h))))
    const parts = said.length ? [make("ul", {class: "said"}, ...said)] : []
    const fit = answer.fit
    if (fit) {
      const facts = [["Log-likelihood", number(fit.loglik)], ["Free parameters", fit.n_free], ["Rows", fit.n_rows], ["AIC, BIC", `${number(fit.information?.aic)}, ${number(fit.information?.bic)}`], ["Method", fit.method], ["Converged", fit.converged ? "yes" : "NO"]]
      parts.push(make("dl", {}, ...facts.flatMap(([k, v]) => [make("dt", {}, k), make("dd", {}, String(v ?? ""))])))
      const names = ["parameter", "estimate", "std. error", "z"]
      const line = p => {
        const tr = make("tr", {onclick: () => p.ids && this.onSelect(p.ids)}, make("th", {scope: "row"}, p.name ?? [p.lhs, p.op, p.rhs].join(" ").trim()), make("td", {}, number(p.est)), make("td", {}, p.se ? number(p.se) : p.free ? "" : "fixed"), make("td", {}, p.se ? (p.est / p.se).toFixed(2) : ""))
        return tr
      }
      const head = make("thead", {}, make("tr", {}, ...names.map(n => make("th", {scope: "col"}, n))))
      parts.push(make("div", {class: "wide", tabindex: "0", role: "region", "aria-label": "Estimates"}, make("table", {class: "rows"}, head, make("tbody", {}, ...fit.parameters.map(line), ...(fit.defined ?? []).map(line)))))
    }
    panel.replaceChildren(...parts)
    this.open("fit")
  }

  mark(ids) {
    this.marked = ids
    for (const {element, ids: own} of this.cells) element.classList.toggle("marked", own.some(i => ids.has(i)))
  }
}

function math(latex, display) {
  const span = make("span", {class: "math"})
  katex.render(latex, span, {displayMode: display, throwOnError: false, strict: "ignore", trust: context => context.command === "\\htmlData", maxExpand: 1000})
  return span
}
