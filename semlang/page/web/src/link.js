// A text as the fragment of an address: deflate, then base64 with the letters of addresses.

export async function packed(text) {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("deflate-raw"))
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer())
  let letters = ""
  for (let k = 0; k < bytes.length; k += 4096) letters += String.fromCharCode(...bytes.subarray(k, k + 4096))
  return btoa(letters).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "")
}

const LARGEST = 262144 // bytes of a model text; what unpacks to more is no model

export async function unpacked(fragment) {
  try {
    const letters = atob(fragment.replace(/-/g, "+").replace(/_/g, "/"))
    const bytes = Uint8Array.from(letters, c => c.charCodeAt(0))
    const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader()
    const parts = []
    let size = 0
    for (;;) {
      const {done, value} = await reader.read()
      if (done) break
      size += value.length
      if (size > LARGEST) { reader.cancel(); return null }
      parts.push(value)
    }
    return await new Blob(parts).text()
  } catch {
    return null // an address that somebody cut
  }
}
