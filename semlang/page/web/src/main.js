// The page: the text, and beside it, live, what it means.
import "katex/dist/katex.min.css"
import "../style.css"
import {Diagram} from "./diagram.js"
import {Editor} from "./editor.js"
import {Lessons} from "./lessons.js"
import {packed, unpacked} from "./link.js"
import {Sliders} from "./sliders.js"
import {transport} from "./transport.js"
import {Views} from "./views.js"

const $ = id => document.getElementById(id)
const FIRST = "# Type a model: who is measured by what, what depends on what\nvisual  =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed   =~ x7 + x8 + x9\nspeed ~ visual + textual\n"
const SLOW = 8000 // milliseconds: where a diagram took longer, the next one is drawn when it is wanted
const WAIT = 120 // milliseconds after the last key
const page = {answer: null, data: null, answers: 0, ms: null, text: null, said: [], drawing: 0} // what tests look at, too
window.semlang = page
const status = words => {
  $("status").textContent = words
  page.said.push([Math.round(performance.now()), words])
}

// ------------------------------------------------------------------ what is chosen

function select(ids) {
  const chosen = new Set(ids)
  page.selected = chosen
  diagram.mark(chosen)
  views.mark(chosen)
  const rows = (page.answer?.table?.rows ?? []).filter(r => chosen.has(r.id) && r.from !== null)
  editor.mark(current() ? rows.map(r => [r.from, r.to]) : [])
}

function place(point) {
  if (!page.answer?.table || !current()) return
  const near = page.answer.table.rows.filter(r => r.from !== null && r.from <= point && point <= r.to)
  const short = Math.min(...near.map(r => r.to - r.from))
  const ids = new Set(near.filter(r => r.to - r.from === short).map(r => r.id))
  page.selected = ids
  diagram.mark(ids)
  views.mark(ids)
}

const current = () => page.answer && (page.text === null || page.text === editor.text)

// ------------------------------------------------------------------ answers

const views = new Views($("tabs"), $("views"), select, {text: () => editor.text, compare, sliders: () => sliders.refresh()})
const sliders = new Sliders(views.panels.sliders.panel, values => send({what: "implied", text: editor.text, data: page.data?.key ?? null, values}).catch(() => null))

const diagram = new Diagram($("diagram"), select, line => editor.append(line), move)
let timer = null
const {transport: kind} = document.documentElement.dataset
const served = kind === "server", framed = kind === "frame"
const hash = framed ? "" : location.hash.slice(1)
const opened = hash ? await unpacked(hash) : null
const editor = new Editor($("text"), opened ?? FIRST, {
  onPlace: place,
  onChange: text => {
    clearTimeout(timer)
    timer = setTimeout(() => ask(text), WAIT)
    if (framed) parent.postMessage({kind: "text", text}, "*")
    else packed(text).then(letters => { if (text === editor.text) history.replaceState(null, "", "#" + letters) })
  },
})
page.editor = editor
if (!served && !framed) await keep()
const send = transport(status)

async function ask(text) {
  const begun = performance.now()
  let answer
  try {
    answer = await send({what: "analyse", text, data: page.data?.key ?? null, drawn: false})
  } catch (problem) {
    status("no answer: " + problem.message)
    return
  }
  if (!answer || text !== editor.text) return // out of date: the next one is on its way
  page.ms = Math.round(performance.now() - begun)
  page.answer = answer
  page.text = null
  editor.findings(answer.findings)
  editor.words = answer.words ?? []
  list(answer)
  $("right").classList.toggle("stale", !answer.table)
  if (answer.table) views.show(answer)
  const counts = ["error", "warning", "note"].map(s => [answer.findings.filter(f => f.severity === s).length, s]).filter(([n]) => n)
  status(counts.map(([n, s]) => `${n} ${s}${n > 1 ? "s" : ""}`).join(", ") || "no findings")
  $("fit").disabled = !answer.ok || !page.data
  if (answer.table && !await draw(text)) return
  await compare()
  if (text !== editor.text) return
  page.text = text
  page.answers += 1
}

