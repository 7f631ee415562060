// After the first visit the page works without a network: what it once loaded is kept, by version.
// `sw.js?version` is the version; the files of other versions are dropped.

const KEPT = "semlang " + new URL(location.href).search

self.addEventListener("install", event => {
  const shell = ["./", "index.html", "page.js", "page.css", "worker.js", "site.json", "gallery.json", "lessons.json"]
  event.waitUntil(caches.open(KEPT).then(c => c.addAll(shell)).then(() => self.skipWaiting()))
})

self.addEventListener("activate", event => {
  const drop = names => Promise.all(names.filter(n => n.startsWith("semlang ") && n !== KEPT).map(n => caches.delete(n)))
  event.waitUntil(caches.keys().then(drop).then(() => self.clients.claim()))
})

self.addEventListener("fetch", event => {
  if (event.request.method !== "GET") return
  event.respondWith((async () => {
    const cache = await caches.open(KEPT)
    const kept = await cache.match(event.request, {ignoreVary: true})
    if (kept) return kept
    const fresh = await fetch(event.request)
    if (fresh.ok && fresh.type !== "opaque") cache.put(event.request, fresh.clone())
    return fresh
  })())
})
