// The page in a notebook: a frame with the page in it; its questions go to the kernel, its text to the widget's model.

function render({model, el}) {
  const frame = document.createElement("iframe")
  frame.title = "semlang"
  frame.srcdoc = model.get("page")
  frame.style.cssText = `width: 100%; height: ${model.get("height")}px; border: 1px solid #8884; border-radius: 4px`
  const tell = message => frame.contentWindow?.postMessage(message, "*")
  const heard = ({source, data}) => { // of this frame alone
    if (source !== frame.contentWindow || !data) return
    if (data.kind === "question") model.send({id: data.id, ...data.question})
    if (data.kind === "ready") tell({kind: "text", text: model.get("text")})
    if (data.kind === "text" && data.text !== model.get("text")) {
      model.set("text", data.text)
      model.save_changes()
    }
  }
  const answered = message => tell({kind: "answer", ...message})
  const changed = () => tell({kind: "text", text: model.get("text")})
  addEventListener("message", heard)
  model.on("msg:custom", answered)
  model.on("change:text", changed)
  el.append(frame)
  return () => {
    removeEventListener("message", heard)
    model.off("msg:custom", answered)
    model.off("change:text", changed)
  }
}

export default {render}
