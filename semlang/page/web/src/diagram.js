// The path diagram: drawn from placed geometry, so that its colours are the page's; arrows and nodes can be reached by keys.

const SVG = "http://www.w3.org/2000/svg"
const make = (name, attributes, ...children) => {
  const element = document.createElementNS(SVG, name)
  for (const [key, value] of Object.entries(attributes)) if (value !== undefined && value !== null) element.setAttribute(key, value)
  element.append(...children)
  return element
}

const middle = ([x, y, w, h]) => [x + w / 2, y + h / 2]

function words(label, size, className) {
  const [x, y] = middle(label.box)
  const element = make("text", {x, y, "font-size": size, class: className, dy: "0.35em"})
  element.textContent = label.text
  return element
}

function shape({shape, box: [x, y, width, height]}) {
  switch (shape) {
    case "box": return make("rect", {x, y, width, height})
    case "octagon": case "triangle": {
      const corners = shape === "triangle" ? [[0.5, 0], [1, 1], [0, 1]]
        : [[0.3, 0], [0.7, 0], [1, 0.3], [1, 0.7], [0.7, 1], [0.3, 1], [0, 0.7], [0, 0.3]]
      return make("polygon", {points: corners.map(([a, b]) => `${x + a * width},${y + b * height}`).join(" ")})
    }
    default: return make("ellipse", {cx: x + width / 2, cy: y + height / 2, rx: width / 2, ry: height / 2})
  }
}

function node(n) {
  const group = make("g", {class: `node ${n.shape}`, "data-key": n.key}, make("title", {}, n.title || n.label), shape(n))
  if (n.label) {
    const [x, y] = middle(n.box)
    const text = make("text", {x, y: y - (n.note ? 4 : 0), "font-size": 12, dy: "0.35em"}, n.label)
    if (n.superscript) text.append(make("tspan", {dy: "-0.5em", "font-size": 8}, n.superscript))
    group.append(text)
    if (n.note) group.append(make("text", {x, y: y + 7, "font-size": 8, dy: "0.35em"}, n.note))
  }
  return group
}

function edge(e, head) {
  const [[a, b], ...rest] = e.path
  const curves = []
  for (let k = 0; k + 2 < rest.length; k += 3) curves.push("C" + rest.slice(k, k + 3).map(p => p.join(" ")).join(" "))
  const d = `M${a} ${b}${curves.join("")}`
  const heads = {"marker-start": e.heads[0] ? head : null, "marker-end": e.heads[1] ? head : null}
  const title = e.title || (e.source ? `${e.source} to ${e.target}` : `residual of ${e.target}`)
  const group = make("g", {class: "edge" + (e.dashed ? " dashed" : "")}, make("title", {}, title))
  group.append(make("path", {d, class: "near"}), make("path", {d, class: "line", ...heads}))
  if (e.label) group.append(words(e.label, 10, "label"))
  return group
}

// The statement of an arrow from a node to another.
export function lineOf(from, to, covariance) {
  const name = n => n.key.startsWith("covariate ") ? n.label : n.key
  const latent = n => n.shape === "ellipse"
  if (covariance) return `${name(from)} ~~ ${name(to)}`
  return latent(from) && !latent(to) && to.shape === "box" && !to.key.startsWith("covariate ") ? `${name(from)} =~ ${name(to)}` : `${name(to)} ~ ${name(from)}`
}

export class Diagram {
  // onSelect(ids): rows of the table behind what was chosen; onLine(line): a line of text that was drawn with the mouse;
  // onMove(key, x, y): a node was dragged somewhere
  constructor(parent, onSelect, onLine, onMove, name = "Path") {
    this.name = name
    this.onMove = onMove
    this.parent = parent
    this.onSelect = onSelect
    this.onLine = onLine
    this.parts = []
  }

  show(diagrams) {
    this.parent.replaceChildren()
    this.parts = []
    if (!diagrams) return
    for (const d of diagrams) this.parent.append(this.one(d))
  }

