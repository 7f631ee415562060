// Where answers come from: a worker with Python in it, the server that sent this page, or a
// notebook's kernel. One question at a time;
// while one is open, only the latest question of a kind is kept.

export function transport(onStage) {
  const kind = document.documentElement.dataset.transport
  return kind === "server" ? server() : kind === "frame" ? frame() : worker(onStage)
}

// a frame in a notebook: what is around it carries questions to the kernel
function frame() {
  const open = new Map()
  let last = 0
  addEventListener("message", ({source, data}) => {
    if (source !== parent || data?.kind !== "answer" || !open.has(data.id)) return
    const {resolve, reject} = open.get(data.id)
    open.delete(data.id)
    if (data.problem) reject(new Error(data.problem))
    else resolve(data.answer)
  })
  return queue(question => new Promise((resolve, reject) => {
    open.set(++last, {resolve, reject})
    parent.postMessage({kind: "question", id: last, question}, "*")
  }))
}

function server() {
  const given = new URLSearchParams(location.search).get("token")
  if (given) {
    sessionStorage.setItem("token", given)
    history.replaceState(null, "", location.pathname + location.hash)
  }
  const token = sessionStorage.getItem("token") ?? ""
  const send = async ({what, ...rest}) => {
    const headers = {"Content-Type": "application/json", "X-Semlang-Token": token}
    const response = await fetch(what, {method: "POST", headers, body: JSON.stringify(rest)})
    if (!response.ok) throw new Error(response.status === 403 ? "the address has no valid token: open the one that semlang serve prints" : await response.text())
    return response.json()
  }
  return queue(send)
}

function worker(onStage) {
  const python = new Worker(new URL("worker.js", location.href), {type: "module", name: "semlang"})
  const open = new Map()
  let last = 0
  python.onmessage = ({data}) => {
    if (data.stage) return onStage(data.stage)
    const {resolve, reject} = open.get(data.id)
    open.delete(data.id)
    if (data.problem) reject(new Error(data.problem))
    else resolve(data.answer)
  }
  python.onerror = event => {
    for (const {reject} of open.values()) reject(new Error(event.message || "the worker stopped"))
    open.clear()
  }
  const send = question => new Promise((resolve, reject) => {
    open.set(++last, {resolve, reject})
    python.postMessage({id: last, ...question})
  })
  return queue(send)
}

function queue(send) {
  const waiting = new Map()
  let busy = false
  const next = async () => {
    const first = waiting.keys().next()
    if (busy || first.done) return
    const {question, resolve, reject} = waiting.get(first.value)
    waiting.delete(first.value)
    busy = true
    try { resolve(await send(question)) } catch (problem) { reject(problem) }
    busy = false
    next()
  }
  return question => new Promise((resolve, reject) => {
    waiting.get(question.what)?.resolve(null) // it is out of date
    waiting.set(question.what, {question, resolve, reject})
    next()
  })
}
