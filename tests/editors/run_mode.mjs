// Runs the CodeMirror mode over texts: node run_mode.mjs MODE.js < texts.json > tokens.json
import {readFileSync} from "node:fs"
import {pathToFileURL} from "node:url"

class Stream {
  constructor(string) { this.string = string; this.pos = this.start = 0 }
  sol() { return this.pos === 0 }
  eol() { return this.pos >= this.string.length }
  next() { return this.string.charAt(this.pos++) }
  match(pattern, consume = true) {
    const match = this.string.slice(this.pos).match(pattern)
    if (match && match.index > 0) return null
    if (match && consume) this.pos += match[0].length
    return match
  }
}

const {semlang} = await import(pathToFileURL(process.argv[2]).href)
const texts = JSON.parse(readFileSync(0, "utf8"))
const all = texts.map((text) => {
  const found = []
  let state = semlang.startState(), base = 0
  for (const line of text.split("\n")) {
    const stream = new Stream(line)
    while (!stream.eol()) {
      stream.start = stream.pos
      const style = semlang.token(stream, state)
      if (stream.pos <= stream.start) throw new Error("no progress: " + line)
      if (style) found.push([base + stream.start, base + stream.pos, style])
      state = semlang.copyState(state)
    }
    base += line.length + 1
  }
  return found
})
process.stdout.write(JSON.stringify(all))