  one(d) {
    const label = `${this.name} diagram` + (d.title ? `, group ${d.title}` : "")
    const svg = make("svg", {viewBox: `0 0 ${d.width} ${d.height}`, role: "group", "aria-label": label})
    svg.style.maxWidth = `${d.width * 1.33}px`
    if (d.description) svg.append(make("desc", {}, d.description))
    const arrow = make("marker", {id: this.name + "-head", viewBox: "0 0 7 6", refX: 7, refY: 3, markerWidth: 7, markerHeight: 6,
      orient: "auto-start-reverse", markerUnits: "userSpaceOnUse"}, make("path", {d: "M0 0.6L7 3L0 5.4z", class: "head"}))
    svg.append(make("defs", {}, arrow))
    for (const f of d.frames) {
      const [x, y, width, height] = f.box
      svg.append(make("g", {class: "frame"}, make("rect", {x, y, width, height, rx: 12}), ...(f.label ? [words(f.label, 11, "level")] : [])))
    }
    for (const n of d.nodes) svg.append(this.name === "Path" ? this.source(svg, this.part(node(n), n), n, d) : node(n))
    for (const e of d.edges) svg.append(this.part(edge(e, `url(#${this.name}-head)`), e))
    for (const t of d.texts) if (t.label) svg.append(this.part(make("g", {class: "beside"}, words(t.label, 10, "label")), t))
    if (d.title) svg.append(make("text", {x: d.width / 2, y: 12, "font-size": 13}, d.title))
    return svg
  }

  // a node dragged to another draws an arrow, with the shift key a covariance; dragged to where there is none, it is moved
  source(svg, group, n, d) {
    if (n.shape === "point" || n.shape === "triangle") return group
    const put = ([x, y]) => this.onMove(n.key, Math.round(x + d.origin[0]), Math.round(y + d.origin[1]))
    group.addEventListener("keydown", event => {
      const step = {ArrowLeft: [-10, 0], ArrowRight: [10, 0], ArrowUp: [0, -10], ArrowDown: [0, 10]}[event.key]
      if (!step || !event.altKey) return
      event.preventDefault()
      const [x, y] = middle(n.box)
      put([x + step[0], y + step[1]])
    })
    const place = event => {
      const p = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse())
      return [p.x, p.y]
    }
    const over = ([x, y]) => d.nodes.find(m => m !== n && m.shape !== "point" && m.shape !== "triangle"
      && x >= m.box[0] && x <= m.box[0] + m.box[2] && y >= m.box[1] && y <= m.box[1] + m.box[3])
    group.addEventListener("pointerdown", event => {
      if (event.pointerType !== "mouse" || event.button !== 0) return
      event.preventDefault()
      const [x1, y1] = middle(n.box)
      const from = place(event)
      const ghost = shape({shape: n.shape, box: n.box})
      ghost.setAttribute("class", "drawn ghost")
      const line = make("line", {x1, y1, x2: x1, y2: y1, class: "drawn"})
      group.setPointerCapture(event.pointerId)
      const move = e => {
        const [x2, y2] = place(e)
        if (Math.hypot(x2 - from[0], y2 - from[1]) < 4) return
        if (!line.parentNode) svg.append(line, ghost)
        ghost.style.display = over([x2, y2]) ? "none" : ""
        ghost.setAttribute("transform", `translate(${x2 - from[0]} ${y2 - from[1]})`)
        line.setAttribute("x2", x2)
        line.setAttribute("y2", y2)
      }
      const end = e => {
        group.removeEventListener("pointermove", move)
        const dragged = e.type === "pointerup" && line.parentNode
        line.remove()
        ghost.remove()
        if (!dragged) return
        const to = place(e)
        const target = over(to)
        if (target) this.onLine(lineOf(n, target, e.shiftKey))
        else if (Math.abs(to[0] - x1) > n.box[2] / 2 || Math.abs(to[1] - y1) > n.box[3] / 2) put([x1 + to[0] - from[0], y1 + to[1] - from[1]])
      }
      group.addEventListener("pointermove", move)
      group.addEventListener("pointerup", end, {once: true})
      group.addEventListener("pointercancel", end, {once: true})
    })
    return group
  }

  // something that can be chosen, where the table has rows for it
  part(group, about) {
    const ids = about.rows ?? []
    this.parts.push({group, ids})
    if (!ids.length) return group
    group.setAttribute("tabindex", "0")
    group.setAttribute("role", "button")
    const words = [...group.querySelectorAll("text")].map(t => t.textContent).join(" ")
    group.setAttribute("aria-label", [words, group.querySelector("title")?.textContent ?? ""].filter(Boolean).join(": "))
    const choose = () => this.onSelect(ids, about.span)
    group.addEventListener("click", choose)
    group.addEventListener("keydown", event => {
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose() }
    })
    return group
  }

  mark(ids) {
    for (const {group, ids: own} of this.parts) {
      const marked = own.some(i => ids.has(i))
      group.classList.toggle("marked", marked)
      if (group.hasAttribute("role")) group.setAttribute("aria-pressed", String(marked))
    }
  }

  // sets of parameters that move together, a colour each
  sets(sets) {
    for (const {group, ids} of this.parts) {
      const k = sets.findIndex(s => ids.some(i => s.includes(i)))
      if (k >= 0) group.dataset.set = k % 6
      else delete group.dataset.set
    }
  }
}
