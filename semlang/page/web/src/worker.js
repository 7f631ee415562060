// Python in the browser: Pyodide, numpy and the compiler of the language. Nothing that is typed or opened leaves it.

const FOLDER = "/lib/semlang"
let answers = -1 // those given while there is something to keep, else -1
const stage = text => postMessage({stage: text})

// What Python compiled on the first visit is kept by the version of the site, beside the files of the service worker.
const kept = async site => {
  try { return await caches.open("semlang ?" + site.version) } catch { return null } // no secure context
}

const ready = (async () => {
  const site = await (await fetch(new URL("site.json", location.href))).json()
  const base = new URL(site.pyodide, location.href).href
  const cache = await kept(site)
  const address = new URL("frozen.zip", location.href).href
  stage("loading Python …")
  const frozen = await cache?.match(address)
  const [{loadPyodide}, code] = await Promise.all([
    import(base + "pyodide.mjs"),
    (frozen ? Promise.resolve(frozen) : fetch(new URL(site.code, location.href))).then(r => r.arrayBuffer()),
  ])
  const python = await loadPyodide({indexURL: base, env: {HOME: "/home/pyodide", SEMLANG_CACHE_DIR: FOLDER + "/tables"}})
  stage("loading numpy …")
  await python.loadPackage(site.numpy ? [base + site.numpy] : ["numpy"], {messageCallback: () => {}})
  stage("loading semlang …")
  python.unpackArchive(code, "zip", {extractDir: FOLDER})
  python.runPython(`import sys; sys.path.insert(0, "${FOLDER}"); sys.dont_write_bytecode = False`)
  python.pyimport("semlang.page.thawed").thaw(FOLDER)
  const answering = python.pyimport("semlang.page.answering")
  if (cache && !frozen) answers = 0
  return {answering, keep: cache && !frozen ? () => keep(python, cache, address) : null}
})()



async function keep(python, cache, address) {
  const bytes = python.pyimport("semlang.page.frozen").frozen(FOLDER)
  const data = bytes.toJs()
  bytes.destroy()
  await cache.put(address, new Response(data))
}

onmessage = async ({data}) => {
  const {id, ...question} = data
  try {
    const {answering, keep} = await ready
    postMessage({id, answer: JSON.parse(answering.answer(JSON.stringify(question)))})
    if (answers >= 0 && question.what === "analyse" && answers++ === 0) setTimeout(() => keep().catch(() => {}), 2000)
  } catch (problem) {
    postMessage({id, problem: String(problem?.message ?? problem).trim().split("\n").pop()})
  }
}
