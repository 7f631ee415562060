// Python counts code points, JavaScript UTF-16 units.

export function offsets(text) {
  if (!/[\ud800-\udfff]/.test(text)) return {toUnits: k => Math.min(k, text.length), toPoints: k => Math.min(k, text.length)}
  const units = [0]
  for (const c of text) units.push(units[units.length - 1] + c.length)
  const points = new Array(text.length + 1)
  for (let p = 0; p + 1 < units.length; p++) for (let u = units[p]; u < units[p + 1]; u++) points[u] = p
  points[text.length] = units.length - 1
  return {toUnits: k => units[Math.min(k, units.length - 1)], toPoints: k => points[Math.min(k, text.length)]}
}
