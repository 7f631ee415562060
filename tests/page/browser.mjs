// Opens the built site in a headless Chromium and prints what it shows, as JSON.
// node browser.mjs NODE_MODULES CHROMIUM ADDRESS TASK [PICTURES]; TASK is `gallery`, `visit`, `looks` or `timing`.
import {createRequire} from "module"
import path from "path"

const [modules, chromium, address, task, pictures] = process.argv.slice(2)
const require = createRequire(path.resolve(modules, "any.js"))
const puppeteer = require("puppeteer-core")
const only = "MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"
const args = ["--no-sandbox", "--disable-gpu", `--host-resolver-rules=${only}`]
const browser = await puppeteer.launch({executablePath: chromium, headless: true, protocolTimeout: 600000, args})
const context = browser.defaultBrowserContext()
const page = await browser.newPage()
await page.setViewport({width: 1280, height: 800})
const out = {elsewhere: [], console: [], shown: {}}
page.on("request", r => { if (!/^(data|blob):/.test(r.url()) && new URL(r.url()).hostname !== "127.0.0.1") out.elsewhere.push(r.url()) })
page.on("console", m => { if (["error", "warn"].includes(m.type())) out.console.push(m.text()) })
page.on("pageerror", e => out.console.push(String(e)))

const answered = (text, timeout = 300000) => page.waitForFunction(t => window.semlang?.text === t && window.semlang.editor.text === t, {timeout}, text)
const open = async url => {
  await page.goto(url, {waitUntil: "domcontentloaded"})
  await page.waitForFunction(() => window.semlang?.answers > 0, {timeout: 300000})
}
const type = async text => { // letter by letter, as a change of its own each
  await page.evaluate(() => { window.semlang.editor.text = "" })
  for (const letter of text) await page.evaluate(c => {
    const {view} = window.semlang.editor
    view.dispatch({changes: {from: view.state.doc.length, insert: c}})
  }, letter)
  await answered(text)
}
const shown = () => page.evaluate(() => ({
  answer: window.semlang.answer,
  findings: [...document.querySelectorAll("#findings > li")].length,
  nodes: document.querySelectorAll("#diagram .node").length,
  verdict: document.querySelector(".verdict")?.textContent ?? null,
  status: document.querySelector("#status").textContent,
}))

