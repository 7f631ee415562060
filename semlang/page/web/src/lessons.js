// Lessons: a text, a model, and exercises whose answers Python checks.
import {Diagram} from "./diagram.js"

const make = (name, attributes = {}, ...children) => {
  const element = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value)
    else element.setAttribute(key, value)
  }
  element.append(...children)
  return element
}

// words with code between backquotes
const spoken = text => text.split("`").map((part, k) => k % 2 ? make("code", {}, part) : part)

export class Lessons {
  // page: text(), show(text), send(question)
  constructor(terms, select, panel, page) {
    this.panel = panel
    this.page = page
    this.all = terms.flatMap(t => t.lessons)
    for (const {title, lessons} of terms) select.append(Object.assign(make("optgroup", {}, ...lessons.map(l => new Option(l.title, l.name))), {label: title}))
    select.addEventListener("change", () => this.open(select.value))
  }

  open(name) {
    this.lesson = this.all.find(l => l.name === name)
    this.panel.hidden = !this.lesson
    if (!this.lesson) return this.panel.replaceChildren()
    this.page.show(this.lesson.model)
    this.tasks = this.lesson.exercises.map((_, k) => make("li", {}, make("button", {type: "button", "aria-pressed": "false", onclick: () => this.task(k)}, `Exercise ${k + 1}`)))
    this.work = make("div", {})
    this.panel.replaceChildren(make("h2", {}, this.lesson.title), make("p", {}, ...spoken(this.lesson.text)), make("ul", {class: "tasks"}, ...this.tasks), this.work)
  }

  async task(k) {
    const task = this.lesson.exercises[k]
    this.tasks.forEach((item, i) => item.firstChild.setAttribute("aria-pressed", String(i === k)))
    const said = make("p", {role: "status", class: "checked"})
    const tell = ({right, why}) => {
      said.textContent = `${right ? "Right" : "Not yet"}: ${why}.`.replace(/[.][.]$/, ".")
      said.dataset.right = right
    }
    const check = text => this.page.send({what: "check", text, task}).then(a => a && tell(a)).catch(problem => { said.textContent = problem.message })
    const ask = make("p", {}, ...spoken(task.ask))
    if (task.kind === "equivalent") {
      const options = task.options.map((text, i) => make("li", {}, make("button", {type: "button", onclick: () => { this.page.show(text); check(text) }}, `Model ${i + 1}`), make("pre", {tabindex: "0"}, text)))
      this.page.show(task.start)
      return this.work.replaceChildren(ask, make("ul", {class: "options"}, ...options), said)
    }
    const answer = make("button", {type: "button", onclick: () => this.page.show(task.solution)}, "Show an answer")
    const buttons = make("p", {}, make("button", {type: "button", class: "check", onclick: () => check(this.page.text())}, "Check"), " ", answer)
    const picture = make("div", {class: "given"})
    this.work.replaceChildren(ask, ...(task.kind === "draw" ? [picture] : []), buttons, said)
    this.page.show(task.start)
    if (task.kind === "draw") {
      const drawn = await this.page.send({what: "picture", text: task.solution}).catch(() => null)
      const diagram = new Diagram(picture, () => {}, () => {}, () => {}, "Given")
      diagram.show(drawn?.diagram?.map(d => ({...d, nodes: d.nodes.map(n => ({...n, rows: []})), edges: d.edges.map(e => ({...e, rows: []})), texts: d.texts.map(t => ({...t, rows: []}))})))
    }
  }
}
