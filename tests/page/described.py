"""Whether a value is as a JSON schema says: the few words of it that the page's schema uses."""

from __future__ import annotations

from typing import Any

TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "null": type(None),
}
WORDS = {
    "$schema", "$defs", "$ref", "title", "description", "type", "enum", "anyOf", "items", "properties", "required",
    "additionalProperties",
}  # fmt: skip


def problems(value: Any, schema: dict[str, Any], whole: dict[str, Any], at: str = "answer") -> list[str]:
    """Return what is not as the schema says, an empty list where all is."""
    assert set(schema) <= WORDS, f"a word of JSON schemas that is not known here: {set(schema) - WORDS}"
    if "$ref" in schema:
        return problems(value, whole["$defs"][schema["$ref"].removeprefix("#/$defs/")], whole, at)
    if "anyOf" in schema:
        each = [problems(value, s, whole, at) for s in schema["anyOf"]]
        return [] if not all(each) else each[-1]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{at}: {value!r} is none of {schema['enum']}"]
    if "type" in schema:
        fits = isinstance(value, TYPES[schema["type"]])
        if not fits or (isinstance(value, bool) and schema["type"] in ("integer", "number")):
            return [f"{at}: {value!r} is no {schema['type']}"]
    out = []
    if isinstance(value, dict):
        known = schema.get("properties", {})
        out += [f"{at}: {name} is missing" for name in schema.get("required", ()) if name not in value]
        if schema.get("additionalProperties") is False:
            out += [f"{at}: {name} is not described" for name in value if name not in known]
        for name, part in value.items():
            out += problems(part, known[name], whole, f"{at}.{name}") if name in known else []
    if isinstance(value, list) and "items" in schema:
        for k, part in enumerate(value):
            out += problems(part, schema["items"], whole, f"{at}[{k}]")
    return out
