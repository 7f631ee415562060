// Python in the browser: Pyodide, numpy and the compiler of the language. Nothing that is typed or opened leaves it.

const stage = text => postMessage({stage: text})

const ready = (async () => {
  const site = await (await fetch(new URL("site.json", location.href))).json()
  const base = new URL(site.pyodide, location.href).href
  stage("loading Python …")
  const [{loadPyodide}, code] = await Promise.all([
    import(/* @vite-ignore */ base + "pyodide.mjs"),
    fetch(new URL(site.code, location.href)).then(r => r.arrayBuffer()),
  ])
  const python = await loadPyodide({indexURL: base})
  stage("loading numpy …")
  await python.loadPackage(site.numpy ? [base + site.numpy] : ["numpy"], {messageCallback: () => {}})
  stage("loading semlang …")
  python.unpackArchive(code, "zip", {extractDir: "/lib/semlang"})
  python.runPython("import sys; sys.path.insert(0, '/lib/semlang'); sys.dont_write_bytecode = True")
  return python.pyimport("semlang.page.answering")
})()

onmessage = async ({data}) => {
  const {id, ...question} = data
  try {
    const python = await ready
    postMessage({id, answer: JSON.parse(python.answer(JSON.stringify(question)))})
  } catch (problem) {
    postMessage({id, problem: String(problem?.message ?? problem).trim().split("\n").pop()})
  }
}
