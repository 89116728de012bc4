#!/usr/bin/env python3
"""Verifies recordings and all that proves them, and says in a lawyer's words what is proven and what isn't.

    python verify.py [PATH] [--trust KEYID] [--anchor SEQUENCE:HASH] [--authority FILE] [--language zh|en] [--json] [--sm3]

PATH is a package (a folder or a ZIP), a data folder, a folder of recordings, or one manifest; without it, the folder
in which this file lies. This one file needs Python 3.9 or newer, and the library `cryptography` or the program
`openssl`; it imports nothing else, writes nothing, and asks no network.

Exit codes: 0 everything is here, unchanged and proven; 1 something was changed, forged, removed or is missing; 2 nothing speaks
against it, but not all of it is proven; 3 PATH can't be read; 4 all is whole in itself, but nobody named the key that
the court has published (`--trust`): somebody else may have made all of it anew, with keys of his own.

What it holds against what is written in `FORMATS.md`. Whoever reads this as an adversary may assume that everything
could be rewritten except: the private keys, the key id that the court has published (`--trust`), and a copy of the
newest anchor kept elsewhere (`--anchor`). Without the first, all of it could be made anew with other keys; without the
second, all of it could have been put back to an earlier day. The report says so.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import io
import json
import math
import os
import re
import shutil
import stat
import struct
import subprocess
import sys
import tempfile
import zipfile
import zlib
from array import array
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from enum import IntEnum
from pathlib import Path
from typing import Any

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    HAS_CRYPTOGRAPHY = True
except Exception:  # noqa: BLE001 - a broken installation of the library fails in ways of its own; `openssl` is next
    HAS_CRYPTOGRAPHY = False

VERIFIER = 1
"""Which version of this file it is."""

FIRST = bytes(32)
"""What a ledger's first line names as the one before."""
SIGNATURE_MARK = b',"signature":"'
KEY_ID_DIGITS = 16

CLOCK_SLACK_MS = 60_000
"""By so much the clocks of the court's machines may differ where a key's term is held against what it signed."""
HOLE_MS = 2_000
"""So long may nothing be recorded without a word: fragments overlap and meet by their own clocks."""
LATE_ANCHOR_MS = 15 * 60_000
"""What a retired key signed must have been anchored by then; otherwise it could have been made later."""

LONGEST_LINE = 16 << 20
LONGEST_MANIFEST_LINE = 1 << 18
LONGEST_PACKAGE = 64 << 20
LONGEST_TEXT = 1000
LARGEST_NUMBER = 1 << 53
DEEPEST_FOLDER = 16
LARGEST_DIRECTORY = 32 << 20
"""Of a ZIP: more can't come from an honest package, and would fill the memory."""
BOMB_RATIO = 30
BOMB_FLOOR = 256 << 20

BUFFER = 1 << 20
WORKERS = max(2, min(4, os.cpu_count() or 2))
MOST_WAITING = 64
"""Segments that are queued to be read, with the hashes of their fragments."""
UNFINISHED_BYTES = 8
"""So many of a fragment's bytes, its first, the recorder writes last of all."""
KEPT_OF_A_CODE = 50
"""Findings of one kind that are told one by one; of the others only the number is."""
KEPT_GAPS = 40
TOOL_SECONDS = 20


# ======================================================================================================================
# Words: every finding's code with its weight and its sentence in Chinese and English


class Grade(IntEnum):
    """How much a finding weighs."""

    NOTE = 0
    """Told; nothing is held against anything."""
    UNPROVEN = 1
    """Nothing speaks against it, but it isn't proven (yet)."""
    BROKEN = 2
    """It isn't what was signed, or something is gone that nobody has accounted for."""


_N, _U, _B = Grade.NOTE, Grade.UNPROVEN, Grade.BROKEN

# fmt: off
CODES: Mapping[str, tuple[Grade, str, str]] = {
    # The key ring
    "keys-missing": (_B, "没有可用的密钥簿（proof/keys.jsonl），任何签名都无从核对。", "There is no usable key ring (proof/keys.jsonl): no signature could be checked."),
    "no-keys": (_U, "此处没有密钥簿，签名未能核对。", "There is no key ring here, so no signature could be checked."),
    "no-signatures": (_U, "本机既无 cryptography 库也无可用的 openssl 程序，签名未能核对。", "This machine has neither the library cryptography nor a usable openssl program, so no signature could be checked."),
    "first-key": (_B, "密钥簿第一行不是由法院自己的密钥自签的。", "The key ring's first line isn't the court's key, signed by itself."),
    "first-key-foreign": (_B, "密钥簿的第一把密钥是 {key}，不是所指定的法院公布的密钥。", "The key ring begins with the key {key}, which isn't the one named as published by the court."),
    "key-wrong": (_B, "密钥 {key} 的编号与其公钥不符。", "The id of the key {key} doesn't fit its public half."),
    "key-twice": (_B, "密钥 {key} 登记了两次。", "The key {key} is entered twice."),
    "key-owner": (_B, "密钥 {key} 的所有者既不是法院，也不是媒体节点。", "The key {key} belongs neither to the court nor to a media node."),
    "retired-unknown": (_B, "停用了一把未曾登记的密钥 {key}。", "A key is retired that was never entered: {key}."),
    # Any ledger
    "ledger-missing": (_B, "{source}记载的账簿不见了，且没有任何说明。", "{source} tells of this ledger; it is gone, and nothing accounts for it."),
    "ledger-empty": (_U, "账簿没有一行完整的记录。", "The ledger hasn't one whole line."),
    "ledger-opening": (_B, "账簿的首行不是它应有的开头。", "The ledger doesn't begin as it must."),
    "ledger-name": (_B, "内容属于“{found}”，文件名却不是：文件被换过或移动过。", "What it holds is of “{found}”, and its file's name says otherwise: it was swapped or moved."),
    "line-unreadable": (_B, "该行无法读取（{reason}）。", "This line can't be read ({reason})."),
    "line-too-long": (_B, "该行过长，其后未再读取。", "This line is too long; nothing after it was read."),
    "line-unknown": (_N, "未知类型“{kind}”的记录，本程序不解释其含义。", "A line of the type “{kind}”, which this program doesn't know and doesn't interpret."),
    "chain-broken": (_B, "该行与前一行不相衔接：有记录被改动、删除、插入或调换。", "This line doesn't follow the one before: lines were changed, taken out, put in or moved."),
    "line-torn": (_U, "末行不完整（写入中断，或正在写入），不计入。", "The last line is unfinished (its writing was cut short, or is under way) and doesn't count."),
    "signature-missing": (_B, "该行应有签名而没有。", "This line must be signed and isn't."),
    "signature-bad": (_B, "该行的签名不成立：不是密钥 {key} 签署的内容。", "This line's signature is false: this isn't what the key {key} signed."),
    "signer-unknown": (_B, "由密钥簿中没有的密钥 {key} 签署。", "Signed by a key that isn't in the key ring: {key}."),
    "signer-not-entitled": (_B, "由 {owner} 的密钥 {key} 签署，应由 {wanted} 签署。", "Signed by the key {key} of {owner}; it had to be signed by {wanted}."),
    "signer-retired": (_B, "密钥 {key} 已于 {retired} 停用，却在 {at} 签署。", "The key {key} was retired at {retired} and signed this at {at}."),
    "signer-early": (_B, "密钥 {key} 于 {known} 才登记，签署时间却是 {at}。", "The key {key} was entered only at {known}, and signed this at {at}."),
    "signer-replaced": (_U, "密钥 {key} 已于 {replaced} 被后继密钥取代，此处却没有其停用记录，它又在 {at} 签署：不能排除停用记录被隐去。", "The key {key} was replaced at {replaced} and signed this at {at}; that it was retired isn't entered here, and may have been taken out."),
    "signed-late": (_U, "由已停用的密钥签署，没有及时的锚点为证：无法证明是在停用之前签署的。", "Signed by a key that was retired, and no anchor of that time tells of it: that it was signed before isn't proven."),
    "signed-unvouched": (_U, "{lines} 行由已停用的密钥签署，其后还没有后继密钥签署的锚点（更换密钥后约一分钟才有），暂不能证明是在停用之前签署的。", "Lines that were signed by a key which is retired now: {lines}. No anchor by its successor stands behind them yet (one follows about a minute after a change of keys), so that they were signed before isn't proven yet."),
    "cut-off": (_B, "{source}记载有 {told} 行，此处只有 {found} 行：尾部被截去。", "{source} tells of {told} lines, {found} are here: the end was cut off."),
    "not-as-told": (_B, "该行与{source}记载的不符：在那之后被改写。", "This line isn't the one that {source} holds: it was rewritten afterwards."),
    "tail-unsigned": (_U, "末尾 {lines} 行尚未签署，也未锚定，暂不能证明。", "The last {lines} lines are neither signed nor anchored yet, and not proven."),
    "not-anchored": (_U, "末尾 {lines} 行已签署但尚未锚定：自何时起存在，尚不能证明。", "The last {lines} lines are signed but not anchored yet: since when they stand isn't proven."),
    "excerpt": (_N, "此账簿是摘录：另有 {lines} 行未收入本包，只留其行数与哈希；各行仍按整本账簿编号。略去的行只涉及他人，仅以法院对本包的签名为据，此处无从核对。", "This is an excerpt of the ledger: {lines} lines were left out and are told by their number and hash only; the lines here keep their numbers in the whole. That those left out speak of others alone rests on the court's signature of the package and can't be checked here."),
    "excerpt-absent": (_N, "此账簿的 {lines} 行全部未收入本包，只留其行数与哈希，故包内没有此文件。略去的行只涉及他人，仅以法院对本包的签名为据，此处无从核对。", "All {lines} lines of this ledger were left out and are told by their number and hash only, so this file isn't in the package. That they speak of others alone rests on the court's signature of the package and can't be checked here."),
    "keys-left-out": (_U, "密钥簿略去了 {lines} 行（早期的包如此）：其中可能有停用密钥的记录，因此不能证明签署所用的密钥当时有效。请法院重新导出。", "{lines} lines of the key ring were left out, as earlier packages did: among them may be that a key was retired, so it isn't proven that the keys were in force. Have the court export it anew."),
    "excerpt-false": (_B, "包声明此处略去了行，账簿却不是这样：声明不实。", "The package declares that lines were left out here, and the ledger says otherwise: the declaration is false."),
    "excerpt-unsound": (_B, "制包时，略去的第 {first} 至 {last} 行已不相衔接，法院在包中如实声明：账簿此前被改动过。", "When the package was made, the lines {first} to {last} that were left out no longer followed each other, as the package itself declares: the ledger had been changed before."),
    "file-unreadable": (_U, "文件无法读取（{reason}）。", "The file can't be read ({reason})."),
    "file-damaged": (_B, "压缩包中的文件已损坏（{reason}）。", "The file is damaged within the ZIP ({reason})."),
    # Anchors and time stamps
    "no-anchors": (_U, "没有锚点簿：自何时起存在，不能证明；尾部是否被截去，也无从发现。", "There are no anchors: since when anything stands isn't proven, and a cut-off end couldn't be noticed."),
    "anchors-missing": (_B, "其他账簿引用了锚点，锚点簿却不存在。", "Other ledgers name anchors, and the ledger of anchors is gone."),
    "anchor-sequence": (_B, "锚点编号应为 {wanted}，实为 {found}。", "The anchor's number is {found}; it had to be {wanted}."),
    "anchor-shrank": (_B, "“{name}”的行数比先前锚定的少。", "“{name}” has fewer lines than it had in an earlier anchor."),
    "anchor-clock": (_N, "锚点时间比前一个早：法院的时钟曾被回拨。", "This anchor's time is before that of the last one: the court's clock was set back."),
    "anchor-gone": (_B, "引用了第 {sequence} 号锚点，锚点簿只到第 {last} 号：锚点簿被截短。", "It names anchor {sequence}, and the ledger of anchors ends with {last}: its end was cut off."),
    "anchor-left-out": (_B, "引用的第 {sequence} 号锚点未收入摘录，而摘录应当收入它。", "It names anchor {sequence}, which the excerpt lacks and ought to have."),
    "anchor-differs": (_B, "引用的第 {sequence} 号锚点与锚点簿中的不同：锚点簿被改写。", "The anchor {sequence} that it names isn't the one in the ledger of anchors, which was rewritten."),
    "anchor-order": (_B, "签署时引用的锚点（第 {sequence} 号）并不早于锚定它的锚点（第 {cover} 号）。", "It names anchor {sequence}, which isn't older than the one that anchored it, {cover}."),
    "known-anchor-gone": (_B, "所指定的第 {sequence} 号锚点不在锚点簿中（只到第 {last} 号）：整套数据被退回到更早的状态。", "The anchor {sequence} that you named isn't here (the last is {last}): all of this was put back to an earlier state."),
    "known-anchor-differs": (_B, "第 {sequence} 号锚点与所指定的不同：锚点簿被改写。", "Anchor {sequence} isn't the one that you named: the anchors were rewritten."),
    "known-anchor-left-out": (_U, "所指定的第 {sequence} 号锚点不在摘录之列，无从比较（这对本包并无不利）：请以法院的整本锚点簿核对。", "The anchor {sequence} that you named isn't in this excerpt and couldn't be compared, which says nothing against the package: hold it against the court's whole ledger of anchors."),
    "known-anchor-newer": (_U, "所指定的第 {sequence} 号锚点比本包的最新锚点（第 {last} 号）更新，无从比较：若是制包（{made}）之后记下的，这对本包并无不利；若是之前记下的，则本包被退回到更早的状态。请以法院的整本锚点簿核对。", "The anchor {sequence} that you named is newer than the newest here ({last}) and couldn't be compared. If it was noted after the package was made ({made}), that says nothing against it; if before, all of this was put back to an earlier state. Hold it against the court's whole ledger of anchors."),
    "timestamp-wrong": (_B, "时间戳不属于它所指的锚点。", "The time stamp isn't of the anchor that it names."),
    "timestamp-unreadable": (_B, "时间戳无法读取（{reason}）。", "The time stamp can't be read ({reason})."),
    "timestamp-forged": (_B, "时间戳的签名不成立。", "The time stamp's signature is false."),
    "timestamp-clock": (_N, "时间戳的时间（{stamped}）早于锚点所写的时间（{at}）：法院的时钟当时偏快。", "The time stamp's time ({stamped}) is before the one that the anchor gives ({at}): the court's clock was ahead."),
    # Tombstones
    "tombstone-alone": (_B, "删除记录的提出人与批准人是同一人。", "The same person proposed and approved this deletion."),
    "tombstone-present": (_N, "第 {number} 段已被记为删除，文件却仍在。", "Segment {number} is recorded as deleted, and its file is still here."),
    # Journals
    "journal-missing": (_B, "行动的日志不在包内。", "The operation's journal isn't in the package."),
    "journal-order": (_B, "日志条目的编号没有递增。", "The entry's number doesn't rise."),
    "journal-count": (_B, "签署时写明有 {told} 条，实有 {found} 条。", "Its seal tells of {told} entries, {found} are here."),
    "body-differs": (_B, "第 {id} 条的内容与日志中的摘要不符：内容被改动。", "The text of entry {id} doesn't fit its digest in the journal: it was changed."),
    "body-missing": (_B, "第 {id} 条的内容不见了，且未声明隐去。", "The text of entry {id} is gone, and isn't declared as withheld."),
    "body-awaited": (_U, "第 {id} 条的内容尚未写入（该条也尚未签署）。", "The text of entry {id} isn't here yet (the entry isn't sealed either)."),
    "body-foreign": (_U, "有一条内容（编号 {id}）在日志中没有对应的条目，它不能证明什么。", "A text (number {id}) that no entry of the journal knows; it proves nothing."),
    "body-ahead": (_U, "末尾 {lines} 条内容尚未记入日志，暂不能证明。", "The last {lines} texts aren't in the journal yet, and not proven."),
    "body-unreadable": (_B, "内容文件的该行不是应有的样子（{reason}）。", "This line of the texts isn't as it must be ({reason})."),
    # Manifests
    "version-1": (_U, "第 1 版录像清单：既无链也无签名，不能自证；此处只核对了其中自述的哈希值。", "A manifest of version 1, with neither chain nor signature: it can't prove itself. Only the hashes that it tells itself were checked."),
    "manifest-twice": (_B, "同一录像有两份清单。", "There are two manifests of this recording."),
    "manifest-order": (_B, "清单的记录次序不成立（{reason}）。", "The manifest's lines contradict each other ({reason})."),
    "manifest-open": (_U, "录像尚未结束：最后一段以后的内容还没有签署。", "The recording isn't closed: what follows its last sealed segment isn't signed yet."),
    "segment-open": (_U, "第 {number} 段尚未封存签署。", "Segment {number} isn't sealed yet."),
    "node-clock": (_N, "第 {number} 段：按节点时钟结束于 {ended}，按法院时钟却应在 {after} 与 {cover} 之间封存：两者的时钟不一致。", "Segment {number} ended at {ended} by its node's clock and was sealed between {after} and {cover} by the court's: their clocks differ."),
    "time-hole": (_N, "{since} 至 {until} 没有录像，录像机也没有声明缺口。", "From {since} to {until} nothing is recorded, and the recorder declares no gap."),
    "segment-lost": (_N, "第 {number} 段：停电使末尾 {fragments} 个片段丢失，由录像机恢复时签字声明。", "Segment {number}: fragments at its end that a power cut lost: {fragments}; the recorder has declared so with its signature."),
    "media-missing": (_B, "第 {number} 段的文件不见了，且没有任何说明。", "The file of segment {number} is gone, and nothing accounts for it."),
    "media-missing-told": (_B, "第 {number} 段的文件在制包时法院处已不存在，包内已如实声明；其去向没有说明。", "The file of segment {number} was no longer there when the package was made, as the package itself declares; nothing accounts for it."),
    "media-short": (_B, "第 {number} 段的文件只有 {found} 字节，应有 {wanted} 字节：被截短。", "The file of segment {number} has {found} bytes and must have {wanted}: it was cut."),
    "media-long": (_B, "第 {number} 段的文件末尾多出 {extra} 字节。", "{extra} bytes were added at the end of segment {number}'s file."),
    "media-rest": (_N, "第 {number} 段文件末尾有 {extra} 字节不属于录像（中断时遗留，未经签署，不作证据）。", "The last {extra} bytes of segment {number}'s file are no part of the recording (left by a crash, unsigned, no evidence)."),
    "media-rest-shows": (_U, "第 {number} 段文件末尾有 {extra} 字节不属于录像，播放器却可能播放它们：未经签署，不作证据，勿以此文件的末尾为据。", "The last {extra} bytes of segment {number}'s file are no part of the recording, and a player may show them all the same: unsigned, no evidence, not to be relied upon."),
    "media-header": (_B, "第 {number} 段的文件头被改动。", "The header of segment {number}'s file was changed."),
    "media-fragment": (_B, "第 {number} 段有 {count} 个片段被改动、调换或替换（第一个是第 {first} 号，时间 {at}）。", "Fragments of segment {number} that were changed, moved or replaced: {count} (the first is number {first}, at {at})."),
    "media-whole": (_B, "第 {number} 段整个文件的哈希值与签署的不符。", "The hash of segment {number}'s whole file isn't the one that was signed."),
    "media-unreadable": (_U, "第 {number} 段的文件无法读取（{reason}）。", "The file of segment {number} can't be read ({reason})."),
    "media-damaged": (_B, "第 {number} 段的文件在压缩包中已损坏（{reason}）。", "The file of segment {number} is damaged within the ZIP ({reason})."),
    "media-stray": (_U, "没有任何清单提到此文件，它不能证明什么。", "No manifest tells of this file; it proves nothing."),
    "recording-missing": (_B, "{source}记载的录像不见了（清单也不在），且没有任何说明。", "{source} tells of this recording; its manifest is gone, and nothing accounts for it."),
    # Packages
    "package-line": (_B, "package.json 无法读取或不成立（{reason}），包内其余内容因此未再核对。", "package.json can't be read, or makes no sense ({reason}); so nothing else in the package was verified."),
    "package-file-missing": (_B, "包的目录列有此文件，包内却没有。", "The package's list has this file; the package hasn't."),
    "package-file-added": (_B, "包内有此文件，包的目录却没有。", "This file is in the package and not in its list."),
    "package-file-changed": (_B, "文件与包的目录所列的不符：被改动。", "The file isn't the one in the package's list: it was changed."),
    "package-name": (_B, "包内的文件名不安全或重复。", "A name in the package that is unsafe, or there twice."),
    "package-packing": (_B, "这个 ZIP 不是法院打包的原样：它的目录被改动，或被重新打包过。如系重新打包，请解压后核对文件夹。", "This ZIP isn't as the court packs it: its own directory was changed, or it was packed anew. If the latter, unpack it and verify the folder."),
    "nothing-found": (_U, "此处没有可核对的录像或账簿。", "There is nothing here to verify."),
    # The database of an installation
    "audit-broken": (_B, "审计链在第 {entry} 条断裂（{reason}）。", "The audit is broken at entry {entry} ({reason})."),
    "audit-not-as-anchored": (_B, "审计的第 {entry} 条与第 {sequence} 号锚点记载的不符。", "Entry {entry} of the audit isn't the one that anchor {sequence} holds."),
    "database-row": (_B, "数据库与账簿不符：{table} 的 {fields}。", "The database differs from the ledgers: {table}, {fields}."),
    "database-extra": (_B, "数据库中有账簿没有记载的内容：{table}。", "The database holds what no ledger tells of: {table}."),
    "database-missing": (_B, "账簿有记载，数据库中却没有：{table}。", "The ledgers tell of what the database hasn't: {table}."),
    "database-behind": (_U, "数据库尚未收入最新的 {lines} 行。", "The database hasn't taken in the newest {lines} lines yet."),
    "database-waiting": (_U, "数据库中有 {lines} 条日志很久未写入日志文件。", "{lines} entries of the database have waited long to be written into the journal."),
    # This program
    "stopped": (_B, "核对程序自身出错而中止（{reason}），此次核对不能证明任何事。", "The verifier itself failed and stopped ({reason}); this run proves nothing."),
}