// the diagram takes as long as all the rest: findings do not wait for it
async function draw(text, wanted = false) {
  if (page.drawing > SLOW && !wanted) {
    const button = Object.assign(document.createElement("button"), {type: "button", textContent: "Draw it"})
    button.addEventListener("click", () => draw(editor.text, true))
    $("diagram").replaceChildren(`The last diagram took ${Math.round(page.drawing / 1000)} seconds. `, button)
    return true
  }
  const begun = performance.now()
  const answer = await send({what: "draw", text, data: page.data?.key ?? null}).catch(() => ({diagram: null}))
  if (!answer || text !== editor.text) return false
  page.drawing = performance.now() - begun
  page.answer.diagram = answer.diagram
  diagram.show(answer.diagram)
  diagram.sets(page.answer.identification?.set_ids ?? [])
  if (!answer.diagram) $("diagram").textContent = "There is no diagram: the model is too large for one that could be read."
  return true
}

// a node that was dragged: its place becomes a part of the text
async function move(key, x, y) {
  const text = editor.text
  const answer = await send({what: "move", text, key, x, y}).catch(problem => status(problem.message))
  if (answer && text === editor.text) editor.edit(answer.edits)
}

async function compare() {
  const a = views.kept
  if (a === null) return
  const answer = await send({what: "compare", a, b: editor.text}).catch(problem => ({relation: null, why: problem.message}))
  if (answer) views.compared(answer)
}

function list(answer) {
  const items = answer.findings.map(f => {
    const item = document.createElement("li")
    item.className = f.severity
    const head = document.createElement(f.from === null ? "span" : "button")
    if (f.from !== null) {
      head.type = "button"
      head.addEventListener("click", () => editor.go(f.from))
    }
    head.textContent = `${f.severity}: ${f.message}`
    item.append(head)
    for (const [kind, texts] of [["label", f.label && f.from !== null ? [f.label] : []], ["note", f.notes], ["help", f.help]])
      for (const text of texts) item.append(Object.assign(document.createElement("div"), {className: kind, textContent: text}))
    if (f.fix) {
      const fix = Object.assign(document.createElement("button"), {type: "button", className: "fix", textContent: "Fix"})
      fix.addEventListener("click", () => editor.edit(f.fix))
      item.append(fix)
    }
    return item
  })
  for (const f of answer.failed) items.push(Object.assign(document.createElement("li"), {className: "error", textContent: `semlang failed at the ${f.view}: please report it (${f.problem})`}))
  if (!items.length) items.push(Object.assign(document.createElement("li"), {className: "none", textContent: "none"}))
  $("findings").replaceChildren(...items)
}

// ------------------------------------------------------------------ data and fits

async function data(name, csv) {
  try {
    page.data = await send({what: "data", name, csv})
  } catch (problem) {
    status(problem.message)
    return
  }
  const {n_rows, columns, findings} = page.data
  $("close").hidden = false
  const wrong = findings.find(f => f.severity === "error")
  if (wrong) page.data = null
  $("data-name").textContent = wrong ? `${name}: ${wrong.message}` : `${name}: ${n_rows} rows, ${columns.length} columns`
  await ask(editor.text)
}

$("file").addEventListener("change", async event => {
  const [file] = event.target.files
  if (file) await data(file.name, await file.text())
  event.target.value = ""
})
$("close").addEventListener("click", () => {
  page.data = null
  $("data-name").textContent = "no data"
  $("close").hidden = true
  ask(editor.text)
})
$("open").addEventListener("click", () => $("file").click())

$("fit").addEventListener("click", async () => {
  $("fit").disabled = true
  status("fitting …")
  try {
    const answer = await send({what: "fit", text: editor.text, data: page.data.key})
    if (!answer) return
    page.fit = answer
    views.fitted(answer)
    if (answer.fit) {
      sliders.set(Object.fromEntries(answer.fit.parameters.filter(p => p.free).map(p => [p.name, p.est])))
      views.drawn.sliders = false
    }
    if (answer.diagram && current()) diagram.show(answer.diagram)
    status(answer.fit ? (answer.fit.converged ? "fitted" : "NOT converged") : "not fitted")
  } catch (problem) {
    status("not fitted: " + problem.message)
  }
  $("fit").disabled = !page.answer?.ok || !page.data
})

