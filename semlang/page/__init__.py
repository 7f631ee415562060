"""The live page: a text becomes everything that is shown of it, as plain data; the page, its server and its site."""
