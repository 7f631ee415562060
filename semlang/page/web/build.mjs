// Builds the page: `npm ci && npm run build`. Writes `built`: page.js, worker.js, sw.js, widget.js, page.css, fonts, index.html, licences.
import * as esbuild from "esbuild"
import {createHash} from "crypto"
import fs from "fs"
import path from "path"

const here = import.meta.dirname
const out = path.join(here, "built")
const mode = path.join(here, "../../../grammar/codemirror/semlang.js")
fs.rmSync(out, {recursive: true, force: true})
const result = await esbuild.build({
  absWorkingDir: here,
  entryPoints: {page: "src/main.js", worker: "src/worker.js", sw: "src/sw.js", widget: "src/widget.js"},
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  outdir: out,
  alias: {"semlang-mode": mode},
  nodePaths: [path.join(here, "node_modules")],
  loader: {".woff2": "file", ".woff": "empty", ".ttf": "empty"},
  assetNames: "[name]",
  legalComments: "none",
  metafile: true,
})
fs.copyFileSync(path.join(here, "index.html"), path.join(out, "index.html"))

// the licences of all that is bundled
const packages = new Map()
for (const input of Object.keys(result.metafile.inputs)) {
  const inside = input.match(/^.*node_modules\/((?:@[^/]+\/)?[^/]+)\//)
  if (inside) packages.set(inside[1], path.join(here, inside[0]))
}
const texts = [...packages].sort().map(([name, folder]) => {
  const about = JSON.parse(fs.readFileSync(path.join(folder, "package.json"), "utf8"))
  const file = fs.readdirSync(folder).find(n => /^licen[cs]e/i.test(n))
  if (!file) throw new Error(`no licence in ${name}`)
  return `${name} ${about.version} (${about.license})\n\n${fs.readFileSync(path.join(folder, file), "utf8").trim()}\n`
})
const rule = "\n" + "-".repeat(80) + "\n\n"
fs.writeFileSync(path.join(out, "licences.txt"), "Packages that are part of page.js and page.css:\n" + rule + texts.join(rule))
// what it was built from: a test looks whether that is still what is there
const sources = [...fs.readdirSync(path.join(here, "src")).map(n => `src/${n}`), "style.css", "index.html", "package-lock.json", "build.mjs"]
const digest = createHash("sha256")
for (const file of [...sources.sort().map(n => path.join(here, n)), mode]) digest.update(fs.readFileSync(file))
fs.writeFileSync(path.join(out, "sources.txt"), digest.digest("hex") + "\n")

console.log(fs.readdirSync(out).map(n => `${n} ${fs.statSync(path.join(out, n)).size}`).join("\n"))