REASONS: Mapping[str, tuple[str, str]] = {
    "opened-twice": ("开头出现两次", "it begins twice"),
    "after-closed": ("结束之后还有记录", "there are lines after its end"),
    "segment-number": ("段的编号不连续", "its segments aren't numbered one after the other"),
    "segment-place": ("段的文件不在清单旁边", "a segment's file doesn't belong beside it"),
    "fragment-nowhere": ("片段不属于任何正在写入的段", "a fragment of no segment that is open"),
    "fragment-number": ("片段的编号不连续", "its fragments aren't numbered one after the other"),
    "fragment-offset": ("片段之间不相接", "its fragments don't join"),
    "seal-nowhere": ("封存了没有打开的段", "a segment is sealed that isn't open"),
    "seal-fragments": ("封存的片段数与清单不符", "a seal tells of other fragments than there are"),
    "seal-bytes": ("封存的字节数与清单不符", "a seal tells of other bytes than there are"),
    "closed-segments": ("结束时写明的段数与清单不符", "its end tells of other segments than there are"),
}

SOURCES: Mapping[str, tuple[str, str]] = {
    "anchor": ("第 {number} 号锚点", "Anchor {number}"),
    "journal": ("行动日志（第 {number} 条）", "The operation's journal (entry {number})"),
    "tombstone": ("删除记录（第 {number} 行）", "A tombstone (line {number})"),
}

# fmt: off
LABELS: Mapping[str, tuple[str, str]] = {
    "title": ("录像证据核对报告", "Verification of recordings"),
    "path": ("核对对象", "What was verified"),
    "scope-package": ("导出包（行动 {operation}，制作于 {made}）", "an exported package (operation {operation}, made at {made})"),
    "scope-data": ("数据文件夹", "a data folder"),
    "scope-recordings": ("录像文件夹", "a folder of recordings"),
    "scope-manifest": ("一份录像清单", "one manifest"),
    "result": ("结论", "Result"),
    "result-0": ("完整。全部内容都在，未经改动，并已证明。", "WHOLE. Everything is here, unchanged, and proven."),
    "result-1": ("不完整或被改动。见“问题”。", "BROKEN. Something was changed, removed or forged: see “What is wrong”."),
    "result-missing": ("有缺失。如包内声明，制包时有录像文件已不存在，其去向没有说明；对在此的内容，未发现改动。见“问题”。", "INCOMPLETE. Recorded files were missing when this package was made, as it says itself, and nothing accounts for them; nothing speaks against what is here: see “What is wrong”."),
    "result-2": ("未发现改动，但尚有内容未能证明。见“尚未证明”。", "NOT WHOLLY PROVEN. Nothing speaks against it, but not all of it is proven: see “Not proven”."),
    "result-4": ("自身完整，但未与法院公布的密钥比较：他人用自己的密钥重做一套，也会如此。请以 --trust 指定法院公布的密钥编号。", "WHOLE IN ITSELF, NOT COMPARED with the key that the court has published: what somebody made anew with keys of his own would look the same. Name the published id with --trust."),
    "times": ("时间均为北京时间（UTC+8）", "Times are Beijing time (UTC+8)"),
    "basis": ("证明的依据", "What the proof rests on"),
    "first-key": ("法院的第一把密钥：{key}", "The court's first key: {key}"),
    "fingerprint": ("其完整指纹（公钥的 SHA-256）：{fingerprint}", "Its whole fingerprint (SHA-256 of the public key): {fingerprint}"),
    "trust-compare": ("一切都以它为据。请务必将此编号与法院公布的编号相比较（或以 --trust 指定）：若不一致，本报告毫无意义。", "Everything rests on it. Compare this id with the one that the court has published (or name that one with --trust): if they differ, this report means nothing."),
    "trust-matches": ("与所指定的法院公布的密钥一致。", "It is the one that you named as published by the court."),
    "trust-differs": ("与所指定的法院公布的密钥不一致！", "It is NOT the one that you named as published by the court!"),
    "trust-own": ("本机以自己的密钥簿为据；交给他人时，仍须与法院公布的编号相比较。", "This installation rests on its own key ring; whoever is given anything of it must compare the id with the published one."),
    "no-key": ("没有密钥可依。", "There is no key to rest on."),
    "keys": ("密钥簿：{keys} 把密钥，其中 {retired} 把已停用", "Key ring: {keys} keys, {retired} of them retired"),
    "anchors": ("锚点：{count} 个，首个 {first}，末个 {last}", "Anchors: {count}, the first at {first}, the last at {last}"),
    "newest-anchor": ("最新锚点：{sequence}:{hash}", "The newest anchor: {sequence}:{hash}"),
    "anchor-compare": ("它之后若曾有内容被整体截去，只有与另存他处的最新锚点比较才能发现（--anchor）。", "That nothing later was cut off as a whole only a copy of a newer anchor, kept elsewhere, can show (--anchor)."),
    "anchor-clock-only": ("锚点的时间出自法院自己的时钟；没有外部的时间戳，对不信任法院的人不能证明时间。", "The anchors' times are by the court's own clock; without a time stamp from outside they prove no time to whoever doesn't trust the court."),
    "anchor-matches": ("与所指定的锚点一致。", "The anchor that you named is among them."),
    "stamps": ("可信时间戳（RFC 3161）：{count} 个，首个 {first}，末个 {last}", "Time stamps (RFC 3161): {count}, the first at {first}, the last at {last}"),
    "stamps-trusted": ("其中 {count} 个的签名与机构均已核对", "the signature and the authority of {count} of them were checked"),
    "stamps-signed": ("其中 {count} 个的签名与其自带的证书相符，该证书是否可信未核对（用 --authority 指定机构的根证书）", "{count} bear a good signature by the certificate within them; whether that one is to be trusted wasn't checked (name the authority's root with --authority)"),
    "stamps-unchecked": ("其中 {count} 个的签名未核对（没有可用的 openssl）", "the signatures of {count} weren't checked (no usable openssl)"),
    "stamps-unneeded": ("其中 {count} 个与所指锚点相符，但结论不以其为据，其签名未核对", "{count} are of the anchors that they name; nothing said here rests on them, so their signatures weren't checked"),
    "recordings": ("录像", "Recordings"),
    "recording": ("录像 {id}　来源 {feed}　节点 {node}", "Recording {id}, of {feed}, by {node}"),
    "closed-by": ("结束原因：{reason}", "It ended because of: {reason}"),
    "span": ("{since} 至 {until}（第 {first}–{last} 段）：{state}", "{since} to {until} (segments {first}–{last}): {state}"),
    "span-proven": ("已证明：至迟自 {proven}（第 {anchor} 号锚点）起未经改动", "proven: unchanged since {proven} at the latest (anchor {anchor})"),
    "span-stamped": ("，时间戳 {stamped}", ", time stamp {stamped}"),
    "span-after": ("，签署不早于 {after}", ", signed not before {after}"),
    "span-signed": ("已签署，尚未锚定：自何时起存在尚不能证明", "signed, not anchored yet: since when it stands isn't proven"),
    "span-anchored": ("尚未封存，但已写入的片段已锚定", "not sealed yet; the fragments written so far are anchored"),
    "span-open": ("尚未封存签署，暂不能证明", "neither sealed nor signed yet, not proven"),
    "span-unproven": ("签名未能核对，不能证明", "its signature couldn't be checked, not proven"),
    "span-broken": ("被改动，见“问题”", "changed: see “What is wrong”"),
    "span-missing": ("缺失，无任何说明", "missing, and nothing accounts for it"),
    "span-unreadable": ("无法读取", "can't be read"),
    "span-deleted": ("已依两人决定删除（{why}）", "deleted by the decision of two people ({why})"),
    "span-left_out": ("不在本包所选的时间范围内", "outside the chosen span of this package"),
    "gap": ("录像机声明的缺口 {since} 至 {until}：{kind}（{track}）", "Gap that the recorder declares, {since} to {until}: {kind} ({track})"),
    "gaps-more": ("……另有 {count} 个声明的缺口", "… and {count} more declared gaps"),
    "journals": ("行动日志", "Journals of operations"),
    "journal": ("行动 {id}：{entries} 条，已签署 {sealed} 条，已锚定 {anchored} 条", "Operation {id}: {entries} entries, {sealed} sealed, {anchored} anchored"),
    "journal-span": ("{since} 至 {until}", "{since} to {until}"),
    "withheld": ("其中 {count} 条的内容依声明隐去（摘要仍在链中）", "the text of {count} of them is withheld, as declared (their digests stand in the chain)"),
    "deleted": ("删除记录：{count} 条，由两人决定并签署", "Tombstones: {count} deletions, each decided by two people and signed"),
    "files": ("核对了 {files} 个文件、{bytes} 字节", "{files} files with {bytes} bytes were read and hashed"),
    "wrong": ("问题", "What is wrong"),
    "unproven": ("尚未证明", "Not proven"),
    "notes": ("说明", "Notes"),
    "more": ("……同类另有 {count} 处", "… and {count} more of this kind"),
    "none": ("无", "none"),
    "unusable": ("无法核对：{reason}", "Nothing could be verified: {reason}"),
    "no-such-path": ("{path} 不存在或无法读取", "{path} doesn't exist or can't be read"),
    "not-ours": ("{path} 既不是导出包，也不是数据文件夹、录像文件夹或录像清单", "{path} is neither a package, a data folder, a folder of recordings nor a manifest"),
    "bad-zip": ("{path} 不是可读的 ZIP（{reason}）", "{path} is no ZIP that can be read ({reason})"),
    "gap-network": ("网络", "network"),
    "gap-camera": ("摄像头停止", "the camera had stopped"),
    "gap-officer": ("执行人员停止", "the officer had stopped it"),
    "gap-node": ("媒体节点中断", "the media node was away"),
    "gap-disk_slow": ("磁盘过慢", "the disk was too slow"),
    "gap-disk_full": ("磁盘已满", "the disk was full"),
    "gap-disk_failed": ("磁盘故障", "the disk failed"),
    "track-video": ("图像", "picture"),
    "track-audio": ("声音", "sound"),
    "track-both": ("图像和声音", "picture and sound"),
    "end-ended": ("正常结束", "it was ended"),
    "end-network": ("网络中断", "the network was lost"),
    "end-camera": ("摄像头停止", "the camera stopped"),
    "end-revoked": ("授权被撤销", "the permission was revoked"),
    "end-codec": ("编码变更", "the codec changed"),
    "end-length": ("达到单个录像的时长上限", "it had reached the longest that one recording may be"),
    "end-node": ("媒体节点中断", "the media node went away"),
    "end-disk": ("磁盘故障", "the disk failed"),
}
# fmt: on

LANGUAGES = ("zh", "en")


def shown(value: object, longest: int = 200) -> str:
    """A value for the reader's eyes: what a hostile file wrote can't move the cursor, turn the text or fill a page."""
    text = str(value)
    cut = text[:longest]
    safe = "".join(each if each.isprintable() else f"\\x{ord(each):02x}" for each in cut)
    return safe if len(text) <= longest else f"{safe}…"


_BEIJING = timezone(timedelta(hours=8))
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)  # noqa: UP017 - this file runs on Python 3.9 too


def instant(milliseconds: int | None) -> str:
    """Unix milliseconds as Beijing time."""
    if milliseconds is None or not 0 <= milliseconds < 253_370_000_000_000:
        return "?"
    moment = (_EPOCH + timedelta(milliseconds=milliseconds)).astimezone(_BEIJING)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03d}"


def _said(pair: tuple[str, str], language: str, **values: object) -> str:
    sentence = pair[LANGUAGES.index(language)]
    return sentence.format_map({name: shown(value) for name, value in values.items()})


# ======================================================================================================================
# The report


@dataclass(frozen=True)
class Source:
    """Who tells of a ledger's head: an anchor, a journal's entry, a tombstone."""

    kind: str
    number: int

    def said(self, language: str) -> str:
        """In words."""
        return _said(SOURCES[self.kind], language, number=self.number)


@dataclass(frozen=True)
class Finding:
    """One thing that was found. `where` is a file, with its line where there is one."""

    code: str
    where: str
    values: Mapping[str, str | int | Source] = field(default_factory=dict)

    @property
    def grade(self) -> Grade:
        """How much it weighs."""
        return CODES[self.code][0]

    def said(self, language: str) -> str:
        """In words."""
        _, zh, en = CODES[self.code]
        told = {name: _told(one, language) for name, one in self.values.items()}
        sentence = _said((zh, en), language, **told)
        return f"{shown(self.where, 400)}: {sentence}" if self.where else sentence

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        told = {
            name: {"kind": one.kind, "number": one.number} if isinstance(one, Source) else one
            for name, one in self.values.items()
        }
        return {"code": self.code, "grade": self.grade.name.lower(), "where": self.where, "values": told}


def _told(value: str | int | Source, language: str) -> str | int:
    if isinstance(value, Source):
        return value.said(language)
    return _said(REASONS[value], language) if isinstance(value, str) and value in REASONS else value


@dataclass
class Span:
    """Segments of a recording that follow each other and are in the same state. Instants in Unix milliseconds.

    `state`: proven, signed (not anchored yet), anchored (not sealed yet), open, unproven, broken, missing, unreadable,
    deleted, left_out. `proven` is when the last of it was anchored, `stamped` the time stamp that covers all of it,
    `after` the anchor that its first seal names: it was signed after that.
    """

    state: str
    since: int
    until: int
    first: int
    last: int
    proven: int | None = None
    anchor: int | None = None
    stamped: int | None = None
    after: int | None = None
    why: str = ""


@dataclass(frozen=True)
class Gap:
    """Something that the recorder itself declares as missing."""

    kind: str
    track: str
    since: int
    until: int