// ------------------------------------------------------------------ gallery, link, colours

const known = served || framed ? await send({what: "session"}).catch(problem => { status(problem.message); return null }) : null
const gallery = known?.gallery ?? await fetch("gallery.json").then(r => r.ok ? r.json() : [])
page.gallery = gallery
const terms = known?.lessons ?? await fetch("lessons.json").then(r => r.ok ? r.json() : [])
new Lessons(terms, $("lessons"), $("lesson"), {text: () => editor.text, send, show: text => {
  page.data = null
  $("data-name").textContent = "no data"
  $("close").hidden = true
  $("about").textContent = ""
  editor.text = text
}})
const topics = Map.groupBy ? Map.groupBy(gallery, m => m.topic) : gallery.reduce((t, m) => t.set(m.topic, [...(t.get(m.topic) ?? []), m]), new Map())
for (const [topic, models] of topics) {
  const group = document.createElement("optgroup")
  group.label = topic
  group.append(...models.map(m => new Option(m.title, m.name)))
  $("gallery").append(group)
}
async function choose(name) {
  const model = gallery.find(m => m.name === name)
  if (!model) return
  $("about").textContent = model.about
  page.data = null
  editor.text = model.text
  const csv = framed ? (await send({what: "gallery", data: model.data})).csv : await fetch("gallery/" + model.data).then(r => r.ok ? r.text() : null)
  if (csv !== null) await data(model.data, csv)
}
page.choose = choose
$("gallery").addEventListener("change", event => choose(event.target.value))

$("share").addEventListener("click", async () => {
  const link = new URL("#" + await packed(editor.text), location.href).href
  try {
    await navigator.clipboard.writeText(link)
    status("the link is copied")
  } catch {
    history.replaceState(null, "", link)
    status("the link is in the address bar")
  }
})

function theme(dark) {
  document.documentElement.dataset.theme = dark ? "dark" : "light"
  $("theme").setAttribute("aria-pressed", String(dark))
  try { localStorage.setItem("theme", dark ? "dark" : "light") } catch { /* no storage */ }
}
let wanted = null
try { wanted = localStorage.getItem("theme") } catch { /* no storage */ }
theme(wanted ? wanted === "dark" : matchMedia("(prefers-color-scheme: dark)").matches)
$("theme").addEventListener("click", () => theme(document.documentElement.dataset.theme !== "dark"))

addEventListener("hashchange", async () => {
  const text = await unpacked(location.hash.slice(1))
  if (text !== null && text !== editor.text) editor.text = text
})

// the text and the data that `semlang serve` or a notebook gave
function session({text, data: given}) {
  if (given?.key) {
    page.data = given
    $("close").hidden = false
    $("data-name").textContent = `${given.name ?? "data"}: ${given.n_rows} rows, ${given.columns.length} columns`
  }
  if (text !== null && opened === null) editor.text = text
}

// after the first visit everything is kept, so that the page works without a network
async function keep() {
  if (!navigator.serviceWorker) return
  try {
    const site = await (await fetch("site.json")).json()
    await navigator.serviceWorker.register("sw.js?" + site.version)
    if (navigator.serviceWorker.controller) return
    const controlled = new Promise(done => navigator.serviceWorker.addEventListener("controllerchange", done, {once: true}))
    await Promise.race([controlled, new Promise(done => setTimeout(done, 4000))])
  } catch { /* without it the page works as long as there is a network */ }
}

if (known) session(known)
if (framed) {
  $("share").hidden = true
  addEventListener("message", ({source, data: told}) => {
    if (source === parent && told?.kind === "text" && told.text && told.text !== editor.text) editor.text = told.text
  })
  parent.postMessage({kind: "ready"}, "*")
}
if (opened === null && hash) status("the address holds no model: it may have been cut")
ask(editor.text)
