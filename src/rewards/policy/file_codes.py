"""The codes of a policy file as text and as YAML, before anything of it is understood.

What does not live here: the other codes (`codes`).
"""

from __future__ import annotations

TEXT = {
    "file-too-large": (
        "A policy file has at most 256 KiB. A file that long lists articles one by one; let the till send a category "
        "with each line, and select the category."
    ),
    "file-empty": (
        "The file holds nothing, or comments alone. A policy needs at least its head: `policy`, `program`, `title`, "
        "`currency` and `timezone`."
    ),
    "not-utf8": (
        "Policy files are UTF-8. The byte at this place is not; most often the file was saved in an older encoding, "
        "such as Windows-1252. Save it as UTF-8."
    ),
    "control-character": (
        "The file holds a character that can't be seen: a control character, a line break that programs do not agree "
        "on, or a mark that changes the order in which text is shown. What a reader sees must be what the engine "
        "reads, so it is refused."
    ),
    "tab": (
        "YAML indents by spaces, and programs show tabs in different widths. Set the editor to insert spaces, and "
        "replace the tabs."
    ),
    "yaml-syntax": (
        "The file is not YAML: a bracket or quote is open, a line is indented otherwise than its neighbours, or a `:` "
        "stands where none can. Nothing after this place was read, so there may be more to mend."
    ),
    "yaml-alias": (
        "YAML can name a value by `&name` and repeat it by `*name` or `<<`. A policy should be readable line by line, "
        "so each value is written out. For a set of lines that is used often, give it a name in `selections`."
    ),
    "yaml-tag": (
        "A tag such as `!!str` tells a YAML reader which type a value has. Here the key decides it: every value is "
        "read as the text that is written. To keep a text that begins with `!`, quote it."
    ),
    "yaml-directive": "Lines that begin with `%` speak to the YAML parser. A policy needs none.",
    "several-documents": (
        "A line `---` starts another YAML document. One file holds one policy; put the other into a file of its own."
    ),
    "key-not-text": (
        "The key of a map is a word. Here it is a map or a list; most often a `?`, a bracket or a brace is misplaced."
    ),
    "duplicate-key": (
        "A map has the same key twice. YAML readers would silently take the last one, and a rule would be lost; so it "
        "is refused. Both places are shown."
    ),
    "too-deep": (
        "Maps and lists are inside each other more than 32 times. No policy needs this; look for a bracket that is "
        "never closed."
    ),
    "too-many-parts": (
        "The file has more than 20,000 keys and values. Let the till send a category with each line, and select the "
        "category."
    ),
}