@dataclass
class RecordingReport:
    """What can be said of one recording."""

    id: str
    feed: str
    node: str
    version: int
    manifest: str
    started_at: int
    lines: int = 0
    head: str = ""
    closed: str | None = None
    spans: list[Span] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    more_gaps: int = 0


@dataclass
class JournalReport:
    """What can be said of one operation's journal."""

    id: str
    entries: int = 0
    sealed: int = 0
    anchored: int = 0
    withheld: int = 0
    since: int | None = None
    until: int | None = None


@dataclass
class Report:
    """All that was found; `exit_code` for machines, `text` for people."""

    path: str
    scope: str
    findings: list[Finding] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    """How many findings of each code there are; `findings` holds the first ones."""
    recordings: list[RecordingReport] = field(default_factory=list)
    journals: list[JournalReport] = field(default_factory=list)
    operation: str = ""
    made_at: int | None = None
    first_key: str | None = None
    fingerprint: str = ""
    trust: str = "compare"
    """compare (nobody named a key), matches, differs, own (an installation's ring, which it trusts)."""
    keys: int = 0
    retired: int = 0
    anchors: int = 0
    first_anchor_at: int | None = None
    last_anchor_at: int | None = None
    newest_anchor: tuple[int, str] | None = None
    is_anchor_known: bool = False
    stamps: dict[str, int] = field(default_factory=dict)
    """How many time stamps there are, by how far they were checked: trusted, signed, unchecked, unneeded."""
    first_stamp_at: int | None = None
    last_stamp_at: int | None = None
    tombstones: int = 0
    files: int = 0
    bytes: int = 0

    def add(self, code: str, where: str = "", **values: str | int | Source) -> None:
        """Note a finding."""
        self.counts[code] += 1
        if self.counts[code] <= KEPT_OF_A_CODE:
            self.findings.append(Finding(code, where, values))

    @property
    def grade(self) -> Grade:
        """That of the gravest finding."""
        return max((CODES[code][0] for code in self.counts), default=Grade.NOTE)

    @property
    def only_lacks(self) -> bool:
        """Whether nothing is wrong but that files are missing which the package itself declares as that."""
        return {code for code in self.counts if CODES[code][0] is Grade.BROKEN} == {"media-missing-told"}

    @property
    def exit_code(self) -> int:
        """0 whole, 1 broken, 2 not wholly proven, 4 whole in itself by a key that nobody has compared."""
        if self.grade is Grade.NOTE and self.first_key is not None and self.trust == "compare":
            return EXIT_NOT_COMPARED
        return {Grade.NOTE: 0, Grade.BROKEN: 1, Grade.UNPROVEN: 2}[self.grade]

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        whole = {name: value for name, value in vars(self).items() if name not in _NESTED}
        return {
            "verifier": VERIFIER,
            "exit_code": self.exit_code,
            **whole,
            "counts": dict(self.counts),
            "findings": [one.as_dict() for one in self.findings],
            "recordings": [
                {**vars(one), "spans": [vars(each) for each in one.spans], "gaps": [vars(each) for each in one.gaps]}
                for one in self.recordings
            ],
            "journals": [vars(one) for one in self.journals],
        }

    def text(self, language: str = "zh") -> str:
        """For people."""
        return "\n".join(_Writer(self, language).lines()) + "\n"


EXIT_UNUSABLE, EXIT_NOT_COMPARED = 3, 4
_NESTED = frozenset({"counts", "findings", "recordings", "journals"})


class _Writer:
    """Puts a report into words."""

    def __init__(self, report: Report, language: str) -> None:
        self._report = report
        self._language = language

    def _say(self, label: str, **values: object) -> str:
        return _said(LABELS[label], self._language, **values)

    def _word(self, kind: str, name: str) -> str:
        pair = LABELS.get(f"{kind}-{name}")
        return shown(name) if pair is None else _said(pair, self._language)

    def lines(self) -> Iterator[str]:
        report = self._report
        scope = self._say(f"scope-{report.scope}", operation=report.operation, made=instant(report.made_at))
        yield f"=== {self._say('title')} ==="
        yield f"{self._say('path')}: {shown(report.path, 400)} – {scope}"
        yield f"{self._say('result')}: {self._say('result-missing' if report.only_lacks else f'result-{report.exit_code}')}"
        yield f"({self._say('times')})"
        yield from self._titled("basis", self._basis())
        yield from self._titled("wrong", self._findings(Grade.BROKEN))
        yield from self._titled("unproven", self._findings(Grade.UNPROVEN))
        yield from self._titled("recordings", self._recordings())
        yield from self._titled("journals", self._journals())
        yield from self._titled("notes", self._notes())

    def _titled(self, label: str, lines: Iterator[str]) -> Iterator[str]:
        yield ""
        yield f"--- {self._say(label)} ---"
        empty = True
        for line in lines:
            empty = False
            yield f"  {line}"
        if empty:
            yield f"  {self._say('none')}"

    def _basis(self) -> Iterator[str]:
        report = self._report
        if report.first_key is None:
            yield self._say("no-key")
        else:
            yield self._say("first-key", key=report.first_key)
            yield self._say("fingerprint", fingerprint=report.fingerprint)
            yield self._say(f"trust-{report.trust}")
            yield self._say("keys", keys=report.keys, retired=report.retired)
        if report.newest_anchor is not None:
            sequence, digest = report.newest_anchor
            first, last = instant(report.first_anchor_at), instant(report.last_anchor_at)
            yield self._say("anchors", count=report.anchors, first=first, last=last)
            yield self._say("newest-anchor", sequence=sequence, hash=digest)
            yield self._say("anchor-matches" if report.is_anchor_known else "anchor-compare")
            if not report.stamps:
                yield self._say("anchor-clock-only")
        if report.stamps:
            begin, end = instant(report.first_stamp_at), instant(report.last_stamp_at)
            yield self._say("stamps", count=sum(report.stamps.values()), first=begin, last=end)
            for state, number in sorted(report.stamps.items()):
                yield self._say(f"stamps-{state}", count=number)

    def _findings(self, grade: Grade) -> Iterator[str]:
        chosen = [one for one in self._report.findings if one.grade is grade]
        for code in dict.fromkeys(one.code for one in chosen):
            yield from (one.said(self._language) for one in chosen if one.code == code)
            more = self._report.counts[code] - KEPT_OF_A_CODE
            if more > 0:
                yield self._say("more", count=more)

    def _recordings(self) -> Iterator[str]:
        for one in sorted(self._report.recordings, key=lambda each: (each.feed, each.started_at, each.id)):
            yield self._say("recording", id=one.id, feed=one.feed, node=one.node)
            for span in one.spans:
                yield "  " + self._span(span)
            for gap in one.gaps:
                yield "  " + self._say(
                    "gap", since=instant(gap.since), until=instant(gap.until), kind=self._word("gap", gap.kind),
                    track=self._word("track", gap.track),
                )  # fmt: skip
            if one.more_gaps:
                yield "  " + self._say("gaps-more", count=one.more_gaps)
            if one.closed is not None:
                yield "  " + self._say("closed-by", reason=self._word("end", one.closed))

    def _span(self, span: Span) -> str:
        state = self._say(f"span-{span.state}", proven=instant(span.proven), anchor=span.anchor, why=span.why)
        if span.state == "proven" and span.after is not None:
            state += self._say("span-after", after=instant(span.after))
        if span.state == "proven" and span.stamped is not None:
            state += self._say("span-stamped", stamped=instant(span.stamped))
        sentence = LABELS["span"][LANGUAGES.index(self._language)]
        return sentence.format(
            since=instant(span.since), until=instant(span.until), first=span.first, last=span.last, state=state
        )

    def _journals(self) -> Iterator[str]:
        for one in self._report.journals:
            yield self._say("journal", id=one.id, entries=one.entries, sealed=one.sealed, anchored=one.anchored)
            if one.since is not None:
                yield "  " + self._say("journal-span", since=instant(one.since), until=instant(one.until))
            if one.withheld:
                yield "  " + self._say("withheld", count=one.withheld)

    def _notes(self) -> Iterator[str]:
        yield self._say("files", files=self._report.files, bytes=self._report.bytes)
        if self._report.tombstones:
            yield self._say("deleted", count=self._report.tombstones)
        yield from self._findings(Grade.NOTE)


# ======================================================================================================================
# Reading: JSON that means one thing only, files of a folder or a ZIP


class Unusable(Exception):
    """There is nothing that could be verified; `label` and `values` say why."""

    def __init__(self, label: str, **values: str) -> None:
        super().__init__(label)
        self.label = label
        self.values = values

    def said(self, language: str) -> str:
        """In words."""
        reason = _said(LABELS[self.label], language, **self.values)
        return _said(LABELS["unusable"], language, reason=reason)


class Malformed(ValueError):
    """A line that isn't as the format wants it."""


class Damaged(OSError):
    """A ZIP's entry that can't be unpacked to what its directory promises."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Malformed("a name twice")
    return found


def _bounded(digits: str) -> int:
    if len(digits) > 20:
        raise Malformed("a number too long")
    return int(digits)


def _finite(digits: str) -> float:
    number = float(digits) if len(digits) <= 40 else math.inf
    if not math.isfinite(number):
        raise Malformed("a number too large")
    return number


def _refuse(name: str) -> float:
    raise Malformed(f"{name} is no number")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_int=_bounded, parse_float=_finite, parse_constant=_refuse)


class Fields:
    """The fields of one line; each getter raises Malformed where one isn't as the format wants it."""

    def __init__(self, found: Mapping[str, Any]) -> None:
        self.found = found

    @classmethod
    def of(cls, line: bytes) -> Fields:
        """Read a line. Two names alike, numbers without end and nesting without end are refused.

        Raises:
            Malformed: it isn't one JSON object.
        """
        try:
            found = _DECODER.decode(line.decode())
        except Malformed:
            raise
        except (ValueError, RecursionError) as error:
            raise Malformed("no JSON") from error
        if not isinstance(found, dict):
            raise Malformed("no object")
        return cls(found)

    @property
    def type(self) -> str:
        """Of the line."""
        return self.text("type")

    def text(self, name: str, longest: int = LONGEST_TEXT) -> str:
        """A text."""
        value = self.found.get(name)
        if not isinstance(value, str) or len(value) > longest:
            raise Malformed(name)
        return value

    def whole(self, name: str, least: int = 0) -> int:
        """A whole number."""
        return _whole(self.found.get(name), name, least)

    def number(self, name: str, least: float = 0.0) -> float:
        """A number that isn't less."""
        value = self.found.get(name)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value < LARGEST_NUMBER:
            raise Malformed(name)
        return float(value)

    def span(self, name: str) -> float:
        """How long a fragment is; of pictures that came late, earlier recorders told less than nothing."""
        return max(0.0, self.number(name, -LARGEST_NUMBER))

    def flag(self, name: str) -> bool:
        """True or false; false where it isn't there."""
        value = self.found.get(name, False)
        if not isinstance(value, bool):
            raise Malformed(name)
        return value

    def digest(self, name: str) -> bytes:
        """A hash in 64 lower-case hex digits."""
        return _digest(self.found.get(name), name)

    def maybe_digest(self, name: str) -> bytes | None:
        """A hash, or None where there is none."""
        return None if self.found.get(name) is None else self.digest(name)

    def head(self, name: str) -> tuple[int, bytes]:
        """How many lines, and the hash of the last."""
        return _head(self.found.get(name), name)

    def maybe_head(self, name: str) -> tuple[int, bytes] | None:
        """A head, or None where there is none."""
        return None if self.found.get(name) is None else self.head(name)

    def mapping(self, name: str) -> Mapping[str, Any]:
        """An object."""
        value = self.found.get(name)
        if not isinstance(value, dict):
            raise Malformed(name)
        return value

    def wholes(self, name: str) -> list[int]:
        """A list of whole numbers."""
        return _wholes(self.found.get(name), name)


_HEX = re.compile(r"[0-9a-f]{64}")


def _whole(value: object, name: str, least: int = 0) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value < LARGEST_NUMBER:
        raise Malformed(name)
    return value


def _wholes(value: object, name: str) -> list[int]:
    if not isinstance(value, list):
        raise Malformed(name)
    return [_whole(each, name) for each in value]


def _digest(value: object, name: str) -> bytes:
    if not isinstance(value, str) or _HEX.fullmatch(value) is None:
        raise Malformed(name)
    return bytes.fromhex(value)


def _head(value: object, name: str) -> tuple[int, bytes]:
    if not isinstance(value, list) or len(value) != 2:
        raise Malformed(name)
    lines, digest = _whole(value[0], name), _digest(value[1], name)
    if (lines == 0) != (digest == FIRST):
        raise Malformed(name)
    return lines, digest


def safe_path(text: str) -> bool:
    """Whether it is a path below where it is looked for, on every system."""
    if not 0 < len(text) <= LONGEST_TEXT or any(each in '\\:*?"<>|' or not each.isprintable() for each in text):
        return False
    parts = text.split("/")
    return len(parts) <= DEEPEST_FOLDER and all(part not in ("", ".", "..") for part in parts)


class Tree:
    """Files by their paths below what is verified, with `/` between the parts; a folder or a ZIP."""

    def size(self, path: str) -> int | None:
        """How many bytes the file has; None where there is none."""
        raise NotImplementedError

    def open(self, path: str) -> io.RawIOBase:
        """Open a file for reading.

        Raises:
            OSError: it isn't there or can't be read; Damaged where it can't be unpacked.
        """
        raise NotImplementedError

    def folders(self, under: str) -> Iterator[tuple[str, list[str]]]:
        """Each folder below with the names of its files, `under` itself first."""
        raise NotImplementedError

    def strange(self) -> Iterator[str]:
        """Names that mustn't be there: that lead outside, or that are there twice."""
        return iter(())

    def is_as_packed(self) -> bool:
        """Whether nothing but its files could have been changed: of a ZIP, that it is written in the one way."""
        return True

    def close(self) -> None:
        """Let go of it."""


class FolderTree(Tree):
    """Folders of the disk, each under its name; the name "" stands for the whole."""

    def __init__(self, mounts: Mapping[str, Path]) -> None:
        self._mounts = mounts

    def _at(self, path: str) -> Path:
        if "" in self._mounts:
            return self._mounts[""] / path if path else self._mounts[""]
        top, _, rest = path.partition("/")
        if top not in self._mounts:
            raise FileNotFoundError(path)
        return self._mounts[top] / rest if rest else self._mounts[top]

    def size(self, path: str) -> int | None:
        try:
            found = self._at(path).stat()
        except (OSError, ValueError):
            return None
        return found.st_size if stat.S_ISREG(found.st_mode) else None

    def open(self, path: str) -> io.RawIOBase:
        # What stands there may be a pipe or a device that somebody put in a file's place; nobody waits for those.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
        try:
            descriptor = os.open(self._at(path), flags)
        except ValueError as error:
            raise OSError("no such name") from error
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise OSError("no regular file")
        return io.FileIO(descriptor)

    def folders(self, under: str) -> Iterator[tuple[str, list[str]]]:
        # A folder of ours may be a link itself; links below it could lead anywhere, and in circles.
        waiting = [(under, 0)]
        while waiting:
            folder, depth = waiting.pop()
            try:
                entries = sorted(os.scandir(self._at(folder)), key=lambda entry: entry.name)
            except (OSError, ValueError):
                continue
            files, below = [], []
            for entry in entries:
                if _is_folder(entry) and depth < DEEPEST_FOLDER:
                    below.append((f"{folder}/{entry.name}" if folder else entry.name, depth + 1))
                else:
                    files.append(entry.name)
            yield folder, files
            waiting.extend(reversed(below))

    def strange(self) -> Iterator[str]:
        for folder, names in self.folders("") if "" in self._mounts else ():
            for name in names:
                path = f"{folder}/{name}" if folder else name
                if not safe_path(path) or self._at(path).is_symlink():
                    yield path


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


class _Unpacked(io.RawIOBase):
    """An entry of a ZIP, read as it is unpacked; whatever is wrong with it is one kind of error."""

    def __init__(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> None:
        super().__init__()
        try:
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or info.flag_bits & 1:
                raise Damaged("packed in a way that isn't used here")
            self._stream = archive.open(info)
        except _ZIP_ERRORS as error:
            raise error if isinstance(error, Damaged) else Damaged(type(error).__name__) from error

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._stream.read(len(buffer))
        except _ZIP_ERRORS as error:
            raise Damaged(type(error).__name__) from error
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed and hasattr(self, "_stream"):
            self._stream.close()
        super().close()


_ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    OSError,
    ValueError,
    struct.error,
    IndexError,
    OverflowError,
)


class ZipTree(Tree):
    """A package in a ZIP, read without unpacking it; it may lie in one folder within."""

    def __init__(self, path: Path) -> None:
        try:
            _look_at_directory(path)
            self._archive = zipfile.ZipFile(path)
            infos = self._archive.infolist()
        except _ZIP_ERRORS as error:
            raise Unusable("bad-zip", path=str(path), reason=type(error).__name__) from error
        if sum(info.file_size for info in infos) > BOMB_RATIO * path.stat().st_size + BOMB_FLOOR:
            raise Unusable("bad-zip", path=str(path), reason="ZIP bomb")
        self._strange: list[str] = []
        top = _top_folder(infos)
        self._infos: dict[str, zipfile.ZipInfo] = {}
        folded: set[str] = set()
        for info in infos:
            name = info.orig_filename
            if name.endswith("/") and not info.file_size:
                continue
            is_link = stat.S_ISLNK(info.external_attr >> 16)
            if not safe_path(name) or name.casefold() in folded or is_link or not name.startswith(top):
                self._strange.append(name)
                continue
            folded.add(name.casefold())
            self._infos[name[len(top) :]] = info
        try:
            self._is_as_packed = is_packed_in_the_one_way(path, infos)
        except (OSError, ValueError, struct.error):
            self._is_as_packed = False

    def is_as_packed(self) -> bool:
        return self._is_as_packed

    def size(self, path: str) -> int | None:
        info = self._infos.get(path)
        return None if info is None else info.file_size

    def open(self, path: str) -> io.RawIOBase:
        info = self._infos.get(path)
        if info is None:
            raise FileNotFoundError(path)
        return _Unpacked(self._archive, info)

    def folders(self, under: str) -> Iterator[tuple[str, list[str]]]:
        found: dict[str, list[str]] = {}
        for path in sorted(self._infos):
            folder, _, name = path.rpartition("/")
            if not under or folder == under or folder.startswith(f"{under}/"):
                found.setdefault(folder, []).append(name)
        yield from found.items()

    def strange(self) -> Iterator[str]:
        return iter(self._strange)

    def close(self) -> None:
        self._archive.close()


