// Runs answers.py on a folder of model texts in Pyodide, a Python of 32 bits.
// node run.mjs PYODIDE CHECKOUT CORPUS: PYODIDE holds node_modules/pyodide and the wheels of numpy (wasm32), lark, networkx and click.
import fs from "fs"
import path from "path"
import {pathToFileURL} from "url"

const [folder, checkout, corpus] = process.argv.slice(2).map(p => path.resolve(p))
const {loadPyodide} = await import(pathToFileURL(path.join(folder, "node_modules/pyodide/pyodide.mjs")).href)
const py = await loadPyodide()
for (const name of fs.readdirSync(folder).filter(n => /^(numpy|lark|networkx|click)-.*\.whl$/.test(n)))
  py.unpackArchive(new Uint8Array(fs.readFileSync(path.join(folder, name))), "wheel")
py.FS.mkdirTree("/checkout")
py.FS.mount(py.FS.filesystems.NODEFS, {root: checkout}, "/checkout")
py.FS.mkdirTree("/corpus")
py.FS.mount(py.FS.filesystems.NODEFS, {root: corpus}, "/corpus")
py.FS.writeFile("/home/pyodide/answers.py", fs.readFileSync(path.join(import.meta.dirname, "answers.py"), "utf8"))
const out = py.runPython(`
import sys
sys.path[:0] = ["/checkout", "/home/pyodide"]
sys.dont_write_bytecode = True
assert sys.maxsize < 2**32, "this Python has 64 bits"
import json, pathlib, answers
json.dumps({"version": sys.version, "answers": answers.answers(pathlib.Path("/corpus"))}, sort_keys=True)
`)
process.stdout.write(out + "\n")  // waits where the pipe is full
