// A slider for each parameter, and at once what its value implies: moments, item curves, information.

const SVG = "http://www.w3.org/2000/svg"
const make = (name, attributes = {}, ...children) => {
  const element = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value)
  element.append(...children)
  return element
}
const drawn = (name, attributes, ...children) => {
  const element = document.createElementNS(SVG, name)
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value)
  element.append(...children)
  return element
}

// Lines over a grid, as a picture of 260 x 150.
function plot(title, grid, lines, top) {
  const x = v => 30 + 220 * (v - grid[0]) / (grid[grid.length - 1] - grid[0])
  const y = v => 120 - 100 * v / (top || 1)
  const svg = drawn("svg", {viewBox: "0 0 260 150", class: "plot", role: "img", "aria-label": title})
  svg.append(drawn("text", {x: 140, y: 12, "font-size": 11}, title), drawn("path", {d: "M30 20V120H250", class: "axis"}))
  for (const v of [grid[0], 0, grid[grid.length - 1]]) svg.append(drawn("text", {x: x(v), y: 134, "font-size": 9}, String(v)))
  svg.append(drawn("text", {x: 16, y: y(top) + 3, "font-size": 9}, top.toPrecision(2)), drawn("text", {x: 16, y: 123, "font-size": 9}, "0"))
  lines.forEach((line, k) => svg.append(drawn("path", {d: "M" + line.map((v, i) => `${x(grid[i]).toFixed(1)} ${y(v).toFixed(1)}`).join("L"), class: "curve", "data-set": k % 6})))
  return svg
}

export class Sliders {
  // ask(values) asks what values imply; select(name) marks a parameter
  constructor(panel, ask) {
    this.ask = ask
    this.values = {}
    this.inputs = new Map()
    this.list = make("div", {class: "sliders"})
    this.effect = make("div", {class: "effect", role: "status"})
    this.panel = panel
    this.names = ""
    panel.append(make("p", {}, "Move a parameter and see what the model then says of the data."), this.list, this.effect)
  }

  // estimates: mapping from a parameter's name
  set(estimates) {
    this.values = {...this.values, ...estimates}
    this.names = ""
  }

  async refresh() {
    const answer = await this.ask(this.values)
    if (answer) this.show(answer)
  }

  show(answer) {
    const names = answer.parameters.map(p => p.name).join("\n")
    if (names !== this.names) {
      this.names = names
      this.list.replaceChildren(...answer.parameters.map((p, k) => this.slider(p, k)))
    }
    const parts = answer.why ? [make("p", {class: "note"}, answer.why)] : []
    if (answer.moments) parts.push(this.moments(answer.moments))
    if (answer.items.length) {
      const most = Math.max(...answer.items.flatMap(i => i.information), 0.01)
      const all = answer.grid.map((_, g) => answer.items.reduce((sum, i) => sum + i.information[g], 0))
      parts.push(make("h3", {}, "Items"), make("div", {class: "plots"},
        ...answer.items.map(i => plot(i.name, answer.grid, i.curves.length > 2 ? i.curves : [i.curves[1]], 1)),
        plot("information of each item", answer.grid, answer.items.map(i => i.information), most),
        plot("information of all", answer.grid, [all], Math.max(...all, 0.01))))
    }
    this.effect.replaceChildren(...parts)
  }

  slider({name, value, low, high}, k) {
    const id = `slider-${k}`
    const output = make("output", {for: id}, value.toFixed(2))
    const input = make("input", {type: "range", id, min: low, max: high, step: (high - low) / 200, value})
    input.addEventListener("input", () => {
      this.values[name] = Number(input.value)
      output.textContent = this.values[name].toFixed(2)
      this.refresh()
    })
    return make("div", {}, make("label", {for: id}, name), input, output)
  }

  moments({names, means, covariances}) {
    const sd = covariances.map((row, i) => Math.sqrt(row[i]))
    const cell = (i, j) => make("td", {}, i < j ? (covariances[i][j] / sd[i] / sd[j]).toFixed(2) : covariances[i][j].toFixed(2))
    const head = make("tr", {}, make("td"), ...["mean", ...names].map(n => make("th", {scope: "col"}, n)))
    const body = names.map((n, i) => make("tr", {}, make("th", {scope: "row"}, n), make("td", {}, means[i].toFixed(2)), ...names.map((_, j) => cell(i, j))))
    const table = make("table", {class: "matrix"}, make("caption", {}, "Implied means, covariances, and correlations above the diagonal"), make("thead", {}, head), make("tbody", {}, ...body))
    return make("div", {class: "wide", tabindex: "0", role: "region", "aria-label": "Implied moments"}, table)
  }
}