_ZIP_LARGE, _ZIP_MANY = 0xFFFFFFFF, 0xFFFF


def is_packed_in_the_one_way(path: Path, infos: Sequence[zipfile.ZipInfo]) -> bool:
    """Whether the ZIP is, to the byte, as packages are written: plain files in their order, without dates.

    So no byte of it can be changed that isn't one of a file's. Source: PKWARE APPNOTE 4.3.7, 4.3.12, 4.3.14–16, 4.5.3.
    """
    names = [info.orig_filename for info in infos]
    if names != sorted(names, key=lambda name: (name != "package.json", name)):
        return False
    listed, at = [], 0
    with path.open("rb") as file:
        for info in infos:
            header = _zip_header(info)
            file.seek(at)
            if file.read(len(header)) != header:
                return False
            listed.append(_zip_entry(info, at))
            at += len(header) + info.file_size
        file.seek(at)
        directory = b"".join(listed)
        end = _zip_end(at, len(directory), len(infos))
        return file.read(len(directory) + len(end) + 1) == directory + end


def _zip_header(info: zipfile.ZipInfo) -> bytes:
    name, size = info.orig_filename.encode(), info.file_size
    extra = struct.pack("<HHQQ", 1, 16, size, size) if size >= _ZIP_LARGE else b""
    told = min(size, _ZIP_LARGE)
    version = 45 if extra else 20
    fields = (version, 0x0800, 0, 0, 0x21, info.CRC, told, told, len(name), len(extra))
    return struct.pack("<4s5H3I2H", b"PK\x03\x04", *fields) + name + extra


def _zip_entry(info: zipfile.ZipInfo, at: int) -> bytes:
    name, size = info.orig_filename.encode(), info.file_size
    large = [size, size] if size >= _ZIP_LARGE else []
    large += [at] if at >= _ZIP_LARGE else []
    extra = struct.pack(f"<HH{len(large)}Q", 1, 8 * len(large), *large) if large else b""
    version, told = 45 if large else 20, min(size, _ZIP_LARGE)
    fields = (3 << 8 | version, version, 0x0800, 0, 0, 0x21, info.CRC, told, told, len(name), len(extra))
    rest = (0, 0, 0, 0o100644 << 16, min(at, _ZIP_LARGE))
    return struct.pack("<4s6H3I5H2I", b"PK\x01\x02", *fields, *rest) + name + extra


def _zip_end(start: int, size: int, count: int) -> bytes:
    end = b""
    if start >= _ZIP_LARGE or size >= _ZIP_LARGE or count >= _ZIP_MANY:
        fields = (44, 3 << 8 | 45, 45, 0, 0, count, count, size, start)
        end = struct.pack("<4sQ2H2I4Q", b"PK\x06\x06", *fields)
        end += struct.pack("<4sIQI", b"PK\x06\x07", 0, start + size, 1)
    told = min(count, _ZIP_MANY)
    last = (0, 0, told, told, min(size, _ZIP_LARGE), min(start, _ZIP_LARGE), 0)
    return end + struct.pack("<4s4H2IH", b"PK\x05\x06", *last)


def _look_at_directory(path: Path) -> None:
    """Refuse a ZIP whose directory alone would fill the memory."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - (1 << 16) - 22))
        tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 16:
        raise zipfile.BadZipFile("no directory")
    (length,) = struct.unpack_from("<I", tail, at + 12)
    # In a ZIP64 the length stands elsewhere; whatever it says, no more than the file can be read.
    if (size if length == 0xFFFFFFFF else length) > LARGEST_DIRECTORY and length != 0xFFFFFFFF:
        raise zipfile.BadZipFile("a directory too long")


def _top_folder(infos: Sequence[zipfile.ZipInfo]) -> str:
    if any(info.orig_filename == "package.json" for info in infos):
        return ""
    tops = {info.orig_filename.partition("/")[0] for info in infos}
    return f"{tops.pop()}/" if len(tops) == 1 else ""


# ======================================================================================================================
# Signatures


class Signatures:
    """Checks Ed25519 signatures by the library `cryptography`, else by the program `openssl`."""

    def __init__(self, *, with_library: bool = True) -> None:
        self.openssl = _find_openssl()
        self._with_library = HAS_CRYPTOGRAPHY and with_library
        self.is_usable = self._tells_true_from_false()

    def is_good(self, public: bytes, data: bytes, signature: bytes) -> bool:
        """Whether the signature over `data` is one of this key's."""
        if self._with_library:
            try:
                Ed25519PublicKey.from_public_bytes(public).verify(signature, data)
            except (InvalidSignature, ValueError):
                return False
            return True
        return self._asks_openssl(public, data, signature)

    def _asks_openssl(self, public: bytes, data: bytes, signature: bytes) -> bool:
        if self.openssl is None:
            return False
        with tempfile.TemporaryDirectory() as folder:
            key, signed, proof = (Path(folder) / name for name in ("key", "data", "signature"))
            key.write_bytes(_ED25519_PREFIX + public)
            signed.write_bytes(data)
            proof.write_bytes(signature)
            asked = ["-verify", "-pubin", "-keyform", "DER", "-inkey", str(key), "-rawin", "-in", str(signed)]
            return _runs([self.openssl, "pkeyutl", *asked, "-sigfile", str(proof)]) is None

    def _tells_true_from_false(self) -> bool:
        """By RFC 8032's second test: an openssl that is too old knows no Ed25519 and calls all of them false."""
        is_true = self.is_good(_TEST_KEY, _TEST_DATA, _TEST_SIGNATURE)
        return is_true and not self.is_good(_TEST_KEY, _TEST_DATA + b"\x00", _TEST_SIGNATURE)


_ED25519_PREFIX = bytes.fromhex("302a300506032b6570032100")
_TEST_KEY = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
_TEST_DATA = b"\x72"
_TEST_SIGNATURE = bytes.fromhex(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)


def _find_openssl() -> str | None:
    found = shutil.which("openssl")
    if found is None:
        return None
    # On Windows the present folder is searched first; what lies beside a package is not to be run.
    folder = Path(found).resolve().parent
    return None if folder == Path.cwd().resolve() else str(Path(found).resolve())


def _runs(command: list[str]) -> str | None:
    """Run a program; None where it succeeded, else its complaint."""
    try:
        done = subprocess.run(  # noqa: S603 - openssl, by its whole path, with files of our own
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=TOOL_SECONDS, check=False
        )
    except (OSError, subprocess.SubprocessError) as error:
        return type(error).__name__
    return None if done.returncode == 0 else done.stderr.decode(errors="replace") or "failed"


# ======================================================================================================================
# The key ring, and what ledgers tell of each other


@dataclass
class Key:
    """A public key, and its term."""

    id: str
    public: bytes
    owner: str
    at: int
    retired_at: int | None = None
    replaced_at: int | None = None
    """When another of the court's came in its place, which retires it in the same step."""

    @property
    def ended_at(self) -> int | None:
        """When its term was over, by its retirement or else its successor."""
        return self.replaced_at if self.retired_at is None else self.retired_at


COURT = "court"


class Claims:
    """Which line others tell of, of each ledger: its ordinal, its hash, and who tells. Packed: there are many."""

    _PACKED = struct.Struct(">BQQ32s")
    _KINDS = ("anchor", "journal", "tombstone")

    def __init__(self) -> None:
        self._found: dict[str, bytearray] = {}

    def add(self, name: str, head: tuple[int, bytes], source: Source) -> None:
        """`source` tells that the ledger's line `head[0]` has the hash `head[1]`."""
        packed = self._PACKED.pack(self._KINDS.index(source.kind), source.number, head[0], head[1])
        self._found.setdefault(name, bytearray()).extend(packed)

    def of(self, name: str) -> list[tuple[int, bytes, Source]]:
        """All that is told of one ledger."""
        unpacked = self._PACKED.iter_unpack(bytes(self._found.get(name, b"")))
        return [(lines, digest, Source(self._KINDS[kind], number)) for kind, number, lines, digest in unpacked]

    def names(self, prefix: str) -> Iterator[str]:
        """Of which ledgers something is told, without the prefix."""
        return (name[len(prefix) :] for name in self._found if name.startswith(prefix))


@dataclass
class Options:
    """What the reader asked for."""

    trusted: frozenset[str] = frozenset()
    anchor: tuple[int, str] | None = None
    authority: Path | None = None
    with_sm3: bool = False
    with_library: bool = True
    trusts_own: bool = False
    """It is an installation that verifies itself: where no key is named, its own ring is the one to be trusted."""


class Check:
    """What all steps of one verification share."""

    def __init__(self, tree: Tree, report: Report, options: Options) -> None:
        self.tree = tree
        self.report = report
        self.options = options
        self.signatures = Signatures(with_library=options.with_library)
        self.keys: dict[str, Key] = {}
        self.claims = Claims()
        self.left_out: dict[str, dict[int, LeftOut]] = {}
        """What a package declares as left out of its ledgers and wasn't come by yet: by path, then by its first line."""

    @property
    def can_verify(self) -> bool:
        """Whether signatures can be checked at all; where not, that is told once and not of each line."""
        return bool(self.keys) and self.signatures.is_usable

    def cannot_read(self, path: str, error: OSError) -> None:
        """Note that a file couldn't be read."""
        code = "file-damaged" if isinstance(error, Damaged) else "file-unreadable"
        self.report.add(code, path, reason=_reason(error))


def _reason(error: OSError) -> str:
    return error.strerror or str(error) or type(error).__name__


# ======================================================================================================================
# Ledgers: lines that follow each other, signed lines, heads that others tell of


@dataclass(frozen=True)
class LeftOut:
    """Lines that follow each other in a ledger and that an excerpt of it hasn't; `first` counts from 1."""

    first: int
    lines: int
    digest: bytes | None
    """The hash of the last one; None where the court itself declares that they don't follow each other."""


@dataclass(frozen=True)
class Line:
    """A whole line of a ledger; `ordinal` counts from 1."""

    ordinal: int
    raw: bytes
    digest: bytes
    fields: Fields
    where: str


class Ledger:
    """One ledger, read line by line and held against what others tell of it."""

    def __init__(
        self, check: Check, path: str, context: str, name: str, *, is_chained: bool = True, longest: int = LONGEST_LINE
    ) -> None:
        self._check = check
        self.path = path
        self._context = context
        self._longest = longest
        self._claims = check.claims.of(name)
        self._told: dict[int, list[tuple[bytes, Source]]] = {}
        for lines, digest, source in self._claims:
            self._told.setdefault(lines, []).append((digest, source))
        self._is_chained = is_chained
        self._offset = 0
        self._torn = False
        self.lines = 0
        self._read = 0
        """The last one that is here."""
        self.place = 0
        """How many lines were read of the file, which in an excerpt has fewer than the ledger."""
        self.digest: bytes | None = FIRST
        """The hash of the last line; None where nothing is known of it."""
        self.left_out = 0
        """How many of the lines so far were left out: among lines where it is the same each follows the one before."""
        self.digests: dict[int, bytes] | None = None
        """The hashes of the lines, where somebody wants them to be kept."""
        self.signed = 0
        """How far a good signature covers it."""
        self.anchored: list[tuple[int, int]] = []
        """Heads that an anchor tells of and that are here: lines, the anchor's sequence; both rise."""
        self.late: list[tuple[int, Key]] = []
        """Lines that a key signed which was retired later: they must have been anchored soon after that."""
        self.too_late: list[int] = []
        """Those of them that were anchored only long after that."""
        self.is_sound = True
        """Whether no line was changed, put in or taken out."""

    def wrong(self, code: str, where: str, **values: str | int | Source) -> None:
        """Note that the ledger isn't what it was."""
        self.is_sound = False
        self._check.report.add(code, where, **values)

    def read(self) -> Iterator[Line]:
        """Every whole line from where the last reading ended. One that can't be read is reported and passed over."""
        try:
            with self._check.tree.open(self.path) as raw, io.BufferedReader(raw, BUFFER) as stream:
                if self._offset:
                    stream.seek(self._offset)
                yield from self._of(stream)
        except OSError as error:
            self.is_sound = False
            self._check.cannot_read(self.path, error)

    def _of(self, stream: io.BufferedReader[io.RawIOBase]) -> Iterator[Line]:
        self._torn = False
        while raw := stream.readline(self._longest):
            if not raw.endswith(b"\n"):
                self._torn = len(raw) < self._longest
                if not self._torn:
                    self.wrong("line-too-long", f"{self.path}:{self.lines + 1}")
                return
            self._offset += len(raw)
            self.place += 1
            line = self._take(raw[:-1])
            if line is not None:
                yield line

    def again(self, places: Collection[int]) -> Iterator[tuple[int, bytes]]:
        """Those lines of the file once more, by their places in it, in their order; without any it isn't opened."""
        if not places:
            return
        try:
            with self._check.tree.open(self.path) as raw, io.BufferedReader(raw, BUFFER) as stream:
                for place in range(1, max(places) + 1):
                    line = stream.readline(self._longest)
                    if place in places:
                        yield place, line[:-1]
        except OSError as error:
            self.is_sound = False
            self._check.cannot_read(self.path, error)

    def _take(self, raw: bytes) -> Line | None:
        self._pass_over()
        digest = hashlib.sha256(raw).digest()
        previous, self.digest = self.digest, digest
        self.lines += 1
        self._read = self.lines
        where = f"{self.path}:{self.lines}"
        self._note(digest)
        try:
            fields = Fields.of(raw)
            fields.type  # noqa: B018 - raises where there is none
            if self._is_chained and previous not in (fields.digest("previous"), None):
                self.wrong("chain-broken", where)
        except Malformed as error:
            if self._is_chained:
                self.wrong("line-unreadable", where, reason=str(error))
            return None
        return Line(self.lines, raw, digest, fields, where)

    def _pass_over(self) -> None:
        """Count the lines that were left out before the next one, and hold them against what is told of their last.

        Whoever makes an excerpt tells of each line by itself that an anchor in it tells of.
        """
        waiting = self._check.left_out.get(self.path, {})
        while (gap := waiting.pop(self.lines + 1, None)) is not None:
            last = gap.first + gap.lines - 1
            if gap.digest is None:
                self.wrong("excerpt-unsound", self.path, first=gap.first, last=last)
            elif gap.digest == self.digest or any(gap.first <= told < last for told in self._told):
                self.wrong("excerpt-false", f"{self.path}:{gap.first}")
            self.lines, self.digest = last, gap.digest
            self.left_out += gap.lines
            if gap.digest is not None:
                self._note(gap.digest)

    def _note(self, digest: bytes) -> None:
        if self.digests is not None:
            self.digests[self.lines] = digest
        self._hold(self.lines, digest, self._told.get(self.lines, ()))

    def _hold(self, ordinal: int, digest: bytes, told: Sequence[tuple[bytes, Source]]) -> None:
        for wanted, source in told:
            if wanted != digest:
                self.wrong("not-as-told", f"{self.path}:{ordinal}", source=source)
            elif source.kind == "anchor":
                self.anchored.append((ordinal, source.number))

    def hold_against(self, name: str) -> None:
        """Hold it against what is told of it only now that it was read, its `digests` having been kept."""
        self._claims = self._check.claims.of(name)
        self._pass_over()
        for ordinal, wanted, source in self._claims:
            if self.digests is not None and ordinal in self.digests:
                self._hold(ordinal, self.digests[ordinal], [(wanted, source)])
            elif 0 < ordinal <= self.lines:
                self.wrong("excerpt-false", f"{self.path}:{ordinal}")

    def unreadable(self, line: Line, error: Malformed) -> None:
        """Note that a line's fields aren't as the format wants them."""
        self.wrong("line-unreadable", line.where, reason=str(error))

    def unknown(self, line: Line) -> None:
        """Note a line of a type that isn't known here."""
        self._check.report.add("line-unknown", line.where, kind=shown(line.fields.type, 40))

    def verify(self, line: Line, owner: str, at: int) -> Key | None:
        """Check the line's signature, and that its key was the owner's to sign with at this instant; gives the key."""
        key = verify_signature(self._check, line, self._context, owner, at, self.wrong)
        if key is not None:
            self.signed = line.ordinal
            if key.ended_at is not None:
                self.late.append((line.ordinal, key))
        return key

    def anchor_of(self, ordinal: int) -> int | None:
        """The sequence of the first anchor that covers a line."""
        at = bisect_left(self.anchored, (ordinal, 0))
        return self.anchored[at][1] if at < len(self.anchored) else None

    @property
    def covered(self) -> int:
        """How far an anchor covers it."""
        return self.anchored[-1][0] if self.anchored else 0

    def finish(self, anchor_at: Callable[[int], int | None], *, has_anchors: bool) -> None:
        """Say what can be said once all of it was read."""
        add = self._check.report.add
        if self._torn:
            add("line-torn", f"{self.path}:{self.lines + 1}")
        self._pass_over()
        if self._check.left_out.get(self.path):
            self.wrong("excerpt-false", self.path)
        if self.left_out and self.path == KEYS_PATH:
            add("keys-left-out", self.path, lines=self.left_out)
        elif self.left_out:
            add("excerpt" if self._read else "excerpt-absent", self.path, lines=self.left_out)
        beyond = [(lines, source) for lines, _, source in self._claims if lines > self.lines]
        if beyond:
            told, source = max(beyond, key=lambda one: one[0])
            self.wrong("cut-off", self.path, source=source, told=told, found=self.lines)
        self._say_late(anchor_at)
        unsigned = self._read - max(self.signed, self.covered)
        if unsigned > 0 and self._check.can_verify:
            add("tail-unsigned", self.path, lines=unsigned)
        if has_anchors and self.signed > self.covered:
            add("not-anchored", self.path, lines=self.signed - self.covered)

    def _say_late(self, anchor_at: Callable[[int], int | None]) -> None:
        unvouched = 0
        for ordinal, key in self.late:
            sequence = self.anchor_of(ordinal)
            at = None if sequence is None else anchor_at(sequence)
            if at is None:
                unvouched += 1
            elif not _is_in_time(key, at):
                self.too_late.append(ordinal)
        for ordinal in self.too_late:
            self._check.report.add("signed-late", f"{self.path}:{ordinal}")
        if unvouched:
            self._check.report.add("signed-unvouched", self.path, lines=unvouched)


