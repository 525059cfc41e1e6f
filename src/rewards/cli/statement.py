"""`rewards statement`: everything about a member's points, as a text for the member or as JSON.

What does not live here: the text itself (`rewards.service.letter`).
"""

from __future__ import annotations

import sys

import msgspec

from rewards.basket import MemberRef
from rewards.cli.database import service
from rewards.errors import NotFound
from rewards.service.answers import EntryAnswer, StatementAnswer
from rewards.service.service import Service


def run(member: str, language: str | None, database: str | None, form: str) -> int:
    """Print the statement; raise `NotFound` `unknown-member`."""
    with service(database, existing=True) as opened:
        member_id = _found(opened, member)
        if form == "json":
            told = msgspec.json.encode(_whole(opened, member_id, language))
            sys.stdout.write(msgspec.json.format(told, indent=2).decode() + "\n")
        else:
            sys.stdout.write(opened.letter(member_id, limit=None, language=language)[0])
    return 0


def _found(opened: Service, member: str) -> str:
    try:
        return opened.member(MemberRef(id=member)).member_id
    except NotFound:
        return opened.member(MemberRef(card=member)).member_id


def _whole(opened: Service, member_id: str, language: str | None) -> StatementAnswer:
    entries: list[EntryAnswer] = []
    cursor: str | None = None
    while True:
        page = opened.statement(member_id, limit=200, cursor=cursor, language=language)
        entries += page.entries
        cursor = page.next_cursor
        if cursor is None:
            return StatementAnswer(page.member_id, entries, None)
