// Renders the widget's module beside a model like a notebook's in a headless Chromium; prints what it shows, as JSON.
// node notebook.mjs NODE_MODULES CHROMIUM ADDRESS TEXT
import {createRequire} from "module"
import path from "path"

const [modules, chromium, address, text] = process.argv.slice(2)
const puppeteer = createRequire(path.resolve(modules, "any.js"))("puppeteer-core")
const args = ["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"]
const browser = await puppeteer.launch({executablePath: chromium, headless: true, protocolTimeout: 300000, args})
const page = await browser.newPage()
const out = {elsewhere: [], console: []}
page.on("request", r => { if (/^https?:/.test(r.url()) && new URL(r.url()).hostname !== "127.0.0.1") out.elsewhere.push(r.url()) })
page.on("console", m => { if (["error", "warn"].includes(m.type())) out.console.push(m.text()) })
page.on("pageerror", e => out.console.push(String(e)))
try {
  await page.goto(address)
  await page.evaluate(async text => {
    const values = {text, height: 700, page: await (await fetch("/page")).text()}
    const heard = {}
    const tell = (name, ...rest) => (heard[name] ?? []).forEach(f => f(...rest))
    window.model = {
      heard,
      get: name => values[name],
      set: (name, value) => { values[name] = value; tell("change:" + name) },
      save_changes: () => {},
      on: (name, f) => (heard[name] ??= []).push(f),
      off: (name, f) => { heard[name] = heard[name].filter(g => g !== f) },
      send: question => fetch("/", {method: "POST", body: JSON.stringify(question)}).then(r => r.json()).then(m => tell("msg:custom", m)),
    }
    const {default: {render}} = await import("/widget.js")
    window.leave = render({model: window.model, el: document.querySelector("#cell")})
  }, text)
  const frame = await (await page.waitForSelector("iframe")).contentFrame()
  const answered = t => frame.waitForFunction(t => window.semlang?.text === t && window.semlang.editor.text === t, {timeout: 120000}, t)
  await answered(text)
  out.first = await frame.$eval(".verdict", e => e.textContent)
  out.data = await frame.$eval("#data-name", e => e.textContent)
  await frame.evaluate(t => { window.semlang.editor.text = t }, text + "# typed\n")
  await answered(text + "# typed\n")
  out.typed = await frame.evaluate(() => window.semlang.editor.text)
  out.text = await page.evaluate(() => window.model.get("text"))
  await frame.click("#fit")
  await frame.waitForFunction(() => window.semlang.fit, {timeout: 240000})
  out.fitted = await frame.evaluate(() => window.semlang.fit.fit?.converged)
  await page.evaluate(() => window.model.set("text", "a ~ b\n"))
  await answered("a ~ b\n")
  out.set = await frame.evaluate(() => window.semlang.editor.text)
  out.gone = await page.evaluate(() => { window.leave(); return Object.values(window.model.heard).flat().length })
} catch (problem) {
  out.problem = String(problem)
}
await browser.close()
process.stdout.write(JSON.stringify(out))