def _is_in_time(key: Key, anchored_at: int) -> bool:
    """Whether what this key signed was anchored before anybody could have made it with a key of former days."""
    return key.ended_at is None or anchored_at <= key.ended_at + LATE_ANCHOR_MS


def verify_signature(
    check: Check, line: Line, context: str, owner: str, at: int, wrong: Callable[..., None]
) -> Key | None:
    """Check a line's signature, its key and that key's right to sign it; the key where all is well."""
    fields = line.fields
    try:
        signer, signature = fields.text("signer"), _signature_in(line.raw)
        if fields.text("algorithm") != "Ed25519" or list(fields.found)[-1] != "signature":
            raise Malformed("signature")
    except Malformed:
        wrong("signature-missing", line.where)
        return None
    key = check.keys.get(signer)
    if key is None:
        if check.keys:
            wrong("signer-unknown", line.where, key=shown(signer, 64))
        return None
    if not check.signatures.is_usable:
        return None
    data = context.encode() + b"\n" + line.raw.rpartition(SIGNATURE_MARK)[0] + b"}"
    if not check.signatures.is_good(key.public, data, signature):
        wrong("signature-bad", line.where, key=key.id)
        return None
    if key.owner != owner:
        wrong("signer-not-entitled", line.where, key=key.id, owner=key.owner, wanted=owner)
        return None
    if key.retired_at is not None and at > key.retired_at + CLOCK_SLACK_MS:
        wrong("signer-retired", line.where, key=key.id, retired=instant(key.retired_at), at=instant(at))
        return None
    if key.retired_at is None and key.replaced_at is not None and at > key.replaced_at + CLOCK_SLACK_MS:
        # Between the two lines of a change of keys a crash may lie; so this alone proves no forgery.
        replaced = instant(key.replaced_at)
        check.report.add("signer-replaced", line.where, key=key.id, replaced=replaced, at=instant(at))
    if owner == COURT and at < key.at - CLOCK_SLACK_MS:
        wrong("signer-early", line.where, key=key.id, known=instant(key.at), at=instant(at))
        return None
    return key


def _signature_in(raw: bytes) -> bytes:
    """The signature at a line's end; of the ways to write the same bytes in base64, one alone counts."""
    _, mark, rest = raw.rpartition(SIGNATURE_MARK)
    if not mark or not rest.endswith(b'"}'):
        raise Malformed("signature")
    try:
        signature = base64.b64decode(rest[:-2], validate=True)
    except ValueError as error:
        raise Malformed("signature") from error
    if len(signature) != 64 or base64.b64encode(signature) != rest[:-2]:
        raise Malformed("signature")
    return signature


# ======================================================================================================================
# Keys

KEYS_PATH = "proof/keys.jsonl"
ANCHORS_PATH = "proof/anchors.jsonl"
TOMBSTONES_PATH = "proof/tombstones.jsonl"
JOURNALS_PATH = "proof/journals"
RECORDINGS_PATH = "recordings"
PACKAGE_PATH = "package.json"
SUFFIX = ".jsonl"
BODIES_SUFFIX = ".bodies.jsonl"
MEDIA_SUFFIXES = (".mp4", ".webm")


class KeyRing:
    """Reads the ledger of keys: each but the first is signed by one of the court's that was in force then."""

    def __init__(self, check: Check) -> None:
        self._check = check
        self.ledger = Ledger(check, KEYS_PATH, "keys/1", "keys")
        self.ledger.digests = {}

    def read(self) -> None:
        """Read it all."""
        report = self._check.report
        for line in self.ledger.read():
            try:
                self._take(line)
            except Malformed as error:
                self.ledger.unreadable(line, error)
        report.keys = len(self._check.keys)
        report.retired = sum(key.retired_at is not None for key in self._check.keys.values())

    def settle(self) -> None:
        """Hold it against the anchors, which could be read only with its help."""
        self.ledger.hold_against("keys")

    def _take(self, line: Line) -> None:
        fields = line.fields
        if fields.type == "key":
            self._add(line)
        elif fields.type == "retired":
            key = self._check.keys.get(fields.text("key"))
            if key is None:
                self.ledger.wrong("retired-unknown", line.where, key=shown(fields.text("key"), 64))
            elif self._is_signed(line):
                key.retired_at = fields.whole("at")
        else:
            self.ledger.unknown(line)

    def _add(self, line: Line) -> None:
        fields = line.fields
        public = fields.digest("public")
        key = Key(fields.text("key"), public, fields.text("owner", 200), fields.whole("at"))
        named = shown(key.id, 64)
        fingerprint = hashlib.sha256(public).hexdigest()
        if key.id != fingerprint[:KEY_ID_DIGITS]:
            self.ledger.wrong("key-wrong", line.where, key=named)
        elif key.id in self._check.keys:
            self.ledger.wrong("key-twice", line.where, key=named)
        elif key.owner != COURT and not key.owner.startswith("node:"):
            self.ledger.wrong("key-owner", line.where, key=named)
        elif line.ordinal == 1:
            self._begin(line, key, fingerprint)
        elif self._is_signed(line):
            self._check.keys[key.id] = key
            replaced = self._check.keys.get(str(fields.found.get("replaces")))
            if replaced is not None and key.owner == replaced.owner == COURT:
                replaced.replaced_at = key.at

    def _begin(self, line: Line, key: Key, fingerprint: str) -> None:
        """The first key has nobody to speak for it: it is held against what the reader knows."""
        check, report = self._check, self._check.report
        report.first_key, report.fingerprint = key.id, fingerprint
        trusted = check.options.trusted
        if check.options.trusts_own:
            report.trust = "own"
        if trusted:
            is_trusted = any(len(one) >= KEY_ID_DIGITS and fingerprint.startswith(one) for one in trusted)
            report.trust = "matches" if is_trusted else "differs"
            if not is_trusted:
                self.ledger.wrong("first-key-foreign", line.where, key=key.id)
        check.keys[key.id] = key
        if key.owner != COURT or line.fields.found.get("signer") != key.id:
            self.ledger.wrong("first-key", line.where)
        else:
            self._is_signed(line)

    def _is_signed(self, line: Line) -> bool:
        signer = self._check.keys.get(str(line.fields.found.get("signer")))
        if signer is not None and signer.retired_at is not None:
            at = line.fields.whole("at")
            self.ledger.wrong(
                "signer-retired", line.where, key=signer.id, retired=instant(signer.retired_at), at=instant(at)
            )
            return False
        is_signed = self.ledger.verify(line, COURT, line.fields.whole("at")) is not None
        return is_signed or not self._check.signatures.is_usable


# ======================================================================================================================
# Anchors and time stamps


@dataclass(frozen=True)
class Token:
    """What a time stamp says."""

    digest: bytes
    at: int


def read_token(data: bytes) -> Token:
    """What an RFC 3161 token (DER) says; its signature isn't looked at.

    Raises:
        Malformed: it is none, or its hash is no SHA-256.
    """
    content = _signed_data(data)
    parts = list(_der(content))
    encapsulated = next((value for tag, value in parts if tag == 0x30), b"")
    kind, holder = _pair(encapsulated)
    if kind != (0x06, _OID_TST_INFO) or holder[0] != 0xA0:
        raise Malformed("no time stamp")
    octets = _only(holder[1], 0x04)
    info = list(_der(_only(octets, 0x30)))
    tags = [tag for tag, _ in info[:5]]
    if tags != [0x02, 0x06, 0x30, 0x02, 0x18]:
        raise Malformed("no time stamp")
    algorithm, imprint = _pair(info[2][1])
    if next(_der(algorithm[1]), None) != (0x06, _OID_SHA256) or imprint[0] != 0x04:
        raise Malformed("not over a SHA-256")
    return Token(imprint[1], _generalized(info[4][1]))


_OID_SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
_OID_TST_INFO = bytes.fromhex("2a864886f70d0109100104")
_OID_SHA256 = bytes.fromhex("608648016503040201")


def _signed_data(token: bytes) -> bytes:
    first, second = _pair(_only(token, 0x30))
    if first != (0x06, _OID_SIGNED_DATA) or second[0] != 0xA0:
        raise Malformed("no signed data")
    return _only(second[1], 0x30)