const tasks = {
  // every model of the gallery typed, the data opened, fitted where a browser can
  async gallery() {
    await open(address)
    const gallery = await page.evaluate(() => window.semlang.gallery)
    for (const model of gallery) {
      if (await page.$eval("#close", e => !e.hidden)) await page.click("#close")
      await type(model.text)
      const typed = await shown()
      await page.evaluate(name => window.semlang.choose(name), model.name)
      await answered(model.text)
      await page.waitForFunction(() => !document.querySelector("#fit").disabled, {timeout: 60000})
      await page.evaluate(() => { window.semlang.fit = null; document.querySelector("#fit").click() })
      await page.waitForFunction(() => window.semlang.fit, {timeout: 300000})
      const {fit, ms} = await page.evaluate(() => ({fit: window.semlang.fit, ms: window.semlang.ms}))
      out.shown[model.name] = {typed, fit, ms}
    }
  },
  // a link, a mistake and its fix, an arrow and its text, a reload without a network
  async visit() {
    const begun = Date.now()
    await open(address)
    out.first = Date.now() - begun
    const text = "# ü 😀\nf =~ x1 + x2 + x3\ng =~ y1 + y2 + y3\ng ~ f\n"
    await type(text)
    await page.waitForFunction(() => location.hash.length > 1)
    const url = page.url()
    out.link = url.length
    await type("f =- x1 + x2 + x3")
    out.wrong = (await shown()).answer.findings.map(f => f.slug)
    out.squiggles = await page.$$eval(".cm-lintRange-error", e => e.length)
    await page.click("#findings .fix").catch(() => {})
    await page.waitForFunction(() => window.semlang.answer.ok, {timeout: 60000}).catch(() => {})
    out.mended = await page.evaluate(() => window.semlang.editor.text)
    const second = await browser.newPage()
    await second.goto(url, {waitUntil: "domcontentloaded"})
    await second.waitForFunction(() => window.semlang?.answers > 0, {timeout: 300000})
    out.opened = await second.evaluate(() => window.semlang.editor.text) === text
    await second.close()
    await type(text)
    await page.evaluate(() => [...document.querySelectorAll("#diagram .edge")].find(e => e.textContent.includes("x2 measures f")).dispatchEvent(new MouseEvent("click", {bubbles: true})))
    out.marked = await page.$$eval(".cm-content .marked", all => all.map(e => e.textContent))
    await page.click("#tab-matrices")
    out.cells = await page.$$eval("#view-matrices td.marked", all => all.map(e => e.textContent))
    await page.click("#tab-equations")
    out.katex = await page.$$eval("#view-equations .katex", all => all.length)
    out.terms = await page.$$eval("#view-equations .marked", all => all.length)
    out.katexErrors = await page.$$eval("#view-equations .katex-error", all => all.length)
    await page.click("#tab-sliders")
    await page.waitForSelector("#view-sliders .effect table", {timeout: 60000})
    const implied = () => page.$eval("#view-sliders .effect table", e => e.textContent)
    const still = await implied()
    await page.focus("#slider-0")
    for (let k = 0; k < 5; k++) await page.keyboard.press("ArrowRight")
    await page.waitForFunction(s => document.querySelector("#view-sliders .effect table").textContent !== s, {timeout: 60000}, still).catch(() => {})
    out.moved = await implied() !== still
    await page.click("#tab-compare")
    await page.click("#view-compare button")
    const centre = name => page.evaluate(n => {
      const r = [...document.querySelectorAll("#diagram .node")].find(e => e.dataset.key === n).getBoundingClientRect()
      return [r.x + r.width / 2, r.y + r.height / 2]
    }, name)
    await page.evaluate(() => document.querySelector("#diagram").scrollIntoView())
    const [[a, b], [c, d]] = [await centre("y1"), await centre("f")]
    await page.mouse.move(c, d)
    await page.mouse.down()
    await page.mouse.move((a + c) / 2, (b + d) / 2)
    await page.mouse.move(a, b)
    await page.mouse.up()
    out.drawn = await page.evaluate(() => window.semlang.editor.text.slice(-8))
    await answered(text + "f =~ y1\n")
    await page.waitForFunction(() => document.querySelector("#view-compare .relation"), {timeout: 60000})
    out.relation = await page.$eval("#view-compare .relation", e => e.textContent)
    await page.evaluate(t => { window.semlang.editor.text = t }, text)
    await answered(text)
    // dragged to where nothing is: the text says the place, and there the node then is
    await page.evaluate(() => document.querySelector("#diagram").scrollIntoView())
    for (const [fx, fy] of [[0.02, 0.03], [0.98, 0.03]]) {
      const spot = await page.evaluate(([fx, fy]) => {
        const r = document.querySelector("#diagram svg").getBoundingClientRect()
        return [r.x + fx * r.width, r.y + fy * r.height]
      }, [fx, fy])
      const [x, y] = await centre("f")
      const before = await page.evaluate(() => window.semlang.editor.text)
      await page.mouse.move(x, y)
      await page.mouse.down()
      await page.mouse.move((x + spot[0]) / 2, (y + spot[1]) / 2)
      await page.mouse.move(...spot)
      await page.mouse.up()
      await page.waitForFunction(b => window.semlang.editor.text !== b && window.semlang.text === window.semlang.editor.text, {timeout: 60000}, before)
    }
    out.moved_to = await page.evaluate(() => {
      const [d] = window.semlang.answer.diagram
      const [x, y, w, h] = d.nodes.find(n => n.key === "f").box
      return {text: window.semlang.editor.text, ok: window.semlang.answer.ok, place: [x + w / 2 + d.origin[0], y + h / 2 + d.origin[1]]}
    })
    // parameters that move together have a colour each
    const unscaled = "f =~ NA*x1 + x2 + x3\n"
    await type(unscaled)
    out.sets = await page.$$eval("#diagram [data-set]", all => all.map(e => e.querySelector("title").textContent).sort())
    await page.click("#tab-verdict")
    out.listed = await page.$$eval("#view-verdict .sets li", all => all.map(e => e.dataset.set))
    await page.evaluate(t => { window.semlang.editor.text = t }, text)
    await answered(text)
    // a lesson: the diagram of an exercise, a wrong answer, a right one
    await page.select("#lessons", "sem-regression")
    await page.waitForSelector("#lesson .tasks button")
    await page.click("#lesson .tasks button")
    await page.waitForSelector("#lesson .given .node", {timeout: 60000})
    out.lesson = []
    for (const given of ["y ~ x\n", "y ~ z + x\n"]) {
      await page.evaluate(t => { window.semlang.editor.text = t }, given)
      await answered(given)
      const said = await page.$eval("#lesson .checked", e => e.textContent)
      await page.click("#lesson .check")
      await page.waitForFunction(s => document.querySelector("#lesson .checked").textContent !== s, {timeout: 60000}, said)
      out.lesson.push(await page.$eval("#lesson .checked", e => e.textContent))
    }
    await page.select("#lessons", "")
    await page.evaluate(t => { window.semlang.editor.text = t }, text)
    await answered(text)
    // and back: the cursor in the text marks the arrow
    await page.evaluate(() => { const {view} = window.semlang.editor; view.focus(); view.dispatch({selection: {anchor: view.state.doc.toString().indexOf("x3")}}) })
    out.back = await page.$$eval("#diagram .marked title", all => all.map(e => e.textContent))
    await page.setOfflineMode(true)
    const worker = page.waitForFunction(() => window.semlang?.answers > 0, {timeout: 300000})
    const again = Date.now()
    await page.reload({waitUntil: "domcontentloaded"})
    await page.waitForFunction(() => window.semlang?.answers > 0, {timeout: 300000})
    await worker
    out.warm = Date.now() - again
    out.offline = await page.evaluate(() => window.semlang.editor.text) === text
  },
  // first answers and answers to a key, beside how many times longer than its processor time a fixed loop takes here
  async timing() {
    const load = () => {
      const begun = performance.now(), used = process.cpuUsage()
      let s = 0
      for (let k = 0; k < 1e8; k++) s = (s * 1664525 + 1013904223) | 0
      const {user, system} = process.cpuUsage(used)
      return (performance.now() - begun) * 1000 / (user + system) + 0 * s
    }
    const waited = async visit => { const begun = performance.now(); await visit(); return performance.now() - begun }
    const text = await (await fetch(new URL("gallery.json", address))).json().then(g => g.find(m => m.name === "democracy").text)
    out.shown.cold = [await waited(() => open(address)), load()]
    await new Promise(done => setTimeout(done, 30000)) // what Python compiled is kept
    out.shown.warm = []
    for (let k = 0; k < 3; k++) out.shown.warm.push([await waited(async () => {
      await page.reload({waitUntil: "domcontentloaded"})
      await page.waitForFunction(() => window.semlang?.ms !== null && window.semlang?.answer, {timeout: 300000, polling: 20})
    }), load()])
    await page.waitForFunction(() => window.semlang.answers > 0, {timeout: 300000})
    await type(text.slice(0, -1))
    out.shown.keys = []
    for (let k = 0; k < 10; k++) {
      await page.evaluate(t => { window.semlang.editor.text = t }, text + "#".repeat(k))
      await answered(text + "#".repeat(k))
      out.shown.keys.push([await page.evaluate(() => window.semlang.ms), load()])
    }
  },
  // axe-core in both colours and on a phone; pictures where a folder is given
  async looks() {
    await open(address)
    await page.evaluate(() => window.semlang.choose("democracy"))
    await page.waitForFunction(() => !document.querySelector("#fit").disabled, {timeout: 120000})
    const axe = require("axe-core").source
    for (const [name, width, height, dark] of [["wide", 1280, 800, false], ["dark", 1280, 800, true], ["phone", 390, 844, false]]) {
      await page.setViewport({width, height})
      await page.evaluate(d => { if ((document.documentElement.dataset.theme === "dark") !== d) document.querySelector("#theme").click() }, dark)
      const faults = []
      await page.select("#lessons", "sem-regression")
      await page.click("#lesson .tasks button")
      await page.waitForSelector("#lesson .given .node", {timeout: 60000})
      await page.evaluate(() => window.semlang.choose("democracy"))
      await page.waitForFunction(() => !document.querySelector("#fit").disabled && document.querySelectorAll("#diagram .node").length > 10, {timeout: 120000})
      for (const tab of ["verdict", "matrices", "equations", "words", "table", "sliders", "compare", "fit"]) {
        await page.click(`#tab-${tab}`)
        if (tab === "sliders") await page.waitForSelector("#view-sliders .effect table", {timeout: 60000})
        if (tab === "fit") {
          await page.click("#fit")
          await page.waitForFunction(() => /fitted|converged/.test(document.querySelector("#status").textContent), {timeout: 120000})
        }
        await page.evaluate(axe)
        const result = await page.evaluate(() => window.axe.run(document, {resultTypes: ["violations"]}))
        faults.push(...result.violations.map(v => ({tab, id: v.id, impact: v.impact, nodes: v.nodes.slice(0, 3).map(n => n.html.slice(0, 160) + " " + n.failureSummary.slice(0, 200))})))
        if (pictures) await page.screenshot({path: path.join(pictures, `${name}-${tab}.png`), fullPage: name === "phone"})
      }
      out.shown[name] = faults
      out.shown[name + "-overflow"] = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    }
  },
}
try { await tasks[task]() } catch (problem) {
  out.problem = String(problem)
  out.status = await page.$eval("#status", e => e.textContent).catch(() => "")
}
await browser.close()
process.stdout.write(JSON.stringify(out))
