"""The server: requests of an editor, answered from the analysis of the open text."""

from __future__ import annotations

from lsprotocol import types
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path

from semlang import __version__
from semlang.editors.lsp.analysis import SLOW, Analysis, analyse
from semlang.editors.lsp.completion import complete
from semlang.editors.lsp.datasets import Datasets
from semlang.editors.lsp.definition import definition
from semlang.editors.lsp.diagnostics import diagnostics, fixes
from semlang.editors.lsp.hover import hover
from semlang.editors.lsp.positions import Positions, normalised
from semlang.editors.lsp.symbols import symbols
from semlang.source import Source, Span
from semlang.syntax.printer import format_text

_SORTS = {
    "key": types.CompletionItemKind.Keyword,
    "operator": types.CompletionItemKind.Operator,
    "kind": types.CompletionItemKind.Class,
    "name": types.CompletionItemKind.Variable,
    "label": types.CompletionItemKind.Constant,
    "column": types.CompletionItemKind.Field,
    "function": types.CompletionItemKind.Function,
    "cluster": types.CompletionItemKind.Module,
    "class": types.CompletionItemKind.EnumMember,
    "link": types.CompletionItemKind.EnumMember,
    "argument": types.CompletionItemKind.Property,
    "option": types.CompletionItemKind.Property,
    "value": types.CompletionItemKind.Value,
    "file": types.CompletionItemKind.File,
}


class SemlangServer(LanguageServer):
    """A language server with the analyses of the texts that are open; `slow` are those whose data take long."""

    def __init__(self) -> None:
        super().__init__("semlang", __version__, text_document_sync_kind=types.TextDocumentSyncKind.Full)
        self.datasets = Datasets()
        self.analyses: dict[str, Analysis] = {}
        self.slow: set[str] = set()

    def refresh(self, uri: str, *, thorough: bool) -> None:
        """Read the current text of a document and publish its findings."""
        document = self.workspace.get_text_document(uri)
        path = to_fs_path(uri)
        source = Source(normalised(document.source), path or "untitled.sem")
        thorough = thorough or uri not in self.slow
        analysis = analyse(source, self.datasets, thorough=thorough)
        self.analyses[uri] = analysis
        if thorough:
            (self.slow.add if analysis.seconds > SLOW else self.slow.discard)(uri)
        found = diagnostics(analysis, self.positions(analysis))
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, found, document.version))

    def positions(self, analysis: Analysis) -> Positions:
        """Return the positions of a text in the units of the client."""
        encoding = self.workspace.position_encoding or "utf-16"
        return Positions(analysis.source.text, str(getattr(encoding, "value", encoding)))

    def at(self, uri: str, position: types.Position) -> tuple[Analysis, Positions, int]:
        """Return analysis, positions and offset of a place."""
        if uri not in self.analyses:
            self.refresh(uri, thorough=False)
        analysis = self.analyses[uri]
        positions = self.positions(analysis)
        return analysis, positions, positions.offset(position)


def make_server() -> SemlangServer:
    """Return a server that answers everything it can."""
    server = SemlangServer()
    _documents(server)
    _questions(server)
    return server


def _documents(server: SemlangServer) -> None:
    """Register what happens to documents."""

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def opened(ls: SemlangServer, params: types.DidOpenTextDocumentParams) -> None:
        ls.refresh(params.text_document.uri, thorough=True)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def changed(ls: SemlangServer, params: types.DidChangeTextDocumentParams) -> None:
        ls.refresh(params.text_document.uri, thorough=False)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def saved(ls: SemlangServer, params: types.DidSaveTextDocumentParams) -> None:
        del params
        for uri in list(ls.analyses):  # another open text may include the one that was saved
            ls.refresh(uri, thorough=True)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(ls: SemlangServer, params: types.DidCloseTextDocumentParams) -> None:
        uri = params.text_document.uri
        ls.analyses.pop(uri, None)
        ls.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))


def _questions(server: SemlangServer) -> None:
    """Register what an editor may ask."""

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    def on_hover(ls: SemlangServer, params: types.HoverParams) -> types.Hover | None:
        analysis, at, offset = ls.at(params.text_document.uri, params.position)
        found = hover(analysis, offset)
        if found is None:
            return None
        return types.Hover(types.MarkupContent(types.MarkupKind.PlainText, found[0]), at.range(found[1]))

    triggers = types.CompletionOptions(trigger_characters=["=", "~", ":", "|", "[", "@", "(", '"'])

    @server.feature(types.TEXT_DOCUMENT_COMPLETION, triggers)
    def on_completion(ls: SemlangServer, params: types.CompletionParams) -> types.CompletionList:
        analysis, at, offset = ls.at(params.text_document.uri, params.position)
        items = [
            types.CompletionItem(
                label=s.text.strip(),
                kind=_SORTS[s.sort],
                detail=s.detail,
                sort_text=f"{i:05d}",
                filter_text=s.text,
                text_edit=types.TextEdit(at.range(Span(offset - s.replaces, offset)), s.text),
            )
            for i, s in enumerate(complete(analysis, offset))
        ]
        return types.CompletionList(is_incomplete=False, items=items)

    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    def on_definition(ls: SemlangServer, params: types.DefinitionParams) -> types.Location | None:
        analysis, at, offset = ls.at(params.text_document.uri, params.position)
        return definition(analysis, at, params.text_document.uri, offset)

    kinds = types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix])

    @server.feature(types.TEXT_DOCUMENT_CODE_ACTION, kinds)
    def on_code_action(ls: SemlangServer, params: types.CodeActionParams) -> list[types.CodeAction]:
        analysis, at, _ = ls.at(params.text_document.uri, params.range.start)
        return list(fixes(analysis, at, params.text_document.uri, params.range))

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def on_symbols(ls: SemlangServer, params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
        analysis, at, _ = ls.at(params.text_document.uri, types.Position(0, 0))
        return list(symbols(analysis, at))

    @server.feature(types.TEXT_DOCUMENT_FORMATTING)
    def on_formatting(ls: SemlangServer, params: types.DocumentFormattingParams) -> list[types.TextEdit]:
        analysis, at, _ = ls.at(params.text_document.uri, types.Position(0, 0))
        text = analysis.source.text
        new = format_text(analysis.source)
        return [] if new == text else [types.TextEdit(at.range(Span(0, len(text))), new)]