def _der(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The values that stand one after the other, with their tags."""
    at = 0
    while at < len(data):
        if at + 2 > len(data):
            raise Malformed("DER")
        tag, length, at = data[at], data[at + 1], at + 2
        if length >= 0x80:
            size = length & 0x7F
            if not 1 <= size <= 4 or at + size > len(data):
                raise Malformed("DER")
            length, at = int.from_bytes(data[at : at + size], "big"), at + size
        if at + length > len(data):
            raise Malformed("DER")
        yield tag, data[at : at + length]
        at += length


def _only(data: bytes, tag: int) -> bytes:
    found = list(_der(data))
    if len(found) != 1 or found[0][0] != tag:
        raise Malformed("DER")
    return found[0][1]


def _pair(data: bytes) -> tuple[tuple[int, bytes], tuple[int, bytes]]:
    found = list(_der(data))
    if len(found) != 2:
        raise Malformed("DER")
    return found[0], found[1]


_GENERALIZED = re.compile(rb"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d{1,6}))?Z", re.ASCII)


def _generalized(text: bytes) -> int:
    found = _GENERALIZED.fullmatch(text)
    if found is None:
        raise Malformed("time")
    parts = [int(each) for each in found.groups()[:6]]
    try:
        moment = datetime(*parts, tzinfo=timezone.utc)  # type: ignore[misc,arg-type]  # noqa: UP017 - as above
    except ValueError as error:
        raise Malformed("time") from error
    return (moment - _EPOCH) // timedelta(milliseconds=1) + int((found[7] or b"0").ljust(3, b"0")[:3])


def stamp_state(openssl: str | None, token: bytes, digest: bytes, at: int, authority: Path | None) -> str:
    """How far a token's signature could be checked: trusted, signed, unchecked, or forged."""
    if openssl is None:
        return "unchecked"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "token"
        path.write_bytes(token)
        if authority is not None:
            asked = ["-digest", digest.hex(), "-in", str(path), "-token_in", "-CAfile", str(authority)]
            complaint = _runs([openssl, "ts", "-verify", *asked, "-attime", str(at // 1000)])
            return "trusted" if complaint is None else "forged"
        asked = ["-inform", "DER", "-in", str(path), "-noverify", "-out", os.devnull]
        complaint = _runs([openssl, "cms", "-verify", *asked])
    if complaint is None:
        return "signed"
    # A token needn't bring its authority's certificate along; then nothing can be said without it.
    return "unchecked" if "certificate not found" in complaint or complaint.endswith("Error") else "forged"


@dataclass(frozen=True)
class Stamp:
    """A time stamp of the anchors' ledger: of which anchor, when by the authority's clock, at which line of the file."""

    of: int
    at: int
    place: int
    digest: bytes
    """The hash of its line."""


class Anchors:
    """Reads the ledger of anchors, and knows the time and the hash of each.

    A year has half a million time stamps, and each takes a process to check its signature; so those alone are checked
    on which something rests that is said of a recording, and those that no signed line stands behind.
    """

    def __init__(self, check: Check) -> None:
        self._check = check
        self.ledger = Ledger(check, ANCHORS_PATH, "anchors/1", "anchors")
        self._sequences = array("q")
        self._ats = array("q")
        self._runs = array("q")
        """How many lines of the ledger were left out before each: where it is the same, all between are here."""
        self._digests = bytearray()
        self._heads: dict[str, tuple[int, bytes]] = {}
        self._stamps: list[Stamp] = []
        self._index: tuple[list[int], list[Stamp]] = ([], [])
        self._needed: dict[int, Stamp] = {}
        """By their places, those whose signatures are to be checked."""
        self._loose: list[Stamp] = []
        """Those behind the last signed line."""
        self._signer: Key | None = None
        self._tail = 0
        """Lines after the last signed one that nothing proves."""

    @property
    def last(self) -> int:
        """The newest one's sequence; 0 where there is none."""
        return self._sequences[-1] if self._sequences else 0

    def at(self, sequence: int) -> int | None:
        """When it was made."""
        place = self._place(sequence)
        return None if place is None else self._ats[place]

    def digest(self, sequence: int) -> bytes | None:
        """The hash of its line."""
        place = self._place(sequence)
        return None if place is None else bytes(self._digests[32 * place : 32 * place + 32])

    def _place(self, sequence: int) -> int | None:
        place = bisect_left(self._sequences, sequence)
        return place if place < len(self._sequences) and self._sequences[place] == sequence else None

    def stamped(self, sequence: int) -> int | None:
        """The time of the first time stamp that covers it: that of a later anchor covers all before."""
        stamp = self._covering(sequence)
        return None if stamp is None else stamp.at

    def rest_on(self, sequence: int) -> None:
        """Have the signature checked of the time stamp that covers it."""
        stamp = self._covering(sequence)
        if stamp is not None:
            self._needed[stamp.place] = stamp

    def _covering(self, sequence: int) -> Stamp | None:
        place, (anchors, earliest) = self._place(sequence), self._indexed()
        at = bisect_left(anchors, sequence)
        if place is None or at == len(anchors) or self._run(anchors[at]) != self._runs[place]:
            return None
        return earliest[at]

    def _run(self, sequence: int) -> int | None:
        place = self._place(sequence)
        return None if place is None else self._runs[place]

    def _indexed(self) -> tuple[list[int], list[Stamp]]:
        """The stamped anchors in their order, and of each the earliest stamp that it and all behind it bear.

        Where lines were left out, nothing shows that what stands behind follows what stands before.
        """
        if len(self._index[0]) != len(self._stamps):
            stamps = sorted(self._stamps, key=lambda stamp: stamp.of)
            earliest = list(stamps)
            for at in range(len(stamps) - 2, -1, -1):
                if self._run(stamps[at].of) == self._run(stamps[at + 1].of):
                    earliest[at] = min(stamps[at], earliest[at + 1], key=lambda stamp: stamp.at)
            self._index = ([stamp.of for stamp in stamps], earliest)
        return self._index

    def read(self) -> None:
        """Read what there is, or what has come since the last time."""
        for line in self.ledger.read():
            try:
                self._take(line)
            except Malformed as error:
                self.ledger.unreadable(line, error)

    def refer(self, where: str, head: tuple[int, bytes], wrong: Callable[..., None]) -> None:
        """Hold the anchor that another ledger names against the one that is here."""
        sequence, digest = head
        if sequence > self.last:
            self.read()  # it may have been written while the other ledger was being read
        found = self.digest(sequence)
        if not self.last:
            wrong("anchors-missing", where)
        elif found is None and 0 < sequence < self.last:
            wrong("anchor-left-out", where, sequence=sequence)
        elif found is None:
            wrong("anchor-gone", where, sequence=sequence, last=self.last)
        elif found != digest:
            wrong("anchor-differs", where, sequence=sequence)

    def finish(self) -> None:
        """Say what can be said of them, and hold them against the one that the reader knows."""
        report = self._check.report
        self._check_stamps()
        report.anchors = len(self._ats)
        if self.last:
            report.first_anchor_at, report.last_anchor_at = self._ats[0], self._ats[-1]
            report.newest_anchor = (self.last, bytes(self._digests[-32:]).hex())
        if self._stamps:
            report.first_stamp_at, report.last_stamp_at = self._stamps[0].at, self._stamps[-1].at
        self.ledger.signed = max(self.ledger.signed, self.ledger.lines - self._tail if self.ledger.signed else 0)
        known = self._check.options.anchor
        if known is None:
            return
        digest = self.digest(known[0])
        if digest is None and known[0] < self.last:
            report.add("known-anchor-left-out", ANCHORS_PATH, sequence=known[0])
        elif digest is None and report.made_at is not None and self.last:
            made = instant(report.made_at)
            report.add("known-anchor-newer", ANCHORS_PATH, sequence=known[0], last=self.last, made=made)
        elif digest is None:
            self.ledger.wrong("known-anchor-gone", ANCHORS_PATH, sequence=known[0], last=self.last)
        elif digest.hex() != known[1]:
            self.ledger.wrong("known-anchor-differs", ANCHORS_PATH, sequence=known[0])
        else:
            report.is_anchor_known = True

    def _take(self, line: Line) -> None:
        self._tail += 1
        if line.fields.type == "anchor":
            self._anchor(line)
        elif line.fields.type == "timestamp":
            self._timestamp(line)
        else:
            self.ledger.unknown(line)

    def _anchor(self, line: Line) -> None:
        fields, sequence = line.fields, self.last + 1
        at, found = fields.whole("at"), fields.whole("sequence")
        if self._ats and at < self._ats[-1]:
            self._check.report.add("anchor-clock", line.where)
        # Of the lines that were left out before it, each may have been an anchor.
        most = sequence + self.ledger.left_out - (self._runs[-1] if self._runs else 0)
        if sequence <= found <= most:
            sequence = found
        else:
            self.ledger.wrong("anchor-sequence", line.where, wanted=sequence, found=found)
        self._sequences.append(sequence)
        self._ats.append(at)
        self._runs.append(self.ledger.left_out)
        self._digests.extend(line.digest)
        key = self.ledger.verify(line, COURT, at)
        if key is not None:
            self._tail = 0
            self._loose.clear()
            self._vouch(key, at)
        for name, value in fields.mapping("heads").items():
            head = _head(value, "heads")
            before = self._heads.get(name, (0, FIRST))
            if head[0] < before[0] or (head[0] == before[0] and head != before):
                self.ledger.wrong("anchor-shrank", line.where, name=shown(name))
            self._heads[name] = head
            self._check.claims.add(name, head, Source("anchor", sequence))

    def _vouch(self, key: Key, at: int) -> None:
        """An anchor that another key signed speaks for those before it."""
        if key is not self._signer:
            late = self.ledger.late
            self.ledger.late = [one for one in late if one[1] is key]
            self.ledger.too_late += [line for line, by in late if by is not key and not _is_in_time(by, at)]
            self._signer = key

    def _timestamp(self, line: Line) -> None:
        fields = line.fields
        of, digest = fields.whole("of"), fields.digest("hash")
        try:
            data = _canonical_base64(fields.text("token", LONGEST_LINE))
            token = read_token(data)
        except Malformed as error:
            self.ledger.wrong("timestamp-unreadable", line.where, reason=str(error))
            return
        if digest != self.digest(of) or token.digest != digest:
            self.ledger.wrong("timestamp-wrong", line.where)
            return
        at = self.at(of) or 0
        if token.at < at - CLOCK_SLACK_MS:
            self._check.report.add("timestamp-clock", line.where, stamped=instant(token.at), at=instant(at))
        # By its token it proves itself; the authority's address is a remark.
        self._tail -= 1
        stamp = Stamp(of, token.at, self.ledger.place, line.digest)
        self._stamps.append(stamp)
        self._loose.append(stamp)

    def _check_stamps(self) -> None:
        """Check the signatures on which something rests; the report tells the first and the last, so those too."""
        needed = {stamp.place: stamp for stamp in (*self._stamps[:1], *self._stamps[-1:], *self._loose)}
        needed.update(self._needed)
        asked: dict[bytes, Future[str]] = {}
        waiting: deque[tuple[Stamp, Future[str]]] = deque()
        openssl, authority = self._check.signatures.openssl, self._check.options.authority
        with ThreadPoolExecutor(WORKERS) as pool:
            for place, raw in self.ledger.again(needed):
                stamp = needed[place]
                if hashlib.sha256(raw).digest() != stamp.digest:
                    self.ledger.wrong("not-as-told", f"{self.ledger.path}:{place}", source=Source("anchor", stamp.of))
                    continue
                fields = Fields.of(raw)
                data = _canonical_base64(fields.text("token", LONGEST_LINE))
                if data not in asked:
                    asked[data] = pool.submit(stamp_state, openssl, data, fields.digest("hash"), stamp.at, authority)
                waiting.append((stamp, asked[data]))
        for stamp, state in waiting:
            self._count(stamp, state.result())
        if unneeded := len(self._stamps) - len(waiting):
            self._check.report.stamps["unneeded"] = unneeded

    def _count(self, stamp: Stamp, state: str) -> None:
        if state == "forged":
            self.ledger.wrong("timestamp-forged", f"{self.ledger.path}:{stamp.place}")
        else:
            self._check.report.stamps[state] = self._check.report.stamps.get(state, 0) + 1


def _canonical_base64(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise Malformed("base64") from error
    if base64.b64encode(data).decode() != text:
        raise Malformed("base64")
    return data


# ======================================================================================================================
# Tombstones


class Tombstones:
    """Reads which segments two people had deleted."""

    def __init__(self, check: Check) -> None:
        self._check = check
        self.ledger = Ledger(check, TOMBSTONES_PATH, "tombstones/1", "tombstones")
        self._deleted: dict[str, dict[int, str]] = {}

    def read(self) -> None:
        """Read them all."""
        for line in self.ledger.read():
            try:
                if line.fields.type == "tombstone":
                    self._take(line)
                else:
                    self.ledger.unknown(line)
            except Malformed as error:
                self.ledger.unreadable(line, error)

    def of(self, recording: str) -> Mapping[int, str]:
        """The deleted segments' numbers, with when and why."""
        return self._deleted.get(recording, {})

    def _take(self, line: Line) -> None:
        fields = line.fields
        at, recording = fields.whole("at"), fields.text("recording", 100)
        numbers, head = fields.wholes("segments"), fields.head("manifest")
        proposed, approved = fields.text("proposed_by"), fields.text("approved_by")
        why = f"{instant(at)}, {fields.text('class', 40)}: {fields.text('reason', LONGEST_LINE)[:80]}"
        key = self.ledger.verify(line, COURT, at)
        if not proposed or not approved or proposed.casefold() == approved.casefold():
            self.ledger.wrong("tombstone-alone", line.where)
        elif key is not None or not self._check.can_verify:
            self._check.report.tombstones += 1
            self._check.claims.add(f"manifest:{recording}", head, Source("tombstone", line.ordinal))
            self._deleted.setdefault(recording, {}).update((number, why) for number in numbers)


# ======================================================================================================================
# Packages


@dataclass
class Package:
    """What a package's first file says: what it holds, and what it leaves out."""

    operation: str
    made_at: int
    feeds: frozenset[str]
    files: dict[str, tuple[int, bytes]]
    withheld: frozenset[int]
    left_out: dict[str, frozenset[int]]
    missing: dict[str, frozenset[int]]
    """What the court itself no longer had."""
    line: Line
    hashed: set[str] = field(default_factory=set)
    """Files that were held against the list already."""


def read_package(check: Check) -> Package | None:
    """Read `package.json`, and what it declares as left out of the ledgers; None where it makes no sense."""
    report = check.report
    try:
        with check.tree.open(PACKAGE_PATH) as stream:
            raw = _up_to(stream, LONGEST_PACKAGE)
    except OSError as error:
        check.cannot_read(PACKAGE_PATH, error)
        return None
    raw = raw[:-1] if raw.endswith(b"\n") else raw
    try:
        if len(raw) >= LONGEST_PACKAGE:
            raise Malformed("too long")
        fields = Fields.of(raw)
        if fields.type != "package" or fields.whole("version") != 1 or fields.digest("previous") != FIRST:
            raise Malformed("version")
        package = Package(
            operation=fields.text("operation", 100),
            made_at=fields.whole("made_at"),
            feeds=frozenset(_texts(fields.found.get("feeds"))),
            files={path: _listed(path, value) for path, value in fields.mapping("files").items()},
            withheld=frozenset(fields.wholes("withheld")),
            left_out=_segments(fields.mapping("left_out")),
            missing=_segments(fields.mapping("missing")) if "missing" in fields.found else {},
            line=Line(1, raw, hashlib.sha256(raw).digest(), fields, PACKAGE_PATH),
        )
        check.left_out = _excerpts(fields)
    except Malformed as error:
        report.add("package-line", PACKAGE_PATH, reason=str(error))
        return None
    report.operation, report.made_at = package.operation, package.made_at
    return package


def verify_package(check: Check, package: Package) -> None:
    """Check who signed it, once the key ring was read; no anchor says that a key which was retired did so in its time."""

    def wrong(code: str, where: str, **values: str | int | Source) -> None:
        check.report.add(code, where, **values)

    key = verify_signature(check, package.line, "package/1", COURT, package.made_at, wrong)
    if key is not None and key.ended_at is not None:
        check.report.add("signed-late", PACKAGE_PATH)


EXCERPTED = (KEYS_PATH, ANCHORS_PATH, TOMBSTONES_PATH)
"""The ledgers that are of all operations together."""


def _segments(found: Mapping[str, Any]) -> dict[str, frozenset[int]]:
    return {recording: frozenset(_wholes(value, recording)) for recording, value in found.items()}


def _excerpts(fields: Fields) -> dict[str, dict[int, LeftOut]]:
    """What is left out of which ledger; older packages hold them whole and say nothing of it."""
    found: dict[str, dict[int, LeftOut]] = {}
    for path, value in fields.mapping("excerpts").items() if "excerpts" in fields.found else ():
        if path not in EXCERPTED or not isinstance(value, list):
            raise Malformed("excerpts")
        gaps = [_left_out(one) for one in value]
        found[path] = {gap.first: gap for gap in gaps}
        if len(found[path]) != len(gaps):
            raise Malformed("excerpts")
    return found


def _left_out(value: object) -> LeftOut:
    if not isinstance(value, list) or len(value) != 3:
        raise Malformed("excerpts")
    digest = None if value[2] is None else _digest(value[2], "excerpts")
    return LeftOut(_whole(value[0], "excerpts", 1), _whole(value[1], "excerpts", 1), digest)


def _up_to(stream: io.RawIOBase, most: int) -> bytes:
    pieces, left = [], most
    while left and (piece := stream.read(min(left, BUFFER))):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def _texts(value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise Malformed("feeds")
    return value


def _listed(path: str, value: object) -> tuple[int, bytes]:
    if not isinstance(value, dict) or not safe_path(path):
        raise Malformed("files")
    fields = Fields(value)
    return fields.whole("bytes"), fields.digest("sha256")


# ======================================================================================================================
# Journals: the chain of entries, and the texts beside it


@dataclass(frozen=True)
class _Body:
    """One entry's text; `text` is kept where it is short, for longer ones nobody needs it here."""

    id: int
    digest: bytes
    text: str | None


LONGEST_KEPT_BODY = 4096
BODIES_AHEAD = 4096


class Bodies:
    """The texts beside a journal, matched with its entries as both are read.

    A crash may leave some of them twice, the same to the byte; the first of each stand in the order of the entries.
    """

    def __init__(self, check: Check, path: str) -> None:
        self._check = check
        self._path = path
        self._waiting: dict[tuple[int, bytes], _Body] = {}
        self._ids: Counter[int] = Counter()
        self._last = -1
        self._done: deque[tuple[int, bytes]] = deque(maxlen=2 * BODIES_AHEAD)
        self._known: set[tuple[int, bytes]] = set()
        self._source = self._read() if check.tree.size(path) is not None else iter(())
        self._ahead = 0

    def take(self, identifier: int, digest: bytes) -> _Body | None:
        """The text of this entry with this digest."""
        wanted = (identifier, digest)
        while wanted not in self._waiting:
            if self._last > identifier or not self._next():
                return None
            if len(self._waiting) >= BODIES_AHEAD:
                self._drop(identifier)
        if len(self._done) == self._done.maxlen:
            self._known.discard(self._done[0])
        self._done.append(wanted)
        self._known.add(wanted)
        return self._taken_out(wanted)

    def has_other(self, identifier: int) -> bool:
        """Whether there is another text under this number."""
        return self._ids[identifier] > 0

    def finish(self, last: int) -> None:
        """Report what no entry asked for; those after the last entry are on their way into the journal."""
        while self._next():
            if len(self._waiting) >= BODIES_AHEAD:
                self._drop(LARGEST_NUMBER, last)
        self._drop(LARGEST_NUMBER, last)
        if self._ahead:
            self._check.report.add("body-ahead", self._path, lines=self._ahead)

    def _drop(self, below: int, last: int | None = None) -> None:
        """Let go of those under lower numbers: no entry will ask for them any more."""
        for key in [key for key in self._waiting if key[0] < below]:
            self._taken_out(key)
            if last is not None and key[0] > last:
                self._ahead += 1
            else:
                self._check.report.add("body-foreign", self._path, id=key[0])

    def _taken_out(self, key: tuple[int, bytes]) -> _Body:
        self._ids[key[0]] -= 1
        if not self._ids[key[0]]:
            del self._ids[key[0]]
        return self._waiting.pop(key)

    def _next(self) -> bool:
        body = next(self._source, None)
        if body is None:
            return False
        key = (body.id, body.digest)
        self._last = max(self._last, body.id)
        if key not in self._known and key not in self._waiting:
            self._waiting[key] = body
            self._ids[body.id] += 1
        return True

    def _read(self) -> Iterator[_Body]:
        number = 0
        try:
            with self._check.tree.open(self._path) as raw, io.BufferedReader(raw, BUFFER) as stream:
                while line := stream.readline(LONGEST_LINE):
                    number += 1
                    where = f"{self._path}:{number}"
                    if not line.endswith(b"\n"):
                        code = "line-torn" if len(line) < LONGEST_LINE else "line-too-long"
                        self._check.report.add(code, where)
                        return
                    try:
                        yield _body_of(line[:-1])
                    except Malformed as error:
                        self._check.report.add("body-unreadable", where, reason=str(error))
        except OSError as error:
            self._check.cannot_read(self._path, error)


def _body_of(line: bytes) -> _Body:
    """Read a text's line. No hash covers the line itself, so of the ways to write the same, one alone counts."""
    fields = Fields.of(line)
    identifier, salt, body = fields.whole("id"), fields.text("salt", 32), fields.text("body", LONGEST_LINE)
    written = {"id": identifier, "salt": salt, "body": body}
    try:
        if json.dumps(written, ensure_ascii=False, separators=(",", ":")).encode() != line:
            raise Malformed("written otherwise")
        raw = bytes.fromhex(salt)
        digest = hashlib.sha256(raw + body.encode()).digest()
    except Malformed:
        raise
    except ValueError as error:
        raise Malformed("salt") from error
    if len(raw) != 16 or raw.hex() != salt:
        raise Malformed("salt")
    return _Body(identifier, digest, body if len(body) <= LONGEST_KEPT_BODY else None)


class Journal:
    """Reads one operation's journal with its texts, and keeps what it tells of recordings."""

    def __init__(self, check: Check, anchors: Anchors, operation: str, package: Package | None) -> None:
        self._check = check
        self._anchors = anchors
        self._package = package
        path = f"{JOURNALS_PATH}/{operation}"
        self.ledger = Ledger(check, path + SUFFIX, "journal/1", f"journal:{operation}")
        self.report = JournalReport(operation)
        self.feeds: dict[str, str] = {}
        """Of which feed each recording is that it tells of."""
        self._bodies = Bodies(check, path + BODIES_SUFFIX)
        self._last = 0
        self._missing: list[tuple[Line, int]] = []
        self._ordinals = array("q")

    def read(self) -> None:
        """Read it all."""
        for line in self.ledger.read():
            try:
                self._take(line)
            except Malformed as error:
                self.ledger.unreadable(line, error)
        self._bodies.finish(self._last)
        self._say_missing(LARGEST_NUMBER)
        ledger = self.ledger
        ledger.finish(self._anchors.at, has_anchors=bool(self._anchors.last))
        if not ledger.lines and self._check.tree.size(ledger.path) is not None:
            self._check.report.add("ledger-empty", ledger.path)
        self.report.anchored = bisect_left(self._ordinals, ledger.covered + 1)
        self._check.report.journals.append(self.report)

    def _take(self, line: Line) -> None:
        kind = line.fields.type
        if (kind == "opened") != (line.ordinal == 1):
            self.ledger.wrong("ledger-opening", line.where)
        if kind == "opened":
            self._opened(line)
        elif kind == "entry":
            self._entry(line)
        elif kind == "sealed":
            self._sealed(line)
        else:
            self.ledger.unknown(line)

    def _opened(self, line: Line) -> None:
        if line.fields.whole("version") != 1:
            self.ledger.wrong("ledger-opening", line.where)
        operation = line.fields.text("operation", 100)
        if operation != self.report.id:
            self.ledger.wrong("ledger-name", line.where, found=operation)

    def _entry(self, line: Line) -> None:
        fields, report = line.fields, self.report
        identifier, at, digest = fields.whole("id"), fields.whole("at"), fields.digest("digest")
        kind = fields.text("kind", 100)
        report.entries += 1
        self._ordinals.append(line.ordinal)
        report.since = at if report.since is None else min(at, report.since)
        report.until = at if report.until is None else max(at, report.until)
        if identifier <= self._last:
            self.ledger.wrong("journal-order", line.where)
        self._last = max(self._last, identifier)
        body = self._bodies.take(identifier, digest)
        if body is None:
            self._without(line, identifier)
        elif kind in ("segment", "recording"):
            self._tells(line, identifier, body)

    def _without(self, line: Line, identifier: int) -> None:
        if self._bodies.has_other(identifier):
            self.ledger.wrong("body-differs", line.where, id=identifier)
        elif self._package is not None and identifier in self._package.withheld:
            self.report.withheld += 1
        elif len(self._missing) < KEPT_OF_A_CODE * 20:
            # While the journal is being written the text may not stand there yet; a seal decides.
            self._missing.append((line, identifier))
        else:
            self.ledger.wrong("body-missing", line.where, id=identifier)

    def _sealed(self, line: Line) -> None:
        fields = line.fields
        at, told, anchor = fields.whole("at"), fields.whole("entries"), fields.maybe_head("anchor")
        if told != self.report.entries:
            self.ledger.wrong("journal-count", line.where, told=told, found=self.report.entries)
        if anchor is not None:
            self._anchors.refer(line.where, anchor, self.ledger.wrong)
        if self.ledger.verify(line, COURT, at):
            self.report.sealed = self.report.entries
        self._say_missing(line.ordinal)

    def _say_missing(self, sealed: int) -> None:
        missing, self._missing = self._missing, []
        for line, identifier in missing:
            if sealed < LARGEST_NUMBER:
                self.ledger.wrong("body-missing", line.where, id=identifier)
            else:
                self._check.report.add("body-awaited", line.where, id=identifier)

    def _tells(self, line: Line, identifier: int, body: _Body) -> None:
        """Keep what the journal tells of a manifest, until that one is read."""
        try:
            if body.text is None:
                raise Malformed("too long")
            fields = Fields.of(body.text.encode())
            recording = fields.text("recording", 100)
            lines, digest = fields.whole("lines", 1), fields.digest("head")
            self.feeds.setdefault(recording, fields.text("feed"))
        except Malformed as error:
            self.ledger.wrong("body-unreadable", line.where, reason=str(error))
            return
        self._check.claims.add(f"manifest:{recording}", (lines, digest), Source("journal", identifier))


# ======================================================================================================================
# Media: every byte of every segment


@dataclass(frozen=True)
class Piece:
    """A header or fragment: how long it is, and its hashes."""

    length: int
    sha256: bytes
    sm3: bytes | None


@dataclass(frozen=True)
class MediaPlan:
    """What a segment's file must be."""

    path: str
    pieces: Sequence[Piece]
    sha256: bytes | None
    """Of all pieces together; None where it isn't sealed."""
    sm3: bytes | None
    with_sm3: bool


@dataclass
class MediaResult:
    """What a segment's file is: `code` says what is wrong, where something is."""

    code: str | None = None
    values: dict[str, str | int] = field(default_factory=dict)
    changed: list[int] = field(default_factory=list)
    """Fragments that aren't what was signed."""
    has_header_changed: bool = False
    has_whole_changed: bool = False
    extra: int = 0
    shows_more: bool = False
    """What follows doesn't begin as the recorder leaves what it didn't finish: with zeros, at which a player ends."""
    size: int = 0
    digest: bytes | None = None
    """SHA-256 of the whole file, with what may follow."""


class _Hashes:
    """SHA-256, with SM3 beside it where it is asked for and there."""

    def __init__(self, *, with_sm3: bool) -> None:
        self.sha256 = hashlib.sha256()
        self.sm3 = hashlib.new("sm3") if with_sm3 else None

    def update(self, data: memoryview) -> None:
        self.sha256.update(data)
        if self.sm3 is not None:
            self.sm3.update(data)

    def are(self, sha256: bytes, sm3: bytes | None) -> bool:
        is_same = self.sha256.digest() == sha256
        return is_same and (sm3 is None or self.sm3 is None or self.sm3.digest() == sm3)


def check_media(tree: Tree, plan: MediaPlan) -> MediaResult:
    """Read a segment's file once, from its beginning to its end, and hash it piece by piece and as a whole.

    Memory doesn't grow with the file, nor with what a manifest claims of it.
    """
    result = MediaResult()
    if tree.size(plan.path) is None:
        result.code = "media-missing"
        return result
    try:
        with tree.open(plan.path) as stream:
            _hash_media(stream, plan, result)
    except OSError as error:
        result.code = "media-damaged" if isinstance(error, Damaged) else "media-unreadable"
        result.values = {"reason": _reason(error)}
    return result


def _hash_media(stream: io.RawIOBase, plan: MediaPlan, result: MediaResult) -> None:
    view = memoryview(bytearray(BUFFER))
    whole = _Hashes(with_sm3=plan.with_sm3)
    for number, piece in enumerate(plan.pieces):
        own = _Hashes(with_sm3=plan.with_sm3 and piece.sm3 is not None)
        left = piece.length
        while left:
            count = _read_into(stream, view[: min(left, BUFFER)])
            if not count:
                wanted = sum(each.length for each in plan.pieces)
                result.code, result.values = "media-short", {"found": result.size, "wanted": wanted}
                result.digest = whole.sha256.digest()
                return
            own.update(view[:count])
            whole.update(view[:count])
            left -= count
            result.size += count
        if not own.are(piece.sha256, piece.sm3):
            if number:
                result.changed.append(number - 1)
            else:
                result.has_header_changed = True
    if plan.sha256 is not None and not whole.are(plan.sha256, plan.sm3):
        result.has_whole_changed = True
    while count := _read_into(stream, view):
        if not result.extra:
            result.shows_more = any(view[: min(count, UNFINISHED_BYTES)])
        whole.update(view[:count])
        result.extra += count
    result.size += result.extra
    result.digest = whole.sha256.digest()


def _read_into(stream: io.RawIOBase, view: memoryview) -> int:
    return stream.readinto(view) or 0


# ======================================================================================================================
# Manifests


@dataclass
class Segment:
    """One file of a recording, as the manifest tells of it."""

    number: int
    path: str
    since: int
    until: int
    pieces: list[Piece]
    ordinal: int
    """Of the last line that tells of it."""
    length: int
    fragments: list[int] = field(default_factory=list)
    """When each began."""
    is_sealed: bool = False
    is_recovered: bool = False
    sha256: bytes | None = None
    sm3: bytes | None = None
    anchor: int | None = None


class ManifestReader:
    """Reads one manifest of version 2 and holds its lines against each other."""

    def __init__(self, check: Check, anchors: Anchors, path: str, ledger: Ledger, *, is_alone: bool) -> None:
        self._check = check
        self._anchors = anchors
        self._path = path
        self._is_alone = is_alone
        self.ledger = ledger
        self.report: RecordingReport | None = None
        self.segments: list[Segment] = []
        self.closed = False
        self._owner = ""
        self._end: int | None = None
        self._holes: list[tuple[int, int]] = []
        self._declared: list[tuple[int, int]] = []

    def read(self) -> None:
        """Read it all."""
        for line in self.ledger.read():
            try:
                self._take(line)
            except Malformed as error:
                self.ledger.unreadable(line, error)
        for segment in self.segments:
            if segment.is_sealed:
                self._place_in_time(segment)
        for since, until in self._holes:
            if _uncovered(since, until, self._declared) > HOLE_MS:
                self._check.report.add("time-hole", self._path, since=instant(since), until=instant(until))

    def _take(self, line: Line) -> None:
        kind = line.fields.type
        if self.report is None:
            if kind != "opened" or line.ordinal != 1:
                self.ledger.wrong("ledger-opening", line.where)
            if kind == "opened":
                self._opened(line)
            return
        if self.closed:
            self._contradicts(line, "after-closed")
        taking = self._TAKING.get(kind)
        if taking is None:
            self.ledger.unknown(line)
        else:
            taking(self, line)

    def _contradicts(self, line: Line, reason: str) -> None:
        self.ledger.wrong("manifest-order", line.where, reason=reason)

    def _opened(self, line: Line) -> None:
        fields = line.fields
        if self.report is not None:
            self._contradicts(line, "opened-twice")
            return
        if fields.whole("version") != 2:
            self.ledger.wrong("ledger-opening", line.where)
        recording, node = fields.text("recording", 100), fields.text("node", 100)
        self.report = RecordingReport(
            recording, fields.text("feed"), node, 2, self._path, fields.whole("started_at")
        )  # fmt: skip
        self._owner = f"node:{node}"

    def _segment(self, line: Line) -> None:
        fields = line.fields
        number, path, since = fields.whole("number"), fields.text("path"), fields.whole("started_at")
        fields.number("start")
        if number != len(self.segments) + 1:
            self._contradicts(line, "segment-number")
        folder, _, _ = self._path.rpartition("/")
        beside, _, name = path.rpartition("/")
        if not safe_path(path) or (not self._is_alone and f"{RECORDINGS_PATH}/{beside}" != folder):
            self._contradicts(line, "segment-place")
            name = "" if not safe_path(path) else name
        length = fields.whole("header_bytes")
        header = Piece(length, fields.digest("header_sha256"), fields.maybe_digest("header_sm3"))
        self.segments.append(Segment(number, f"{folder}/{name}", since, since, [header], line.ordinal, length))

    def _fragment(self, line: Line) -> None:
        fields = line.fields
        segment = self._open_segment(fields.whole("segment"))
        if segment is None:
            self._contradicts(line, "fragment-nowhere")
            return
        number, offset, length = fields.whole("number"), fields.whole("offset"), fields.whole("length", 1)
        at, seconds = fields.whole("at"), fields.span("seconds")
        fields.number("start")
        if number != len(segment.fragments):
            self._contradicts(line, "fragment-number")
        if offset != segment.length:
            self._contradicts(line, "fragment-offset")
        segment.pieces.append(Piece(length, fields.digest("sha256"), fields.maybe_digest("sm3")))
        segment.fragments.append(at)
        segment.length += length
        segment.until = max(segment.until, at + int(seconds * 1000))
        segment.ordinal = line.ordinal
        if self._end is not None and at - self._end > HOLE_MS:
            self._holes.append((self._end, at))
        self._end = max(self._end or 0, at + int(seconds * 1000))

    def _open_segment(self, number: int) -> Segment | None:
        for segment in reversed(self.segments):
            if segment.number == number:
                return None if segment.is_sealed else segment
        return None

    def _gap(self, line: Line) -> None:
        fields, report = line.fields, self.report
        gap = Gap(fields.text("kind", 40), fields.text("track", 40), fields.whole("since"), fields.whole("until"))
        self._declared.append((gap.since, gap.until))
        if report is not None and len(report.gaps) < KEPT_GAPS:
            report.gaps.append(gap)
        elif report is not None:
            report.more_gaps += 1

    def _sealed(self, line: Line) -> None:
        fields = line.fields
        segment = self._open_segment(fields.whole("segment"))
        ended_at, kept, length = fields.whole("ended_at"), fields.whole("fragments"), fields.whole("bytes")
        self.ledger.verify(line, self._owner, ended_at)
        if segment is None:
            self._contradicts(line, "seal-nowhere")
            return
        segment.is_sealed, segment.is_recovered = True, fields.flag("is_recovered")
        segment.sha256, segment.sm3 = fields.digest("sha256"), fields.maybe_digest("sm3")
        segment.ordinal, segment.until = line.ordinal, max(ended_at, segment.since)
        lost = len(segment.fragments) - kept
        if lost < 0 or (lost and not segment.is_recovered):
            self._contradicts(line, "seal-fragments")
        elif lost:
            self._check.report.add("segment-lost", line.where, number=segment.number, fragments=lost)
            del segment.pieces[kept + 1 :], segment.fragments[kept:]
        if length != sum(piece.length for piece in segment.pieces):
            self._contradicts(line, "seal-bytes")
        self._refer(line, segment)

    def _refer(self, line: Line, segment: Segment) -> None:
        anchor = line.fields.maybe_head("anchor")
        if anchor is None or (self._check.report.scope in _WITHOUT_ANCHORS and not self._anchors.last):
            return
        self._anchors.refer(line.where, anchor, self.ledger.wrong)
        segment.anchor = anchor[0]

    def _place_in_time(self, segment: Segment) -> None:
        """Hold a seal's place between two anchors against the order of these, and against the node's clock."""
        where, sequence = f"{self.ledger.path}:{segment.ordinal}", segment.anchor or 0
        cover = self.ledger.anchor_of(segment.ordinal)
        if cover is not None and sequence >= cover:
            self.ledger.wrong("anchor-order", where, sequence=sequence, cover=cover)
        self._compare_clocks(where, segment, self._anchors.at(sequence), self._anchors.at(cover or 0))

    def _compare_clocks(self, where: str, segment: Segment, after: int | None, cover: int | None) -> None:
        """A segment ends when it is sealed, but for one that a recovery seals; the court's clock saw that between."""
        is_behind = after is not None and not segment.is_recovered and segment.until < after - CLOCK_SLACK_MS
        is_ahead = cover is not None and segment.until > cover + CLOCK_SLACK_MS
        if is_behind or is_ahead:
            told = {"ended": instant(segment.until), "after": instant(after), "cover": instant(cover)}
            self._check.report.add("node-clock", where, number=segment.number, **told)

    def _closed(self, line: Line) -> None:
        fields, report = line.fields, self.report
        self.ledger.verify(line, self._owner, fields.whole("ended_at"))
        self.closed = True
        if report is not None:
            report.closed = fields.text("reason", 40)
        if fields.whole("segments") != len(self.segments):
            self._contradicts(line, "closed-segments")
        for segment in self.segments:
            if not segment.is_sealed:
                self._check.report.add("segment-open", line.where, number=segment.number)

    _TAKING: Mapping[str, Callable[[ManifestReader, Line], None]] = {
        "opened": _opened,
        "segment": _segment,
        "fragment": _fragment,
        "gap": _gap,
        "sealed": _sealed,
        "closed": _closed,
    }


def _uncovered(since: int, until: int, declared: Sequence[tuple[int, int]]) -> int:
    """How many milliseconds of a time none of these gaps covers."""
    missing, at = 0, since
    for begin, end in sorted(one for one in declared if one[1] > since and one[0] < until):
        missing += max(0, begin - at)
        at = max(at, end)
    return missing + max(0, until - at)


_WITHOUT_ANCHORS = ("recordings", "manifest")


class FirstManifestReader:
    """Reads a manifest of version 1, which has one file and proves nothing; what it tells is still held against it."""

    def __init__(self, check: Check, path: str, ledger: Ledger) -> None:
        self._check = check
        self._path = path
        self.ledger = ledger
        self.report: RecordingReport | None = None
        self.segments: list[Segment] = []
        self.closed = False

    def read(self) -> None:
        """Read it all; a crash of then left torn and empty lines."""
        self._check.report.add("version-1", self._path)
        for line in self.ledger.read():
            try:
                self._take(line)
            except Malformed as error:
                self.ledger.unreadable(line, error)

    def _take(self, line: Line) -> None:
        fields = line.fields
        if self.report is None:
            if fields.type != "opened":
                raise Malformed("opened")
            self._opened(fields)
        elif fields.type == "fragment":
            self._fragment(fields, self.segments[0])
        elif fields.type == "closed":
            self._closed(fields, self.report, self.segments[0])

    def _opened(self, fields: Fields) -> None:
        started_at, length = fields.whole("started_at"), fields.whole("header_bytes")
        folder, name = self._path.rpartition("/")[0], fields.text("path").rpartition("/")[2]
        header = Piece(length, fields.digest("header_sha256"), None)
        path = f"{folder}/{name}" if safe_path(name) else f"{folder}/"
        recording, feed, node = fields.text("recording", 100), fields.text("feed"), fields.text("node", 100)
        self.segments.append(Segment(1, path, started_at, started_at, [header], 1, length))
        self.report = RecordingReport(recording, feed, node, 1, self._path, started_at)

    def _fragment(self, fields: Fields, segment: Segment) -> None:
        at, length = fields.whole("at"), fields.whole("length", 1)
        if fields.whole("offset") == segment.length:
            segment.pieces.append(Piece(length, fields.digest("sha256"), None))
            segment.fragments.append(at)
            segment.length += length
            segment.until = max(segment.until, at + int(fields.span("seconds") * 1000))

    def _closed(self, fields: Fields, report: RecordingReport, segment: Segment) -> None:
        self.closed, report.closed = True, fields.text("reason", 40)
        length = fields.whole("bytes")
        while len(segment.pieces) > 1 and segment.length > length:
            segment.length -= segment.pieces.pop().length
            segment.fragments.pop()
        if segment.length == length:
            segment.sha256 = fields.digest("sha256")


# ======================================================================================================================
# The verification


class Verification:
    """One run: keys, anchors, tombstones, journals, manifests with their files, and what nobody told of."""

    def __init__(self, found: Found, options: Options, *, may_be_empty: bool = False) -> None:
        """`may_be_empty`: it is no fault where there is nothing yet; somebody else says what there should be."""
        self.report = Report(found.label, found.scope)
        self._may_be_empty = may_be_empty
        self.check = Check(found.tree, self.report, options)
        self._alone = found.manifest
        self._chosen = found.journals
        self._keys = KeyRing(self.check)
        self._anchors = Anchors(self.check)
        self._package: Package | None = None
        self._feeds: dict[str, str] = {}
        self._recordings: dict[str, str] = {}
        self._pool = ThreadPoolExecutor(WORKERS)
        self._waiting: deque[tuple[list[Future[MediaResult]], Callable[[list[MediaResult]], None]]] = deque()
        self._queued = 0

    @property
    def claims(self) -> Claims:
        """What the ledgers tell of each other, and of the audit."""
        return self.check.claims

    def run(self) -> Report:
        """Verify everything."""
        try:
            self._run()
        except Exception as error:  # noqa: BLE001 - whatever a hostile file has found in here, it must not look well
            self.report.add("stopped", "", reason=type(error).__name__)
        finally:
            self._pool.shutdown()
            self.check.tree.close()
        return self.report

    def _run(self) -> None:
        scope, size = self.report.scope, self.check.tree.size
        for name in self.check.tree.strange():
            self.report.add("package-name", shown(name))
        if not self.check.tree.is_as_packed():
            self.report.add("package-packing")
        if not self.check.signatures.is_usable:
            self.report.add("no-signatures")
        if scope == "package":
            self._package = read_package(self.check)
            if "package-line" in self.report.counts:
                return  # without what it declares, all else would be told as wrong, and the cause lost among it
        if size(KEYS_PATH) is not None:
            self._keys.read()
        if self._package is not None:
            verify_package(self.check, self._package)
        if size(ANCHORS_PATH) is not None:
            self._anchors.read()
        self._tombstones = Tombstones(self.check)
        if size(TOMBSTONES_PATH) is not None:
            self._tombstones.read()
        self._read_journals()
        self._read_manifests()
        while self._waiting:
            self._settle_oldest()
        self._look_for_missing()
        if self._package is not None:
            self._check_files(self._package)
        self._finish()

    # Journals

    def _read_journals(self) -> None:
        found = set()
        for folder, names in self.check.tree.folders(JOURNALS_PATH):
            for name in sorted(names):
                if folder != JOURNALS_PATH or not name.endswith(SUFFIX) or name.endswith(BODIES_SUFFIX):
                    continue
                operation = name[: -len(SUFFIX)]
                if self._chosen is not None and operation not in self._chosen:
                    continue
                found.add(operation)
                journal = Journal(self.check, self._anchors, operation, self._package)
                journal.read()
                self._feeds.update(journal.feeds)
        if self.report.scope == "package" and self._package is not None:
            if self._package.operation not in found:
                self.report.add("journal-missing", f"{JOURNALS_PATH}/{self._package.operation}{SUFFIX}")
        elif self.report.scope == "data":
            for operation in self.claims.names("journal:"):
                if operation not in found:
                    source = self.claims.of(f"journal:{operation}")[-1][2]
                    path = f"{JOURNALS_PATH}/{shown(operation, 100)}{SUFFIX}"
                    self.report.add("ledger-missing", path, source=source)

    # Manifests

    def _read_manifests(self) -> None:
        if self._alone is not None:
            self._read_manifest(self._alone)
            return
        for folder, names in self.check.tree.folders(RECORDINGS_PATH):
            expected: set[str] = set()
            for name in sorted(names):
                if name.endswith(SUFFIX):
                    expected.update(self._read_manifest(f"{folder}/{name}"))
            for name in names:
                path = f"{folder}/{name}"
                if name.endswith(MEDIA_SUFFIXES) and path not in expected:
                    self.report.add("media-stray", shown(path, 400))

    def _read_manifest(self, path: str) -> list[str]:
        """Read one and have its files read; gives the paths of those that it tells of."""
        stem = path.rpartition("/")[2][: -len(SUFFIX)]
        is_first = _is_of_version_1(self.check.tree, path)
        ledger = Ledger(
            self.check, path, "manifest/2", f"manifest:{stem}", is_chained=not is_first, longest=LONGEST_MANIFEST_LINE
        )
        is_alone = self._alone is not None
        reader: ManifestReader | FirstManifestReader
        if is_first:
            reader = FirstManifestReader(self.check, path, ledger)
        else:
            reader = ManifestReader(self.check, self._anchors, path, ledger, is_alone=is_alone)
        reader.read()
        self._finish_manifest(reader, stem, is_first=is_first)
        if reader.report is None:
            return []
        if reader.report.id in self._recordings:
            ledger.wrong("manifest-twice", path)
        self._recordings[reader.report.id] = path
        self._queue(reader, reader.report)
        return [segment.path for segment in reader.segments]

    def _finish_manifest(self, reader: ManifestReader | FirstManifestReader, stem: str, *, is_first: bool) -> None:
        ledger, report = reader.ledger, reader.report
        if is_first:
            ledger.signed = ledger.lines  # that it can't prove itself has been said
        ledger.finish(self._anchors.at, has_anchors=bool(self._anchors.last) and not is_first)
        if report is None:
            if ledger.is_sound:
                self.report.add("ledger-empty", ledger.path)
            return
        if report.id != stem:
            ledger.wrong("ledger-name", ledger.path, found=report.id)
        if not reader.closed:
            self.report.add("manifest-open", ledger.path)
        report.lines, report.head = ledger.lines, (ledger.digest or FIRST).hex()

    # Files

    def _queue(self, reader: ManifestReader | FirstManifestReader, report: RecordingReport) -> None:
        deleted = self._tombstones.of(report.id)
        left_out = self._package.left_out.get(report.id, frozenset()) if self._package else frozenset()
        wanted = [
            segment
            for segment in reader.segments
            if self.check.tree.size(segment.path) is not None
            or (segment.number not in deleted and segment.number not in left_out)
        ]
        asked = [self._ask(segment) for segment in wanted]

        def settle(results: list[MediaResult]) -> None:
            by_number = {segment.path: result for segment, result in _pairs(wanted, results)}
            for segment in reader.segments:
                self._settle(reader, report, segment, by_number.get(segment.path), deleted.get(segment.number))

        self._waiting.append((asked, settle))
        self._queued += len(asked)
        self.report.recordings.append(report)
        while self._queued > MOST_WAITING:
            self._settle_oldest()

    def _ask(self, segment: Segment) -> Future[MediaResult]:
        """Have a file read; a small one is read faster than another thread is woken."""
        plan = self._plan(segment)
        if segment.length > BUFFER:
            return self._pool.submit(check_media, self.check.tree, plan)
        done: Future[MediaResult] = Future()
        done.set_result(check_media(self.check.tree, plan))
        return done

    def _plan(self, segment: Segment) -> MediaPlan:
        return MediaPlan(
            segment.path,
            segment.pieces,
            segment.sha256,
            segment.sm3,
            with_sm3=self.check.options.with_sm3,
        )

    def _settle_oldest(self) -> None:
        asked, settle = self._waiting.popleft()
        settle([each.result() for each in asked])
        self._queued -= len(asked)

    def _settle(
        self,
        reader: ManifestReader | FirstManifestReader,
        report: RecordingReport,
        segment: Segment,
        result: MediaResult | None,
        why: str | None,
    ) -> None:
        """Say what a segment is, and put it to those before it that are the same."""
        if result is None:
            state = "left_out" if why is None else "deleted"
        else:
            self._count(segment.path, result)
            if why is not None:
                self.report.add("tombstone-present", segment.path, number=segment.number)
            missing = self._package.missing.get(report.id, frozenset()) if self._package else frozenset()
            state = self._media_state(segment, result, is_told=segment.number in missing)
        ledger = reader.ledger
        if state == "whole":
            state = self._ledger_state(reader, segment)
        span = Span(state, segment.since, segment.until, segment.number, segment.number, why=why or "")
        if state == "proven":
            sequence = ledger.anchor_of(segment.ordinal) or 0
            span.proven, span.anchor = self._anchors.at(sequence), sequence
            span.stamped = self._anchors.stamped(sequence)
            span.after = None if segment.anchor is None else self._anchors.at(segment.anchor)
        _join(report.spans, span)

    def _ledger_state(self, reader: ManifestReader | FirstManifestReader, segment: Segment) -> str:
        ledger = reader.ledger
        if not ledger.is_sound:
            return "broken"
        if isinstance(reader, FirstManifestReader) or not self.check.can_verify:
            return "unproven"
        if ledger.signed < segment.ordinal:
            return "anchored" if ledger.covered >= segment.ordinal else "open"
        return "signed" if ledger.anchor_of(segment.ordinal) is None else "proven"

    def _media_state(self, segment: Segment, result: MediaResult, *, is_told: bool) -> str:
        """Tell what is wrong with a segment's file; gives the state that follows from it.

        `is_told`: the package itself declares it as missing.
        """
        add, path, number = self.report.add, segment.path, segment.number
        if result.code is not None:
            code = "media-missing-told" if is_told and result.code == "media-missing" else result.code
            add(code, path, number=number, **result.values)
            return {"media-missing": "missing", "media-unreadable": "unreadable"}.get(result.code, "broken")
        if result.has_header_changed:
            add("media-header", path, number=number)
        if result.changed:
            first = result.changed[0]
            at = instant(segment.fragments[first]) if first < len(segment.fragments) else "?"
            add("media-fragment", path, number=number, count=len(result.changed), first=first, at=at)
        if result.has_whole_changed and not result.has_header_changed and not result.changed:
            add("media-whole", path, number=number)
        is_broken = result.has_header_changed or result.has_whole_changed or bool(result.changed)
        if result.extra and segment.is_sealed and not segment.is_recovered:
            add("media-long", path, number=number, extra=result.extra)
            is_broken = True
        elif result.extra and segment.is_sealed:
            add("media-rest-shows" if result.shows_more else "media-rest", path, number=number, extra=result.extra)
        return "broken" if is_broken else "whole"

    def _count(self, path: str, result: MediaResult) -> None:
        self.report.files += 1
        self.report.bytes += result.size
        if self._package is None or path not in self._package.files or result.digest is None:
            return
        if result.code is None:
            self._package.hashed.add(path)
            if self._package.files[path] != (result.size, result.digest):
                self.report.add("package-file-changed", path)

    # What others tell of and isn't here

    def _look_for_missing(self) -> None:
        if self._alone is not None or self.report.scope == "recordings":
            return
        for recording in self.claims.names("manifest:"):
            if recording in self._recordings:
                continue
            told = self.claims.of(f"manifest:{recording}")
            if self._package is not None or self.report.scope == "package":
                told = [one for one in told if one[2].kind == "journal"]
                if not told or self._is_outside(recording):
                    continue
            self.report.add("recording-missing", shown(recording, 100), source=told[-1][2])

    def _is_outside(self, recording: str) -> bool:
        package = self._package
        if package is None:
            return False
        return recording in package.left_out or self._feeds.get(recording, "") not in package.feeds

    def _check_files(self, package: Package) -> None:
        """Hold every file of a package against its list."""
        report = self.report
        for folder, names in self.check.tree.folders(""):
            for name in names:
                path = f"{folder}/{name}" if folder else name
                if path not in package.files and path != PACKAGE_PATH:
                    self.report.add("package-file-added", shown(path, 400))
        asked = deque(
            (path, self._pool.submit(_digest_of_file, self.check.tree, path, package.files[path][0]))
            for path in sorted(package.files)
            if path not in package.hashed
        )
        while asked:
            path, future = asked.popleft()
            found = future.result()
            if isinstance(found, OSError):
                self.check.cannot_read(path, found)
            elif found is None:
                self.report.add("package-file-missing", path)
            elif found != package.files[path]:
                self.report.add("package-file-changed", path)
            else:
                report.files, report.bytes = report.files + 1, report.bytes + found[0]

    def _finish(self) -> None:
        scope, report = self.report.scope, self.report
        anchors, tombstones = self._anchors, self._tombstones
        has_anchors = bool(anchors.last)
        for span in (span for one in report.recordings for span in one.spans if span.stamped is not None):
            anchors.rest_on(span.anchor or 0)
        self._keys.settle()
        self._keys.ledger.finish(anchors.at, has_anchors=has_anchors)
        tombstones.ledger.finish(anchors.at, has_anchors=has_anchors)
        anchors.finish()
        anchors.ledger.finish(anchors.at, has_anchors=False)
        is_empty = not report.recordings and not report.journals and not anchors.last and not report.findings
        if is_empty and not self._keys.ledger.lines and not self._may_be_empty:
            report.add("nothing-found")
        if is_empty and (self._may_be_empty or not self._keys.ledger.lines):
            return
        if not self.check.keys:
            report.add("no-keys" if scope in _WITHOUT_ANCHORS else "keys-missing", KEYS_PATH)
        if not has_anchors:
            report.add("no-anchors", ANCHORS_PATH)


def _pairs(segments: Sequence[Segment], results: Sequence[MediaResult]) -> Iterator[tuple[Segment, MediaResult]]:
    return ((segments[at], results[at]) for at in range(len(segments)))


def _join(spans: list[Span], span: Span) -> None:
    last = spans[-1] if spans else None
    if last is None or (last.state, last.why) != (span.state, span.why):
        spans.append(span)
        return
    last.until, last.last = max(last.until, span.until), span.last
    last.since = min(last.since, span.since)
    if span.state == "proven" and (last.anchor or 0) < (span.anchor or 0):
        last.proven, last.anchor, last.stamped = span.proven, span.anchor, span.stamped


def _is_of_version_1(tree: Tree, path: str) -> bool:
    try:
        with tree.open(path) as stream:
            first = _up_to(stream, LONGEST_MANIFEST_LINE).partition(b"\n")[0]
        return Fields.of(first).found.get("version") == 1
    except (OSError, Malformed):
        return False


def _digest_of_file(tree: Tree, path: str, wanted: int) -> tuple[int, bytes] | OSError | None:
    """The length and SHA-256 of a file; what is longer than it should be isn't read any further."""
    size = tree.size(path)
    if size is None or size != wanted:
        return None if size is None else (size, b"")
    hashing, count, view = hashlib.sha256(), 0, memoryview(bytearray(BUFFER))
    try:
        with tree.open(path) as stream:
            while count <= wanted and (read := _read_into(stream, view)):
                hashing.update(view[:read])
                count += read
    except OSError as error:
        return error
    return count, hashing.digest()


# ======================================================================================================================
# What is to be verified


@dataclass(frozen=True)
class Found:
    """What lies at a path: package, data, recordings or manifest, and its files."""

    label: str
    scope: str
    tree: Tree
    manifest: str | None = None
    """The one that is to be verified, where it is one."""
    journals: frozenset[str] | None = None
    """The operations whose journals are to be read; None for all that are there."""


def find(path: Path) -> Found:
    """Look what lies at a path.

    Raises:
        Unusable: nothing that could be verified.
    """
    label = str(path)
    try:
        status = path.stat()
        path = path.resolve()
        is_folder = stat.S_ISDIR(status.st_mode)
        if is_folder:
            return _find_in_folder(label, path)
        if not stat.S_ISREG(status.st_mode):
            raise Unusable("not-ours", path=label)
        if path.name == PACKAGE_PATH:
            return _find_in_folder(label, path.parent)
        if path.name.endswith(SUFFIX):
            return _find_manifest(label, path)
        return Found(label, "package", ZipTree(path))
    except (OSError, ValueError, RuntimeError) as error:
        raise Unusable("no-such-path", path=label) from error


def _find_in_folder(label: str, path: Path) -> Found:
    if (path / PACKAGE_PATH).is_file():
        return Found(label, "package", FolderTree({"": path}))
    recordings, proof = path / RECORDINGS_PATH, path / "proof"
    if recordings.is_dir() or proof.is_dir():
        return Found(label, "data", FolderTree({RECORDINGS_PATH: recordings, "proof": proof}))
    if any(path.glob(f"*/*/*{SUFFIX}")):
        beside = path.parent / "proof"
        mounts = {RECORDINGS_PATH: path, **({"proof": beside} if beside.is_dir() else {})}
        return Found(label, "recordings", FolderTree(mounts))
    raise Unusable("not-ours", path=label)


def _find_manifest(label: str, path: Path) -> Found:
    """One manifest, whose files lie beside it; ledgers are looked for where they lie in a data folder or package."""
    mounts = {RECORDINGS_PATH: path.parent}
    folders = list(path.parents)
    if len(folders) > 3 and (folders[3] / "proof").is_dir():
        mounts["proof"] = folders[3] / "proof"
    return Found(label, "manifest", FolderTree(mounts), f"{RECORDINGS_PATH}/{path.name}")


def verify(
    path: Path | str,
    *,
    trusted: Collection[str] = (),
    anchor: tuple[int, str] | None = None,
    authority: Path | None = None,
    with_sm3: bool = False,
    with_library: bool = True,
) -> Report:
    """Verify what lies at a path; whatever its bytes are, a report comes.

    `trusted`: ids (or whole fingerprints) of keys that the court has published as its first. `anchor`: an anchor's
    sequence and hash, kept elsewhere. `authority`: a PEM file of the time-stamp authorities' roots. `with_library`:
    False has `openssl` check the signatures even where the library is there.

    Raises:
        Unusable: there is nothing that could be verified.
    """
    options = Options(frozenset(one.lower() for one in trusted), anchor, authority, with_sm3, with_library)
    return Verification(find(Path(path)), options).run()


# ======================================================================================================================
# The command


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> Any:
        self.print_usage(sys.stderr)
        self.exit(EXIT_UNUSABLE, f"{self.prog}: {message}\n")


def _key(text: str) -> str:
    if re.fullmatch(r"[0-9a-fA-F]{16,64}", text) is None:
        raise argparse.ArgumentTypeError("a key's id has 16 hex digits, its whole fingerprint 64")
    return text.lower()


def read_anchor(text: str) -> tuple[int, str]:
    """An anchor as SEQUENCE:HASH.

    Raises:
        ValueError: it isn't one.
    """
    sequence, _, digest = text.partition(":")
    if re.fullmatch(r"[1-9][0-9]{0,15}", sequence) is None or _HEX.fullmatch(digest.lower()) is None:
        raise ValueError("an anchor is named SEQUENCE:HASH, the hash in 64 hex digits")
    return int(sequence), digest.lower()


def _anchor(text: str) -> tuple[int, str]:
    try:
        return read_anchor(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


EXITS = (
    "Exit codes: 0 whole, by a key that you named with --trust; 1 broken or missing; 2 not wholly proven; 3 nothing that"
    " could be verified; 4 whole in itself, but no key was named: not proven to come from the court."
)


def main(arguments: Sequence[str] | None = None, installation: Callable[[Options], Report] | None = None) -> int:
    """Run as a program; gives the exit code. Without a path it is the `installation` that is verified, where given."""
    parser = _Parser(
        prog="verify.py", description="核对录像证据 · Verify recordings and what proves them.", epilog=EXITS
    )
    parser.add_argument("path", nargs="?", metavar="PATH")
    parser.add_argument(
        "--trust",
        action="append",
        default=[],
        type=_key,
        metavar="KEYID",
        help="the first key's id that the court has published",
    )
    parser.add_argument("--anchor", type=_anchor, metavar="SEQUENCE:HASH", help="an anchor that was kept elsewhere")
    parser.add_argument("--authority", type=Path, metavar="FILE", help="PEM file of the time-stamp authorities' roots")
    parser.add_argument("--language", choices=LANGUAGES, default="zh")
    parser.add_argument("--json", action="store_true", help="a report for machines")
    parser.add_argument("--sm3", action="store_true", help="check the SM3 hashes too, where this Python has SM3")
    asked = parser.parse_args(arguments)
    _write_any_text()
    if asked.sm3 and "sm3" not in hashlib.algorithms_available:
        parser.error("this Python has no SM3")
    if asked.authority is not None and not asked.authority.is_file():
        parser.error("--authority names no file")
    options = Options(frozenset(asked.trust), asked.anchor, asked.authority, asked.sm3)
    try:
        if asked.path is None and installation is not None:
            report = installation(options)
        else:
            path = Path(__file__).resolve().parent if asked.path is None else Path(asked.path)
            report = Verification(find(path), options).run()
    except Unusable as error:
        sys.stderr.write(error.said(asked.language) + "\n")
        return EXIT_UNUSABLE
    if asked.json:
        sys.stdout.write(json.dumps(report.as_dict(), ensure_ascii=True, indent=1) + "\n")
    else:
        sys.stdout.write(report.text(asked.language))
    return report.exit_code


def _write_any_text() -> None:
    """Some terminals can't show every character; that mustn't end the program."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    sys.exit(main())
